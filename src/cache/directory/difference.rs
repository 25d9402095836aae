//! The difference: what two artifacts of one key do not have in common.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::Path;

use sha2::{Digest as _, Sha256};

use crate::cache::stored::Stored;
use crate::host::gzip;
use crate::model::Digest;

/// So many members of each kind are named.
const NAMED: usize = 10;

/// What keeping comes to when `kept` is there already: they may be the same.
pub(super) fn beside(kept: &Path, digest: Option<Digest>, ours: &mut dyn Read) -> Stored {
    let Some(digest) = digest else { return Stored::Present };
    match differs(kept, digest, ours) {
        Ok(None) => Stored::Present,
        Ok(Some(how)) => Stored::Differs(how),
        Err(error) => Stored::Differs(format!("it could not be compared: {error}")),
    }
}

fn differs(kept: &Path, digest: Digest, ours: &mut dyn Read) -> io::Result<Option<String>> {
    let mut kept = File::open(kept)?;
    if gzip::promised(&mut kept)? == Some(digest) {
        return Ok(None);
    }
    kept.rewind()?;
    let (kept, theirs) = members(&mut kept)?;
    if theirs == digest { Ok(None) } else { Ok(Some(describe(&members(ours)?.0, &kept))) }
}

/// The members of a tar by name, each as a digest of everything that it is, and the digest of the tar.
type Members = BTreeMap<String, Digest>;

fn members(artifact: &mut dyn Read) -> io::Result<(Members, Digest)> {
    let mut reader = gzip::Reader::new(artifact, 1)?;
    let mut members = Members::new();
    for member in tar::Archive::new(&mut reader).entries()? {
        let mut member = member?;
        let name = String::from_utf8_lossy(&member.path_bytes()).into_owned();
        let mut hasher = Sha256::new();
        let header = member.header();
        hasher.update([header.entry_type().as_byte()]);
        hasher.update(header.mode()?.to_le_bytes());
        hasher.update(header.mtime()?.to_le_bytes());
        hasher.update(member.link_name_bytes().unwrap_or_default());
        io::copy(&mut member, &mut io::BufWriter::new(Hashing(&mut hasher)))?;
        members.insert(name, Digest::finish(hasher));
    }
    io::copy(&mut reader, &mut io::sink())?;
    let seal = reader.seal().ok_or_else(|| io::Error::other("it was not read to its end"))?;
    Ok((members, seal.digest))
}

/// Hashes what is written.
struct Hashing<'a>(&'a mut Sha256);

impl io::Write for Hashing<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// `only here: a; only in the cache: b, c; different: d`.
fn describe(ours: &Members, kept: &Members) -> String {
    let missing = |from: &Members, of: &Members| -> Vec<String> {
        of.keys().filter(|name| !from.contains_key(*name)).cloned().collect()
    };
    let different =
        |(name, ours): (&String, &Digest)| kept.get(name).filter(|kept| *kept != ours).map(|_| name.clone());
    let parts = [
        ("only here", missing(kept, ours)),
        ("only in the cache", missing(ours, kept)),
        ("different", ours.iter().filter_map(different).collect()),
    ];
    let parts: Vec<_> =
        parts.iter().filter(|(_, names)| !names.is_empty()).map(|(what, names)| part(what, names)).collect();
    if parts.is_empty() { "the same members in another order".to_owned() } else { parts.join("; ") }
}

fn part(what: &str, names: &[String]) -> String {
    let named: Vec<_> = names.iter().take(NAMED).map(|name| format!("`{name}`")).collect();
    let more = names.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{what}: {}{more}", named.join(", "))
}
