//! A download from a web server: attempts until the file is there and verified, with pauses in between.

use std::time::Duration;

use super::attempt::{Attempt, Failure};
use super::slot::Slot;
use super::{Download, DownloadEvent};
use crate::error::{Error, Result};
use crate::host::checksum;
use crate::host::http::{Address, Retries, agent, redact};

/// The longest stretch of sleep between two looks at whether the run was cancelled.
const NAP: Duration = Duration::from_millis(100);

/// Brings the file into the slot under its final name.
pub(super) fn fetch(
    download: &Download,
    address: &Address,
    slot: &Slot,
    on_event: &mut dyn FnMut(DownloadEvent),
) -> Result<()> {
    // An earlier run may have been killed between the last byte and the final name.
    if slot.part_path().exists() && verify(download, slot).is_ok() {
        return slot.finish(&slot.part_path());
    }
    let client = agent(download.network)?;
    let mut restarted = false;
    loop {
        let resumed = persist(download, &Attempt { client: &client, download, address, slot }, on_event)?;
        match verify(download, slot) {
            Ok(()) => return slot.finish(&slot.part_path()),
            Err(error) => {
                slot.forget_part()?;
                // The two halves may stem from different files: that deserves one fresh try, a wrong whole does not.
                if !resumed || restarted {
                    return Err(error);
                }
            }
        }
        restarted = true;
    }
}

/// Attempts until one succeeds; says whether it continued an earlier one.
fn persist(download: &Download, attempt: &Attempt, on_event: &mut dyn FnMut(DownloadEvent)) -> Result<bool> {
    let Retries { longest, .. } = download.network.retries;
    let mut waits = download.network.retries.waits();
    let mut number = 1;
    loop {
        let (reason, asked) = match attempt.run(on_event) {
            Ok(resumed) => return Ok(resumed),
            Err(Failure::Final(error)) => return Err(error),
            Err(Failure::Passing { reason, after }) => (reason, after),
        };
        let Some(wait) = waits.next() else {
            return Err(attempt.address.error(reason));
        };
        let after = asked.unwrap_or_default().max(wait).min(longest);
        on_event(DownloadEvent::Retrying { attempt: number, reason, after });
        sleep(after, download.cancelled)?;
        number += 1;
    }
}

fn sleep(mut left: Duration, cancelled: &dyn Fn() -> bool) -> Result<()> {
    while !left.is_zero() {
        if cancelled() {
            return Err(Error::Interrupted);
        }
        let nap = left.min(NAP);
        std::thread::sleep(nap);
        left -= nap;
    }
    Ok(())
}

fn verify(download: &Download, slot: &Slot) -> Result<()> {
    let found = checksum::of_file(&slot.part_path(), &[download.checksum.algorithm()])?;
    found.verify(download.checksum, &redact(download.url))
}
