//! Keeps apart the writing of programs and the starting of processes, so that no program is a "text file busy".
//!
//! From its fork to its exec a child has copies of all descriptors of ours. A file that another thread is writing at that
//! moment can be run by nobody until then, though it is whole and closed long before: the kernel answers `ETXTBSY`. So
//! nothing that may be run is open for writing while a process is started. Several write at a time, or several start.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long one side waits for the other: a large file may come slowly, a program of a dead file system never starts.
const PATIENCE: Duration = Duration::from_millis(50);

/// Of the whole program, whose threads have all descriptors in common.
static TURNS: Turns = Turns::new();

/// For as long as a file is open for writing which may be run once it is closed.
pub(crate) fn writing() -> Turn<'static> {
    TURNS.begin(Act::Write)
}

/// The same, if this is the mode of a file that may be run.
pub(crate) fn writing_program(mode: u32) -> Option<Turn<'static>> {
    (mode & 0o111 != 0).then(writing)
}

/// For as long as a process is being started.
pub(crate) fn starting() -> Turn<'static> {
    TURNS.begin(Act::Start)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    Write,
    Start,
}

#[derive(Debug)]
struct Turns {
    /// Had by who is next: neither side passes by the other for ever.
    order: Mutex<()>,
    busy: Mutex<Busy>,
    over: Condvar,
}

/// How many are at it.
#[derive(Debug)]
struct Busy {
    writing: usize,
    starting: usize,
}

/// One that is at it, until it is dropped.
#[derive(Debug)]
#[must_use = "it is over when this is dropped"]
pub(crate) struct Turn<'t> {
    turns: &'t Turns,
    act: Act,
}

impl Busy {
    fn with(&mut self, act: Act) -> &mut usize {
        match act {
            Act::Write => &mut self.writing,
            Act::Start => &mut self.starting,
        }
    }
}

impl Turns {
    const fn new() -> Self {
        Self { order: Mutex::new(()), busy: Mutex::new(Busy { writing: 0, starting: 0 }), over: Condvar::new() }
    }

    fn busy(&self) -> MutexGuard<'_, Busy> {
        self.busy.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self, act: Act) -> Turn<'_> {
        let _next = self.order.lock().unwrap_or_else(PoisonError::into_inner);
        let other = if act == Act::Write { Act::Start } else { Act::Write };
        let waited = self.over.wait_timeout_while(self.busy(), PATIENCE, |busy| *busy.with(other) > 0);
        *waited.unwrap_or_else(PoisonError::into_inner).0.with(act) += 1;
        Turn { turns: self, act }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut busy = self.turns.busy();
        let left = busy.with(self.act);
        *left -= 1;
        if *left == 0 {
            self.turns.over.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::thread;

    use super::*;

    #[test]
    fn the_two_are_never_at_it_together_and_each_has_its_turn() {
        let turns = Turns::new();
        thread::scope(|scope| {
            for act in [Act::Write, Act::Start].repeat(4) {
                let turns = &turns;
                scope.spawn(move || {
                    for _ in 0..200 {
                        let _turn = turns.begin(act);
                        let busy = turns.busy();
                        assert!(busy.writing == 0 || busy.starting == 0, "{busy:?}");
                    }
                });
            }
        });
        assert!(matches!(*turns.busy(), Busy { writing: 0, starting: 0 }));
    }

    #[test]
    fn one_side_is_several_at_a_time_and_holds_up_the_other_for_a_while_only() {
        let turns = Turns::new();
        let (started, late) = channel();
        let _many = [turns.begin(Act::Write), turns.begin(Act::Write)];
        thread::scope(|scope| {
            scope.spawn(|| {
                drop(turns.begin(Act::Start));
                started.send(()).unwrap();
            });
            late.recv().unwrap();
        });
    }
}
