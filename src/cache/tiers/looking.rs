//! Looking: asks one tier for an artifact, unpacks what comes, and keeps a packed copy where a nearer tier wants one.

use std::fs::File;
use std::io::{self, Read, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tempfile::TempPath;

use super::conveyor;
use super::fault::Fault;
use super::line::{Line, Progress, Visit};
use crate::cache::cacher::Cacher;
use crate::cache::look::Look;
use crate::cache::miss::Miss;

/// What came of a look: for a hit, the packed artifact where it was wanted.
pub(super) struct Found {
    pub(super) look: Look,
    pub(super) copy: Option<Arc<TempPath>>,
}

/// What happened between the first byte and the last.
enum Came {
    /// All of it, and it is what it promises to be.
    Whole(Option<Arc<TempPath>>),
    /// Something, but not that.
    Useless(Miss),
    Absent,
    Fault(Fault),
}

/// Asks a tier for the artifact that `cacher` names; with `copy`, a packed copy of what it has is kept.
///
/// # Errors
/// When this machine cannot unpack: its disk is full, say. No tier is to blame for that, and none could help.
pub(super) fn look(line: &Line, cacher: &Cacher, copy: bool) -> anyhow::Result<Found> {
    let settings = &line.tier.settings;
    let missed = |miss| {
        let required = settings.required;
        Found { look: Look { required, ..Look::missed(line.tier.name.clone(), miss) }, copy: None }
    };
    if !settings.mode.reads() {
        let mut found = missed(Miss::Disabled);
        found.look.required = false;
        return Ok(found);
    }
    let start = Instant::now();
    let Some(mut visit) = line.visit() else { return Ok(missed(Miss::Skipped)) };
    let before = cacher.bytes();
    let mut found = missed(Miss::Absent);
    match bring(line, &mut visit, cacher, copy)? {
        Came::Absent => visit.succeed(),
        Came::Whole(copy) => {
            visit.succeed();
            found.look.saved = cacher.origin().and_then(|origin| origin.build_time);
            (found.look.miss, found.copy) = (None, copy);
        }
        Came::Useless(miss) => {
            visit.fail_for(&Fault::Failed(miss.to_string()), cacher);
            found.look.removed = matches!(miss, Miss::Corrupt(_)) && remove(line, &mut visit, cacher);
            found.look.miss = Some(miss);
        }
        Came::Fault(fault) => {
            visit.fail_for(&fault, cacher);
            found.look.miss = Some(fault.miss());
        }
    }
    found.look.bytes = cacher.bytes() - before;
    found.look.duration = start.elapsed();
    Ok(found)
}

fn bring(line: &Line, visit: &mut Visit<'_>, cacher: &Cacher, copy: bool) -> anyhow::Result<Came> {
    let carried = conveyor::carry(visit, line.tier.store.clone(), cacher.filename(), |object, provenance| {
        cacher.originates(provenance.unwrap_or_default());
        unpack(object, cacher, copy)
    });
    match carried {
        Ok(Some((unpacked, fault))) => judge(unpacked, fault, cacher),
        Ok(None) => Ok(Came::Absent),
        Err(fault) => Ok(Came::Fault(fault)),
    }
}

fn unpack(object: &mut (dyn Read + Send), cacher: &Cacher, copy: bool) -> anyhow::Result<(bool, Option<TempPath>)> {
    // A copy that cannot be made fills no nearer tier, and is no reason not to unpack.
    let file = copy.then(|| cacher.spool().ok()).flatten();
    let Some((mut file, path)) = file.map(tempfile::NamedTempFile::into_parts) else {
        return Ok((cacher.unpack_from(object)?, None));
    };
    let mut tee = Tee { from: object, to: Some(&mut file) };
    let whole = cacher.unpack_from(&mut tee)?;
    let copied = tee.to.is_some();
    Ok((whole, Some(path).filter(|_| copied)))
}

fn judge(
    unpacked: anyhow::Result<(bool, Option<TempPath>)>,
    fault: Option<Fault>,
    cacher: &Cacher,
) -> anyhow::Result<Came> {
    Ok(match (unpacked, fault, cacher.verdict()) {
        (_, Some(fault), _) => Came::Fault(fault),
        (Err(error), None, _) => return Err(error),
        (Ok((true, copy)), None, None) => Came::Whole(copy.map(Arc::new)),
        (Ok(_), None, miss) => Came::Useless(miss.unwrap_or_else(|| Miss::Corrupt("it was not unpacked".into()))),
    })
}

/// Removes an object that proved corrupt, where we may: the first writer wins, so it would stay for ever.
fn remove(line: &Line, visit: &mut Visit<'_>, cacher: &Cacher) -> bool {
    if !line.tier.settings.mode.writes() {
        return false;
    }
    let name = cacher.filename().to_owned();
    visit.wait.idle = Duration::ZERO;
    visit.call(&Progress::default(), move |store| store.remove(&name)).unwrap_or(false)
}

/// Copies what is read, until that fails.
struct Tee<'f, R> {
    from: R,
    to: Option<&'f mut File>,
}

impl<R: Read> Read for Tee<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.from.read(buffer)?;
        if let Some(file) = &mut self.to
            && file.write_all(buffer.get(..read).unwrap_or_default()).is_err()
        {
            self.to = None;
        }
        Ok(read)
    }
}
