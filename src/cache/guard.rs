//! A guard around the user's code: a call that panics or takes too long becomes a value.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use crate::host::cancel::Cancel;

/// How a guarded call ended other than by returning an answer.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// It returned an error, or panicked.
    Failed(String),
    /// It did not return in time. It may still be running, on a thread that nobody waits for.
    TimedOut(Duration),
    /// The run was cancelled while it was running.
    Cancelled,
}

/// How often a waiting guard looks whether the run was cancelled.
const TICK: Duration = Duration::from_millis(50);

/// Calls `call` and waits for its answer, for `limit` at the longest.
pub(crate) fn guarded<T, F>(limit: Option<Duration>, cancel: &Cancel, call: F) -> Result<T, Trouble>
where
    T: Send + 'static,
    F: FnOnce() -> anyhow::Result<T> + Send + 'static,
{
    let (send, receive) = sync_channel(1);
    let thread = std::thread::Builder::new().name("cortado callback".into()).spawn(move || {
        _ = send.send(caught(call));
    });
    if let Err(error) = thread {
        return Err(Trouble::Failed(format!("could not start a thread: {error}")));
    }
    let start = Instant::now();
    loop {
        match receive.recv_timeout(TICK) {
            Ok(answer) => return answer,
            Err(RecvTimeoutError::Disconnected) => return Err(Trouble::Failed("it ended without an answer".into())),
            Err(RecvTimeoutError::Timeout) if cancel.is_cancelled() => return Err(Trouble::Cancelled),
            Err(RecvTimeoutError::Timeout) => {}
        }
        if let Some(limit) = limit.filter(|limit| start.elapsed() >= *limit) {
            return Err(Trouble::TimedOut(limit));
        }
    }
}

/// Calls the user's code on this thread; a panic becomes a failure.
pub(crate) fn caught<T>(call: impl FnOnce() -> anyhow::Result<T>) -> Result<T, Trouble> {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(Trouble::Failed(format!("{error:#}"))),
        Err(panic) => Err(Trouble::Failed(format!("it panicked: {}", panic_text(&*panic)))),
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("(no message)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_and_a_panic_are_values() {
        let cancel = Cancel::new();
        let failed = guarded(None, &cancel, || -> anyhow::Result<()> { anyhow::bail!("no") });
        assert!(matches!(failed, Err(Trouble::Failed(text)) if text == "no"));
        let panicked = guarded(None, &cancel, || -> anyhow::Result<()> { panic!("oh {}", 1) });
        assert!(matches!(panicked, Err(Trouble::Failed(text)) if text == "it panicked: oh 1"));
    }

    #[test]
    fn a_call_that_hangs_is_left_alone() {
        let cancel = Cancel::new();
        let (_keep, never) = std::sync::mpsc::channel::<()>();
        let limit = Duration::from_millis(1);
        let hung = guarded(Some(limit), &cancel, move || Ok(never.recv()?));
        assert!(matches!(hung, Err(Trouble::TimedOut(_))));
    }

    #[test]
    fn cancelling_ends_the_wait() {
        let cancel = Cancel::new();
        cancel.cancel();
        let (_keep, never) = std::sync::mpsc::channel::<()>();
        let hung = guarded(None, &cancel, move || Ok(never.recv()?));
        assert!(matches!(hung, Err(Trouble::Cancelled)));
    }
}
