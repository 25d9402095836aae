//! Lanes: worker threads whose results come back in the order in which the jobs were given.
//!
//! The one who gives the jobs also takes the results, on one thread; so a stream can be read or written by any number
//! of workers without ever leaving that thread. The lanes bound what is under way, and so the memory.

use std::collections::VecDeque;
use std::io;
use std::sync::mpsc::{self, Receiver, Sender, SyncSender};
use std::sync::{Arc, Mutex};
use std::thread;

/// What a worker thread does with one job; made once per thread, so that it can keep its tools.
pub(crate) type Worker<J, D> = Box<dyn FnMut(J) -> D>;

type Job<J, D> = (J, SyncSender<D>);

/// Up to `threads` workers, started when there is work for them; they end when the lanes are dropped. A lone job is
/// done on the thread that takes its result: small streams are many, and a thread costs more than they do.
pub(crate) struct Lanes<J, D> {
    lone: Option<J>,
    jobs: Sender<Job<J, D>>,
    queue: Arc<Mutex<Receiver<Job<J, D>>>>,
    results: VecDeque<Receiver<D>>,
    worker: Arc<dyn Fn() -> Worker<J, D> + Send + Sync>,
    threads: usize,
    most: usize,
    started: usize,
}

impl<J: Send + 'static, D: Send + 'static> Lanes<J, D> {
    /// `threads` lanes, as many as the machine has cores for 0.
    pub(crate) fn new(threads: usize, worker: impl Fn() -> Worker<J, D> + Send + Sync + 'static) -> Self {
        let (jobs, queue) = mpsc::channel();
        let queue = Arc::new(Mutex::new(queue));
        Self {
            lone: None,
            jobs,
            queue,
            results: VecDeque::new(),
            worker: Arc::new(worker),
            threads,
            most: usize::MAX,
            started: 0,
        }
    }

    /// No more than `most` lanes, however many cores there are.
    pub(crate) fn at_most(self, most: usize) -> Self {
        Self { most, ..self }
    }

    /// Whether a result has to be taken before the next job is given.
    pub(crate) fn are_full(&self) -> bool {
        self.results.len() > 4 * self.threads.max(1)
    }

    /// Gives a job to the next free worker.
    pub(crate) fn give(&mut self, job: J) -> io::Result<()> {
        match self.lone.take() {
            None if self.results.is_empty() => {
                self.lone = Some(job);
                Ok(())
            }
            None => self.send(job),
            Some(first) => self.send(first).and_then(|()| self.send(job)),
        }
    }

    fn send(&mut self, job: J) -> io::Result<()> {
        if self.threads == 0 {
            // Asking takes a dozen system calls, so small streams never do.
            self.threads = thread::available_parallelism().map_or(1, usize::from).min(self.most);
        }
        if self.started < self.threads {
            self.start()?;
        }
        let (sender, receiver) = mpsc::sync_channel(1);
        self.jobs.send((job, sender)).map_err(|_| lost())?;
        self.results.push_back(receiver);
        Ok(())
    }

    /// Waits for the result of the oldest job; `None` when no job is under way.
    pub(crate) fn take(&mut self) -> io::Result<Option<D>> {
        if let Some(job) = self.lone.take() {
            return Ok(Some((self.worker)()(job)));
        }
        self.results.pop_front().map(|result| result.recv().map_err(|_| lost())).transpose()
    }

    fn start(&mut self) -> io::Result<()> {
        let (queue, worker) = (Arc::clone(&self.queue), Arc::clone(&self.worker));
        thread::Builder::new().name("cortado-lane".into()).spawn(move || serve(&queue, worker()))?;
        self.started += 1;
        Ok(())
    }
}

fn serve<J, D>(queue: &Mutex<Receiver<Job<J, D>>>, mut worker: Worker<J, D>) {
    while let Some((job, sender)) = next(queue) {
        // Nobody waits any more when the lanes were dropped half way.
        let _ = sender.send(worker(job));
    }
}

fn next<J, D>(queue: &Mutex<Receiver<Job<J, D>>>) -> Option<Job<J, D>> {
    queue.lock().ok()?.recv().ok()
}

fn lost() -> io::Error {
    io::Error::other("a worker thread was lost")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lone_job_needs_no_thread() {
        let mut lanes = Lanes::new(4, || Box::new(|()| thread::current().id()));
        let here = thread::current().id();
        for _ in 0..3 {
            lanes.give(()).unwrap();
            assert_eq!(lanes.take().unwrap(), Some(here));
        }
        lanes.give(()).unwrap();
        lanes.give(()).unwrap();
        assert!(lanes.take().unwrap().is_some_and(|id| id != here));
    }

    #[test]
    fn results_come_in_the_order_of_the_jobs() {
        let mut lanes = Lanes::new(4, || Box::new(|number: u64| (0..(20 - number) * 1000).fold(number, |a, _| a)));
        let mut results = Vec::new();
        for number in 0..20 {
            if lanes.are_full() {
                results.extend(lanes.take().unwrap());
            }
            lanes.give(number).unwrap();
        }
        while let Some(result) = lanes.take().unwrap() {
            results.push(result);
        }
        assert_eq!(results, (0..20).collect::<Vec<_>>());
    }
}
