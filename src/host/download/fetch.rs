//! A download from a web server: attempts until the file is there and verified, with pauses in between.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};

use super::address::Address;
use super::attempt::{Attempt, Failure};
use super::client::client;
use super::slot::Slot;
use super::{Download, DownloadEvent, Retries};
use crate::error::{Error, Result};
use crate::host::checksum;

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
    let client = client(download.network)?;
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
    let mut waits = waits(&download.network.retries);
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

fn waits(retries: &Retries) -> impl Iterator<Item = Duration> {
    ExponentialBuilder::new()
        .with_min_delay(retries.first)
        .with_max_delay(retries.longest)
        .with_max_times(retries.times)
        .with_jitter()
        .build()
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
    found.verify(download.checksum, &super::redact(download.url))
}
