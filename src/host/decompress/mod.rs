//! Source archives of any format: what a file is, and the tar stream inside it. Zip archives, which hold no tar, are
//! extracted by [`zip`]; what is done with a tar stream is not decided here.

#[cfg(feature = "archives")]
pub(crate) mod zip;

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;

use crate::error::{Error, Result};
use crate::model::Format;

/// The most memory that an xz stream may ask for: ten times what `xz -9` needs.
#[cfg(feature = "archives")]
const XZ_MEMORY_MAX: u64 = 1 << 30;
/// The largest window of a Zstandard stream, as the power of two that `zstd --long` uses.
#[cfg(feature = "archives")]
const ZSTD_WINDOW_MAX: u32 = 27;

/// What a file is, by its first bytes; its name counts where those leave a doubt.
pub(crate) fn detect(path: &Path) -> Result<Format> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let start = start(&mut open_file(path)?).map_err(Error::io("read", path))?;
    let format = match start.as_slice() {
        [0x1f, 0x8b, ..] => Format::TarGz,
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Format::TarXz,
        [b'B', b'Z', b'h', b'1'..=b'9', ..] => Format::TarBz2,
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Format::TarZst,
        [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => return Ok(Format::Zip),
        block if is_tar(block) => return Ok(Format::Tar),
        _ => return Ok(Format::Plain),
    };
    let promised = Format::from_name(&name).is_some_and(|promised| promised != Format::Zip);
    if promised || holds_tar(path, format)? { Ok(format) } else { Ok(Format::Plain) }
}

/// The decompressed stream of a tar of this format. Streams of several members, as parallel compressors write them,
/// are read to their end.
pub(crate) fn open(path: &Path, format: Format) -> Result<Box<dyn Read>> {
    let file = open_file(path)?;
    match format {
        Format::Tar | Format::Plain => Ok(Box::new(file)),
        Format::TarGz => Ok(Box::new(MultiGzDecoder::new(file))),
        Format::TarXz | Format::TarBz2 | Format::TarZst => decoder(file, path, format),
        Format::Zip => Err(broken(path, "a zip archive holds no tar")),
    }
}

#[cfg(feature = "archives")]
fn decoder(file: BufReader<File>, path: &Path, format: Format) -> Result<Box<dyn Read>> {
    let refused = |error: io::Error| broken(path, error);
    Ok(match format {
        Format::TarXz => {
            let stream = liblzma::stream::Stream::new_stream_decoder(XZ_MEMORY_MAX, liblzma::stream::CONCATENATED);
            Box::new(liblzma::bufread::XzDecoder::new_stream(file, stream.map_err(|error| refused(error.into()))?))
        }
        Format::TarBz2 => Box::new(bzip2::bufread::MultiBzDecoder::new(file)),
        _ => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(file).map_err(refused)?;
            decoder.window_log_max(ZSTD_WINDOW_MAX).map_err(refused)?;
            Box::new(decoder)
        }
    })
}

#[cfg(not(feature = "archives"))]
fn decoder(_: BufReader<File>, path: &Path, format: Format) -> Result<Box<dyn Read>> {
    Err(broken(path, format!("this build of cortado cannot read {format}; build it with the feature `archives`")))
}

/// An archive error about a whole file.
fn broken(path: &Path, problem: impl std::fmt::Display) -> Error {
    Error::Archive { archive: path.display().to_string(), problem: problem.to_string() }
}

fn open_file(path: &Path) -> Result<BufReader<File>> {
    let file = File::open(path).map_err(Error::io("open", path))?;
    Ok(BufReader::with_capacity(128 << 10, file))
}

/// Whether a compressed file holds a tar. One that cannot be read is taken for an archive: unpacking it says why.
fn holds_tar(path: &Path, format: Format) -> Result<bool> {
    let mut stream = match open(path, format) {
        Err(Error::Archive { .. }) => return Ok(true),
        other => other?,
    };
    Ok(start(&mut stream).map_or(true, |block| is_tar(&block)))
}

fn start(reader: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut block = Vec::with_capacity(512);
    reader.take(512).read_to_end(&mut block)?;
    Ok(block)
}

/// Whether this is a tar header: its checksum field (offset 148, eight octal digits) holds the sum of the others.
/// Unlike the magic word, every tar since 1979 has it.
fn is_tar(block: &[u8]) -> bool {
    let Some(field) = block.get(148..156).filter(|_| block.len() == 512) else { return false };
    let text = String::from_utf8_lossy(field);
    let stated = u32::from_str_radix(text.trim_matches(['\0', ' ']), 8);
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    let of_field: u32 = field.iter().map(|byte| u32::from(*byte)).sum();
    stated.is_ok_and(|stated| stated == sum - of_field + 8 * u32::from(b' '))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use tempfile::TempDir;

    use super::*;

    fn tar() -> Vec<u8> {
        let mut header = tar::Header::new_gnu();
        header.set_size(2);
        let mut builder = tar::Builder::new(Vec::new());
        builder.append_data(&mut header, "hello", "hi".as_bytes()).unwrap();
        builder.into_inner().unwrap()
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    /// What `detect` says of a file, and what `open` then yields.
    fn read(name: &str, bytes: &[u8]) -> (Format, io::Result<Vec<u8>>) {
        let dir = TempDir::new().unwrap();
        let path = dir.path().join(name);
        fs::write(&path, bytes).unwrap();
        let format = detect(&path).unwrap();
        let mut content = Vec::new();
        let result = open(&path, format).unwrap().read_to_end(&mut content);
        (format, result.map(|_| content))
    }

    #[test]
    fn an_archive_is_known_by_its_bytes_whatever_its_name() {
        let (format, content) = read("download.php", &gzip(&tar()));
        assert_eq!((format, content.unwrap()), (Format::TarGz, tar()));
        let (format, content) = read("a.zip", &tar());
        assert_eq!((format, content.unwrap()), (Format::Tar, tar()));
    }

    #[test]
    fn a_compressed_file_that_is_no_tar_stays_as_it_is() {
        let (format, content) = read("manual.gz", &gzip(b"manual"));
        assert_eq!((format, content.unwrap()), (Format::Plain, gzip(b"manual")));
        assert_eq!(read("notes.txt", b"hello").0, Format::Plain);
        assert_eq!(read("empty", b"").0, Format::Plain);
    }

    #[test]
    fn a_name_that_promises_a_tar_is_believed() {
        assert_eq!(read("empty.tar.gz", &gzip(b"")).0, Format::TarGz);
    }

    #[test]
    fn all_members_of_a_stream_are_read() {
        let (head, tail) = (&tar()[..600], &tar()[600..]);
        let (_, content) = read("a.tgz", &[gzip(head), gzip(tail)].concat());
        assert_eq!(content.unwrap(), tar());
    }

    #[test]
    fn a_truncated_stream_is_an_error() {
        let whole = gzip(&tar());
        assert!(read("a.tgz", &whole[..whole.len() - 9]).1.is_err());
    }

    #[cfg(not(feature = "archives"))]
    #[test]
    fn without_the_feature_the_error_names_it() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let error = open(file.path(), Format::TarXz).map(drop).unwrap_err().to_string();
        assert!(error.ends_with("cannot read tar.xz; build it with the feature `archives`"), "{error}");
    }

    #[cfg(feature = "archives")]
    mod archives {
        use super::*;

        fn xz(bytes: &[u8]) -> Vec<u8> {
            let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 1);
            encoder.write_all(bytes).unwrap();
            encoder.finish().unwrap()
        }

        fn bzip2(bytes: &[u8]) -> Vec<u8> {
            let mut encoder = ::bzip2::write::BzEncoder::new(Vec::new(), ::bzip2::Compression::fast());
            encoder.write_all(bytes).unwrap();
            encoder.finish().unwrap()
        }

        fn zstd(bytes: &[u8]) -> Vec<u8> {
            ::zstd::encode_all(bytes, 1).unwrap()
        }

        #[test]
        fn every_compression_is_detected_and_read_to_its_end() {
            type Pack = fn(&[u8]) -> Vec<u8>;
            for (format, pack) in [(Format::TarXz, xz as Pack), (Format::TarBz2, bzip2), (Format::TarZst, zstd)] {
                let (head, tail) = (&tar()[..700], &tar()[700..]);
                let (found, content) = read("download", &[pack(head), pack(tail)].concat());
                assert_eq!((found, content.unwrap()), (format, tar()));
                assert_eq!(read("download", &pack(b"no tar")).0, Format::Plain);
                let whole = pack(&tar());
                assert!(read("download", &whole[..whole.len() - 5]).1.is_err(), "{format}");
            }
        }
    }
}
