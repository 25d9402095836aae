//! A guard around the user's code: a call that panics or takes too long becomes a value.

use std::any::Any;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel, sync_channel};
use std::thread::Builder;
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

type Call = Box<dyn FnOnce() + Send>;

/// Calls the user's code on a thread of its own, which lives as long as the guard. One that does not answer in time is
/// left behind with its thread, and the next call gets a new one.
#[derive(Debug, Default)]
pub(crate) struct Guard {
    thread: Option<Sender<Call>>,
}

impl Guard {
    /// Calls `call` and waits for its answer, for `limit` at the longest.
    pub(crate) fn call<T, F>(&mut self, limit: Option<Duration>, cancel: &Cancel, call: F) -> Result<T, Trouble>
    where
        T: Send + 'static,
        F: FnOnce() -> anyhow::Result<T> + Send + 'static,
    {
        let (send, receive) = sync_channel(1);
        self.hand(Box::new(move || _ = send.send(caught(call))))?;
        let answer = wait(&receive, limit, cancel);
        if matches!(answer, Err(Trouble::TimedOut(_) | Trouble::Cancelled)) {
            // It ends when its call does, if that ever happens.
            self.thread = None;
        }
        answer
    }

    fn hand(&mut self, call: Call) -> Result<(), Trouble> {
        let thread = match self.thread.take() {
            Some(thread) => thread,
            None => start().map_err(|error| Trouble::Failed(format!("could not start a thread: {error}")))?,
        };
        let handed = thread.send(call);
        self.thread = Some(thread);
        handed.map_err(|_| Trouble::Failed("the thread of the callbacks has ended".into()))
    }
}

fn start() -> io::Result<Sender<Call>> {
    let (send, calls) = channel::<Call>();
    let serve = move || calls.into_iter().for_each(|call| call());
    Builder::new().name("cortado callback".into()).spawn(serve)?;
    Ok(send)
}

fn wait<T>(answer: &Receiver<Result<T, Trouble>>, limit: Option<Duration>, cancel: &Cancel) -> Result<T, Trouble> {
    let start = Instant::now();
    loop {
        let left = limit.map_or(TICK, |limit| limit.saturating_sub(start.elapsed()).min(TICK));
        match answer.recv_timeout(left) {
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
        let failed = Guard::default().call(None, &cancel, || -> anyhow::Result<()> { anyhow::bail!("no") });
        assert!(matches!(failed, Err(Trouble::Failed(text)) if text == "no"));
        let panicked = Guard::default().call(None, &cancel, || -> anyhow::Result<()> { panic!("oh {}", 1) });
        assert!(matches!(panicked, Err(Trouble::Failed(text)) if text == "it panicked: oh 1"));
    }

    #[test]
    fn a_call_that_hangs_is_left_alone() {
        let cancel = Cancel::new();
        let (_keep, never) = std::sync::mpsc::channel::<()>();
        let limit = Duration::from_millis(1);
        let hung = Guard::default().call(Some(limit), &cancel, move || Ok(never.recv()?));
        assert!(matches!(hung, Err(Trouble::TimedOut(_))));
    }

    #[test]
    fn cancelling_ends_the_wait() {
        let cancel = Cancel::new();
        cancel.cancel();
        let (_keep, never) = std::sync::mpsc::channel::<()>();
        let hung = Guard::default().call(None, &cancel, move || Ok(never.recv()?));
        assert!(matches!(hung, Err(Trouble::Cancelled)));
    }

    #[test]
    fn a_thread_serves_until_it_is_left_behind() {
        let cancel = Cancel::new();
        let mut guard = Guard::default();
        let mut here = |limit| guard.call(limit, &cancel, || Ok(std::thread::current().id())).unwrap();
        let first = here(None);
        assert_eq!(here(None), first);
        let (_keep, never) = channel::<()>();
        let hung = guard.call(Some(Duration::from_millis(1)), &cancel, move || Ok(never.recv()?));
        assert!(matches!(hung, Err(Trouble::TimedOut(_))));
        let next = guard.call(None, &cancel, || Ok(std::thread::current().id())).unwrap();
        assert_ne!(next, first);
    }
}
