//! The token that stops a run: asked once it ends politely, asked twice at once.
//!
//! Whoever embeds the engine keeps one clone and hands another in; a signal handler's thread, a button or a deadline
//! may call [`Cancel::cancel`]. Everything in the engine that waits, waits on a descriptor of this token too, so it
//! wakes at once. Nothing here knows what is being stopped.

use std::fmt;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};

use crate::error::{Error, Result, errno};

const CANCELLED: u8 = 1;
const FORCED: u8 = 2;

/// Stops a run from outside of it.
///
/// Clones are one token. It never goes back: a cancelled token stays cancelled, so every run gets its own.
///
/// ```
/// let cancel = cortado::Cancel::new();
/// let ours = cancel.clone(); // goes into the run
/// cancel.cancel(); // from any thread
/// assert!(ours.is_cancelled() && !ours.is_forced());
/// ```
///
/// Call it from ordinary threads, not from within a signal handler: it takes a lock.
#[derive(Clone, Default)]
pub struct Cancel {
    token: Arc<Token>,
}

#[derive(Default)]
struct Token {
    level: AtomicU8,
    watches: Mutex<Vec<Weak<OwnedFd>>>,
    parent: Option<Cancel>,
}

impl Cancel {
    /// A token that nobody has cancelled.
    pub fn new() -> Self {
        Self::default()
    }

    /// A token that is cancelled with this one, and can be cancelled alone: what an engine hands to the tasks
    /// that it stops after a first failure, without claiming that the user stopped the run.
    pub fn child(&self) -> Self {
        Self { token: Arc::new(Token { parent: Some(self.clone()), ..Token::default() }) }
    }

    /// Asks the run to stop: nothing new starts, running commands get SIGTERM and a time of grace.
    pub fn cancel(&self) {
        self.raise(CANCELLED);
    }

    /// Ends the run now, as a second Ctrl-C does: running commands get SIGKILL.
    pub fn force(&self) {
        self.raise(FORCED);
    }

    /// Whether [`Cancel::cancel`] or [`Cancel::force`] was called.
    pub fn is_cancelled(&self) -> bool {
        self.level() >= CANCELLED
    }

    /// Whether [`Cancel::force`] was called.
    pub fn is_forced(&self) -> bool {
        self.level() >= FORCED
    }

    /// [`Error::Interrupted`] once cancelled: `cancel.check()?` between two pieces of work.
    pub(crate) fn check(&self) -> Result<()> {
        if self.is_cancelled() { Err(Error::Interrupted) } else { Ok(()) }
    }

    /// Waits for `duration`; [`Error::Interrupted`] as soon as the token is cancelled.
    pub(crate) fn pause(&self, duration: Duration) -> Result<()> {
        let watch = self.watch()?;
        let end = Instant::now().checked_add(duration);
        while !self.is_cancelled() && !passed(end) {
            wait(&mut [PollFd::new(&watch, PollFlags::IN)], end)?;
        }
        self.check()
    }

    /// A descriptor to poll beside others: readable when the token is, or becomes, cancelled.
    pub(crate) fn watch(&self) -> Result<Watch> {
        let fd = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK);
        let fd = Arc::new(fd.map_err(errno).map_err(Error::io("create", "eventfd"))?);
        for token in self.line() {
            let mut watches = token.watches.lock().unwrap_or_else(PoisonError::into_inner);
            watches.retain(|watch| watch.strong_count() > 0);
            watches.push(Arc::downgrade(&fd));
        }
        if self.is_cancelled() {
            wake(&fd); // raised before we were on the list
        }
        Ok(Watch { fd })
    }

    fn raise(&self, level: u8) {
        self.token.level.fetch_max(level, Ordering::SeqCst);
        let watches = self.token.watches.lock().unwrap_or_else(PoisonError::into_inner);
        watches.iter().filter_map(Weak::upgrade).for_each(|fd| wake(&fd));
    }

    fn level(&self) -> u8 {
        self.line().map(|token| token.level.load(Ordering::SeqCst)).max().unwrap_or(0)
    }

    /// This token, its parent, its parent's parent…
    fn line(&self) -> impl Iterator<Item = &Token> {
        std::iter::successors(Some(&*self.token), |token| Some(&*token.parent.as_ref()?.token))
    }
}

impl fmt::Debug for Cancel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cancel").field("cancelled", &self.is_cancelled()).field("forced", &self.is_forced()).finish()
    }
}

/// One waiter's descriptor on a [`Cancel`]; it leaves the token's list when dropped.
#[derive(Debug)]
pub(crate) struct Watch {
    fd: Arc<OwnedFd>,
}

impl Watch {
    /// Makes the descriptor silent until the token is raised further: from cancelled to forced.
    pub(crate) fn acknowledge(&self) {
        let _nothing_to_read = rustix::io::read(&*self.fd, &mut [0; 8]);
    }
}

impl AsFd for Watch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// Polls until a descriptor is ready, a signal arrives or `end` has come; spurious returns are the caller's to bear.
pub(crate) fn wait(fds: &mut [PollFd<'_>], end: Option<Instant>) -> Result<()> {
    let left = end.map(|end| end.saturating_duration_since(Instant::now()));
    let left = left.and_then(|left| Timespec::try_from(left).ok());
    match poll(fds, left.as_ref()) {
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(error) => Err(Error::io("wait on", "file descriptors")(errno(error))),
    }
}

/// Whether `end` has come; `None` never comes.
pub(crate) fn passed(end: Option<Instant>) -> bool {
    end.is_some_and(|end| end <= Instant::now())
}

fn wake(fd: &OwnedFd) {
    // Fails only when the counter is full, and then the descriptor is readable anyway.
    let _already_awake = rustix::io::write(fd, &1_u64.to_ne_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn readable(watch: &Watch) -> bool {
        let mut fds = [PollFd::new(watch, PollFlags::IN)];
        wait(&mut fds, Some(Instant::now())).unwrap();
        fds[0].revents().contains(PollFlags::IN)
    }

    #[test]
    fn clones_are_one_token() {
        let cancel = Cancel::new();
        let clone = cancel.clone();
        assert!(clone.check().is_ok());
        cancel.cancel();
        assert!(clone.is_cancelled() && !clone.is_forced());
        cancel.force();
        assert!(clone.is_forced());
        assert!(matches!(clone.check(), Err(Error::Interrupted)));
    }

    #[test]
    fn forcing_is_not_undone_by_a_later_polite_request() {
        let cancel = Cancel::new();
        cancel.force();
        cancel.cancel();
        assert!(cancel.is_forced());
    }

    #[test]
    fn a_child_follows_its_parent_and_not_the_other_way_round() {
        let parent = Cancel::new();
        let (one, other) = (parent.child(), parent.child());
        one.cancel();
        assert!(one.is_cancelled() && !parent.is_cancelled() && !other.is_cancelled());
        parent.force();
        assert!(one.is_forced() && other.is_forced());
    }

    #[test]
    fn a_watch_wakes_for_the_request_and_again_for_the_force() {
        let parent = Cancel::new();
        let watch = parent.child().watch().unwrap();
        assert!(!readable(&watch));
        parent.cancel();
        assert!(readable(&watch));
        watch.acknowledge();
        assert!(!readable(&watch));
        parent.force();
        assert!(readable(&watch));
    }

    #[test]
    fn a_watch_on_a_cancelled_token_is_readable_from_the_start() {
        let cancel = Cancel::new();
        cancel.cancel();
        assert!(readable(&cancel.watch().unwrap()));
    }

    #[test]
    fn a_token_does_not_gather_the_watches_of_the_past() {
        let cancel = Cancel::new();
        for _ in 0..100 {
            cancel.watch().unwrap();
        }
        assert!(cancel.token.watches.lock().unwrap().len() <= 1);
    }

    #[test]
    fn a_pause_ends_when_another_thread_cancels() {
        let cancel = Cancel::new();
        let ours = cancel.clone();
        let paused = std::thread::spawn(move || ours.pause(Duration::MAX));
        cancel.cancel();
        assert!(matches!(paused.join().unwrap(), Err(Error::Interrupted)));
    }

    #[test]
    fn a_pause_that_nobody_cancels_ends_by_itself() {
        assert!(Cancel::new().pause(Duration::from_millis(1)).is_ok());
    }
}
