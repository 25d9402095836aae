//! The probe: an object that is written into a store, read back, compared and removed.

use std::io::Read;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, ensure};

use crate::cli::connect;
use crate::{Put, Store, Stored, TierMode, TierSpec, Verdict};

/// How long a store may take that has no time-out of its own.
const PATIENCE: Duration = Duration::from_secs(60);

/// What is wrong with a store, if anything is. It ends in time, whatever the store does.
pub(super) fn check(tier: &TierSpec) -> Verdict {
    let mode = tier.settings().mode;
    if mode == TierMode::Off {
        return Verdict::doubtful("it is switched off", "set its `mode` to use it");
    }
    let store = match connect::store(tier).and_then(|spec| spec.open()) {
        Ok(store) => store,
        Err(error) => return Verdict::wrong(error.to_string(), error.hint().unwrap_or_default()),
    };
    let (place, start) = (store.place(), Instant::now());
    let (send, receive) = mpsc::channel();
    // Whoever waits for a store that never answers waits on a thread that is left behind.
    thread::spawn(move || {
        let result = probe(&*store, mode);
        // Closed before the process may end: what it has noted is settled then, and nobody has to clear up after it.
        drop(store);
        _ = send.send(result);
    });
    let patience = tier.settings().timeout.unwrap_or(PATIENCE);
    match receive.recv_timeout(patience) {
        Ok(Ok(done)) => Verdict::well(format!("{place}: {done} in {} ms", start.elapsed().as_millis())),
        Ok(Err(error)) => Verdict::wrong(format!("{place}: {error:#}"), remedy(&error, tier)),
        Err(_) => {
            let problem = format!("{place}: no answer within {} s", patience.as_secs_f64());
            Verdict::wrong(problem, "see whether it can be reached, or raise its `timeout`")
        }
    }
}

/// Does with a store what a build would do. Says what was done.
fn probe(store: &dyn Store, mode: TierMode) -> anyhow::Result<&'static str> {
    // Not called like an artifact, since it is none: a server may look.
    let name = format!("cortado-doctor-{}-{}", std::process::id(), nanos());
    if mode == TierMode::Read {
        ensure!(!store.has(&name)?, "it says that it has an object which nobody has put there");
        return Ok("asked");
    }
    let content = name.repeat(50);
    let written = write(store, &name, content.as_bytes());
    let removed = store.remove(&name);
    written?;
    ensure!(removed.context("the probe was written and read, but could not be removed")?, "the probe is gone already");
    ensure!(!store.has(&name)?, "the probe was removed and is still there");
    Ok("written, read back, compared and removed")
}

fn write(store: &dyn Store, name: &str, content: &[u8]) -> anyhow::Result<()> {
    let mut options = Put::replacing(false);
    options.size = Some(content.len() as u64);
    match store.put(name, &mut &*content, &options)? {
        Stored::New => {}
        Stored::Declined(why) => anyhow::bail!("the probe was not taken: {why}"),
        _ => anyhow::bail!("it says that it had the probe before it was written"),
    }
    let mut found = Vec::new();
    let read = store.get(name)?.context("the probe was written, and is not there")?.read_to_end(&mut found);
    read.context("the probe was written, and cannot be read")?;
    ensure!(found == content, "the probe was read back, and is not what was written");
    Ok(())
}

/// Words that stores and their clients use, and what to do about what they say.
const CLUES: [(&str, &str); 10] = [
    ("connection refused", "nobody listens there: see whether the server runs, and on that port"),
    ("timed out", "see whether the server can be reached, or raise its time-outs"),
    ("timeout", "see whether the server can be reached, or raise its time-outs"),
    ("lookup", "there is no host of that name: see whether it is spelled right"),
    ("host not found", "there is no host of that name: see whether it is spelled right"),
    ("certificate", "if it has a certificate of your own authority, name that with `ca_file`"),
    ("401", "see whether the credentials are right, and there at all"),
    ("403", "the credentials are known and do not allow it; `mode = \"read\"` only reads"),
    ("permission denied", "allow it, or only read: `mode = \"read\"`"),
    ("no space left", "make room"),
];

fn remedy(error: &anyhow::Error, tier: &TierSpec) -> String {
    let said = format!("{error:#}").to_lowercase();
    match CLUES.iter().find(|(clue, _)| said.contains(clue)) {
        Some((_, remedy)) => (*remedy).to_owned(),
        None => format!("`cortado config` shows where the keys of `stores.{}` are set", tier.name()),
    }
}

fn nanos() -> u128 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_nanos())
}
