//! The gzip members that a writer makes and a reader knows: their headers, byte for byte.
//!
//! RFC 1952 gives the frame and its extra field; the `MZ` subfield is MiGz's (linkedin/migz, `MiGzUtil.java`): the
//! size of the member's deflate data alone, without header and trailer. The digest subfield is ours.

use std::io::{self, Read, Seek, SeekFrom};

use crate::model::{Digest, Signature};

/// Bytes after the deflate data: CRC-32 and size of the uncompressed data.
pub(super) const TRAILER_SIZE: usize = 8;

/// The subfield with the size of the deflate data, 4 bytes.
const SIZE: [u8; 2] = *b"MZ";
/// The subfield with the SHA-256 of the whole stream, 32 bytes; only in the last member.
const DIGEST: [u8; 2] = *b"cD";
/// The subfield with the SHA-256 of the tag that the artifact was made for, 32 bytes; only in the last member.
const TAG: [u8; 2] = *b"cT";
/// The subfield with who vouches for that, 96 bytes; only in the last member, and only where somebody does.
const SIGNATURE: [u8; 2] = *b"cS";

/// ID1, ID2, deflate, FEXTRA and nothing else, no time, no hint, unknown system.
const FRAME: [u8; 10] = [0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 255];
/// The part of `FRAME` that another writer of `MZ` members shares.
const FRAME_SHARED: usize = 4;

/// Bytes of a last member, without a tag and with one, then the same with a signature.
const LAST_SIZES: [i64; 4] = [66, 102, 66 + SIGNED, 102 + SIGNED];
/// Bytes that a signature takes.
const SIGNED: i64 = 4 + Signature::SIZE as i64;

/// Deflate's shortest way to say nothing: one final block with fixed codes.
const NOTHING: [u8; 2] = [3, 0];

/// What a member begins with.
pub(super) enum Start {
    /// No byte is left.
    End,
    /// A member of known length.
    Block {
        /// Bytes of deflate data.
        size: u32,
        /// The digest that ends the stream, in its last member.
        digest: Option<Digest>,
        /// The digest of the tag beside it.
        tag: Option<Digest>,
        /// The signature beside it.
        signature: Option<Signature>,
        /// The header as read.
        raw: Vec<u8>,
    },
    /// Anything else, perhaps not gzip at all: the bytes read so far.
    Foreign(Vec<u8>),
}

/// The header of a member with `size` bytes of deflate data.
pub(super) fn block_header(size: u32) -> [u8; 20] {
    let mut header = [0; 20];
    header[..10].copy_from_slice(&FRAME);
    header[10..12].copy_from_slice(&8u16.to_le_bytes());
    header[12..14].copy_from_slice(&SIZE);
    header[14..16].copy_from_slice(&4u16.to_le_bytes());
    header[16..].copy_from_slice(&size.to_le_bytes());
    header
}

/// The trailer of a member.
pub(super) fn trailer(crc: u32, size: u32) -> [u8; TRAILER_SIZE] {
    let mut trailer = [0; TRAILER_SIZE];
    trailer[..4].copy_from_slice(&crc.to_le_bytes());
    trailer[4..].copy_from_slice(&size.to_le_bytes());
    trailer
}

/// CRC-32 and size out of a trailer.
pub(super) fn parse_trailer(trailer: [u8; TRAILER_SIZE]) -> (u32, u32) {
    let [a, b, c, d, e, f, g, h] = trailer;
    (u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h]))
}

/// The whole last member: no data, and the digest of all that came before, perhaps made for a tag, perhaps signed.
pub(super) fn last_member(digest: &Digest, tag: Option<Digest>, signature: Option<Signature>) -> Vec<u8> {
    let mut extra = Vec::with_capacity(180);
    push_subfield(&mut extra, SIZE, &(NOTHING.len() as u32).to_le_bytes());
    push_subfield(&mut extra, DIGEST, digest.as_bytes());
    if let Some(tag) = tag {
        push_subfield(&mut extra, TAG, tag.as_bytes());
    }
    if let Some(signature) = signature {
        push_subfield(&mut extra, SIGNATURE, &signature.to_bytes());
    }
    let mut member = FRAME.to_vec();
    member.extend((extra.len() as u16).to_le_bytes());
    member.extend(extra);
    member.extend(NOTHING);
    member.extend(trailer(0, 0));
    member
}

/// The digest that a stream of ours promises in its last member; nothing before that is read, or believed.
pub(crate) fn promised(stream: &mut (impl Read + Seek)) -> io::Result<Option<Digest>> {
    let end = stream.seek(SeekFrom::End(0))?;
    for size in LAST_SIZES {
        let Some(place) = end.checked_add_signed(-size) else { continue };
        stream.seek(SeekFrom::Start(place))?;
        if let Start::Block { digest: Some(digest), .. } = start(stream)?
            && stream.stream_position()? + (NOTHING.len() + TRAILER_SIZE) as u64 == end
        {
            return Ok(Some(digest));
        }
    }
    Ok(None)
}

fn push_subfield(extra: &mut Vec<u8>, id: [u8; 2], content: &[u8]) {
    extra.extend(id);
    extra.extend((content.len() as u16).to_le_bytes());
    extra.extend(content);
}

/// Reads the beginning of a member, no further than its header.
pub(super) fn start(input: &mut impl Read) -> io::Result<Start> {
    let mut raw = Vec::with_capacity(64);
    let complete = append(input, &mut raw, 12)?;
    if raw.is_empty() {
        return Ok(Start::End);
    }
    if !complete || raw[..FRAME_SHARED] != FRAME[..FRAME_SHARED] {
        return Ok(Start::Foreign(raw));
    }
    let extra_size = usize::from(u16::from_le_bytes([raw[10], raw[11]]));
    if !append(input, &mut raw, extra_size)? {
        return Ok(Start::Foreign(raw));
    }
    let extra = &raw[12..];
    let size = subfield(extra, SIZE).and_then(|content| content.try_into().ok()).map(u32::from_le_bytes);
    let digest_in = |id| subfield(extra, id).and_then(|content| <[u8; 32]>::try_from(content).ok()).map(Digest::from);
    let (digest, tag) = (digest_in(DIGEST), digest_in(TAG));
    let signature = subfield(extra, SIGNATURE).and_then(Signature::from_bytes);
    Ok(match size {
        Some(size) => Start::Block { size, digest, tag, signature, raw },
        None => Start::Foreign(raw),
    })
}

/// Reads `count` bytes more; false when the input ended before.
pub(super) fn append(input: &mut impl Read, raw: &mut Vec<u8>, count: usize) -> io::Result<bool> {
    Ok(input.by_ref().take(count as u64).read_to_end(raw)? == count)
}

/// The content of the first subfield with this id, in an extra field that may be malformed.
fn subfield(mut extra: &[u8], id: [u8; 2]) -> Option<&[u8]> {
    while let [a, b, low, high, rest @ ..] = extra {
        let (content, next) = rest.split_at_checked(usize::from(u16::from_le_bytes([*low, *high])))?;
        if [*a, *b] == id {
            return Some(content);
        }
        extra = next;
    }
    None
}
