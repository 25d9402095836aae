//! Finds the C library of a system by its files: both families name their version inside of themselves.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use crate::model::Libc;

/// The C library below `root`; glibc where both are installed, since a musl beside it is a toolchain's.
pub(super) fn libc(root: &Path) -> Libc {
    let found = |family: &str, version| Libc { family: family.to_owned(), version };
    let glibc = glibc_files(root).find_map(|path| glibc_of(&path));
    let musl = || musl_files(root).find_map(|path| musl_version(&fs::read(path).ok()?));
    glibc.map(|version| found("glibc", version)).or_else(|| Some(found("musl", musl()?))).unwrap_or_default()
}

/// Where distributions put glibc: in a directory for libraries, or (Debian's) for those of one architecture.
fn glibc_files(root: &Path) -> impl Iterator<Item = PathBuf> {
    let dirs = ["lib64", "usr/lib64", "lib", "usr/lib"].map(|dir| root.join(dir));
    let nested = dirs.clone().into_iter().flat_map(|dir| entries(&dir, |name| name.contains("-linux-gnu")));
    dirs.into_iter().chain(nested).map(|dir| dir.join("libc.so.6"))
}

/// The version of the glibc at `path`. Its constants are a twelfth of the file, so they are looked at first.
fn glibc_of(path: &Path) -> Option<String> {
    let file = File::open(path).ok()?;
    let mut constants = constants(&file).unwrap_or_default().into_iter();
    constants.find_map(|part| glibc_version(&part)).or_else(|| glibc_version(&fs::read(path).ok()?))
}

/// The sections with constants of a 64-bit, little-endian ELF file; none of a file whose headers make no sense.
/// <https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.sheader.html>
fn constants(file: &File) -> Option<Vec<Vec<u8>>> {
    const HEADER: usize = 64;
    const PROGBITS_TO_READ: (u64, u64) = (1, 2);
    const LARGEST: u64 = 4 << 20;
    let header = part(file, 0, HEADER as u64)?;
    header.starts_with(b"\x7fELF\x02\x01").then_some(())?;
    let (size, count) = (number(&header, 58, 2)?, number(&header, 60, 2)?);
    let table = part(file, number(&header, 40, 8)?, size.checked_mul(count)?)?;
    let sections = table.chunks_exact(usize::try_from(size).ok().filter(|size| *size == HEADER)?);
    let wanted = sections.filter(|section| number(section, 4, 4).zip(number(section, 8, 8)) == Some(PROGBITS_TO_READ));
    let read = |section: &[u8]| {
        let length = number(section, 32, 8).filter(|length| *length <= LARGEST)?;
        part(file, number(section, 24, 8)?, length)
    };
    Some(wanted.filter_map(read).collect())
}

fn part(file: &File, from: u64, length: u64) -> Option<Vec<u8>> {
    let mut bytes = vec![0; usize::try_from(length).ok()?];
    file.read_exact_at(&mut bytes, from).ok().map(|()| bytes)
}

fn number(bytes: &[u8], at: usize, width: usize) -> Option<u64> {
    let mut number = [0; 8];
    number.get_mut(..width)?.copy_from_slice(bytes.get(at..at + width)?);
    Some(u64::from_le_bytes(number))
}

fn musl_files(root: &Path) -> impl Iterator<Item = PathBuf> {
    entries(&root.join("lib"), |name| name.starts_with("ld-musl-")).into_iter()
}

/// What is in a directory and has such a name, sorted.
fn entries(dir: &Path, wanted: fn(&str) -> bool) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let named = entries.filter(|entry| entry.file_name().to_str().is_some_and(wanted));
    let mut paths: Vec<PathBuf> = named.map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

/// glibc prints `GNU C Library (Debian GLIBC 2.36-9) stable release version 2.36.` when its file is run.
fn glibc_version(file: &[u8]) -> Option<String> {
    // Searched at every start: a search that looks at many bytes at once is worth its crate.
    let banner = file.get(memchr::memmem::find(file, b"GNU C Library")?..)?;
    let banner = std::str::from_utf8(texts(banner).next()?).ok()?;
    let (_, version) = banner.lines().next()?.split_once("release version ")?;
    let end = version.find(|char: char| !char.is_ascii_digit() && char != '.').unwrap_or(version.len());
    Some(version.get(..end)?.trim_end_matches('.').to_owned())
}

/// musl prints `musl libc (x86_64)\nVersion %s\n` when its file is run, and holds its version as a text of its own.
fn musl_version(file: &[u8]) -> Option<String> {
    texts(file).find(|text| text.windows(11).any(|part| part == b"musl libc ("))?;
    texts(file).find_map(three_numbers)
}

/// The texts of a binary, each of which ends with a zero.
fn texts(file: &[u8]) -> impl Iterator<Item = &[u8]> {
    file.split(|byte| *byte == 0)
}

/// `1.2.5` at the end of a text.
fn three_numbers(text: &[u8]) -> Option<String> {
    let start = text.iter().rposition(|byte| !byte.is_ascii_digit() && *byte != b'.').map_or(0, |at| at + 1);
    let version = std::str::from_utf8(text.get(start..)?).ok()?;
    let parts = || version.split('.');
    (parts().count() == 3 && parts().all(|part| !part.is_empty())).then(|| version.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn glibc_says_its_version_in_its_banner() {
        let file = |banner: &str| [b"\x7fELF\0junk\0".as_slice(), banner.as_bytes(), b"\nCopyright\0more"].concat();
        let debian = file("GNU C Library (Debian GLIBC 2.36-9+deb12u14) stable release version 2.36.");
        let fedora = file("GNU C Library (GNU libc) development release version 2.40.9000.");
        assert_eq!(glibc_version(&debian).as_deref(), Some("2.36"));
        assert_eq!(glibc_version(&fedora).as_deref(), Some("2.40.9000"));
        assert_eq!(glibc_version(b"a linker script"), None);
    }

    #[test]
    fn musl_holds_its_version_as_a_text_of_its_own() {
        let texts: [&[u8]; 5] = [b"\x7fELF", b"127.0.0.1", b"musl libc (x86_64)\nVersion %s\n", b"\x03\x011.2.5", b""];
        assert_eq!(musl_version(&texts.join(&0)).as_deref(), Some("1.2.5"));
        assert_eq!(musl_version(b"another program\x001.2.5"), None);
    }

    #[test]
    fn a_file_with_headers_that_lie_is_searched_as_a_whole() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("libc.so.6");
        let banner = "GNU C Library (GNU libc) stable release version 2.41.\n";
        for headers in
            [b"\x7fELF\x02\x01".repeat(20), [b"\x7fELF\x02\x01".as_slice(), &[0xff; 90]].concat(), b"".into()]
        {
            fs::write(&path, [&headers, banner.as_bytes()].concat()).unwrap();
            assert_eq!(glibc_of(&path).as_deref(), Some("2.41"));
        }
    }

    #[test]
    fn constants_are_enough_to_know_this_machines_glibc() {
        for path in glibc_files(Path::new("/")).filter(|path| path.exists()) {
            let constants = constants(&File::open(&path).unwrap()).unwrap_or_default();
            let whole = glibc_version(&fs::read(&path).unwrap());
            assert_eq!(constants.iter().find_map(|part| glibc_version(part)), whole, "{}", path.display());
        }
    }

    #[test]
    fn this_machine_has_a_libc() {
        let libc = libc(Path::new("/"));
        assert!(!libc.version.is_empty(), "{libc:?}");
    }
}
