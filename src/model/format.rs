//! The format of a source: which archive, or a plain file. Told by a recipe or by a file's name; what the file itself
//! says is read in the host.

use std::fmt;
use std::str::FromStr;

/// How the file of a source is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Format {
    /// A tar without compression.
    Tar,
    /// A tar compressed by gzip.
    TarGz,
    /// A tar compressed by xz.
    TarXz,
    /// A tar compressed by bzip2.
    TarBz2,
    /// A tar compressed by Zstandard.
    TarZst,
    /// A zip archive.
    Zip,
    /// A file that is not unpacked.
    Plain,
}

/// The names of every format: the first is its own, the others are accepted.
const NAMES: [(Format, &[&str]); 7] = [
    (Format::Tar, &["tar"]),
    (Format::TarGz, &["tar.gz", "tgz", "gz", "gzip", "crate"]),
    (Format::TarXz, &["tar.xz", "txz", "xz"]),
    (Format::TarBz2, &["tar.bz2", "tbz2", "tbz", "bz2", "bzip2"]),
    (Format::TarZst, &["tar.zst", "tzst", "zst", "zstd"]),
    (Format::Zip, &["zip", "jar", "whl"]),
    (Format::Plain, &["plain", "file", "none"]),
];

impl Format {
    /// Its name in recipes: `tar.gz`.
    pub fn name(self) -> &'static str {
        let names = NAMES.iter().find(|(format, _)| *format == self);
        names.and_then(|(_, names)| names.first()).copied().unwrap_or("plain")
    }

    /// What a file's name tells; `None` where it tells nothing. A lone `.gz` is a compressed file, not a tar.
    pub fn from_name(file_name: &str) -> Option<Self> {
        let lower = file_name.to_ascii_lowercase();
        let ends_with = |ending: &&str| {
            let stem = lower.strip_suffix(*ending).and_then(|stem| stem.strip_suffix('.'));
            stem.is_some_and(|stem| !stem.is_empty())
        };
        let told = NAMES.iter().filter(|(format, _)| *format != Self::Plain).find(|(format, names)| {
            let lone = |name: &&str| format.is_compressed_tar() && COMPRESSIONS.contains(name);
            names.iter().filter(|name| !lone(name)).any(&ends_with)
        });
        told.map(|(format, _)| *format)
    }

    fn is_compressed_tar(self) -> bool {
        matches!(self, Self::TarGz | Self::TarXz | Self::TarBz2 | Self::TarZst)
    }
}

/// Names that say in a recipe how a tar is compressed, but at the end of a file's name promise no tar.
const COMPRESSIONS: [&str; 7] = ["gz", "gzip", "xz", "bz2", "bzip2", "zst", "zstd"];

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The text named no format.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not one of tar, tar.gz, tar.xz, tar.bz2, tar.zst, zip, plain")]
pub struct NotAFormat(String);

impl FromStr for Format {
    type Err = NotAFormat;

    /// Reads `tar.gz`, `.tar.gz`, `tgz`, `gz`, in either case.
    fn from_str(text: &str) -> Result<Self, NotAFormat> {
        let lower = text.trim().to_ascii_lowercase();
        let name = lower.strip_prefix('.').unwrap_or(&lower);
        let found = NAMES.iter().find(|(_, names)| names.contains(&name));
        found.map(|(format, _)| *format).ok_or_else(|| NotAFormat(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_tell_their_format() {
        let told = |name| Format::from_name(name);
        assert_eq!(told("zlib-1.3.1.tar.gz"), Some(Format::TarGz));
        assert_eq!(told("LINUX.TXZ"), Some(Format::TarXz));
        assert_eq!(told("pkg-1.0.tbz2"), Some(Format::TarBz2));
        assert_eq!(told("data.tar.zst"), Some(Format::TarZst));
        assert_eq!(told("v1.zip"), Some(Format::Zip));
        assert_eq!(told("plain.tar"), Some(Format::Tar));
    }

    #[test]
    fn a_name_that_promises_no_archive_tells_nothing() {
        for name in ["manual.gz", "v1.3.1", ".tar.gz", "tar.gz", "", "script.sh", "a.plain"] {
            assert_eq!(Format::from_name(name), None, "{name}");
        }
    }

    #[test]
    fn every_format_reads_its_own_name() {
        for (format, names) in NAMES {
            assert_eq!(format.to_string().parse(), Ok(format));
            assert!(names.iter().all(|name| name.parse() == Ok(format)));
        }
        assert_eq!(".TGZ".parse(), Ok(Format::TarGz));
        assert_eq!(
            "rar".parse::<Format>().unwrap_err().to_string(),
            "`rar` is not one of tar, tar.gz, tar.xz, tar.bz2, tar.zst, zip, plain"
        );
    }
}
