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

/// Up to `threads` workers, started when there is work for them; they end when the lanes are dropped.
pub(crate) struct Lanes<J, D> {
    jobs: Sender<Job<J, D>>,
    queue: Arc<Mutex<Receiver<Job<J, D>>>>,
    results: VecDeque<Receiver<D>>,
    worker: Arc<dyn Fn() -> Worker<J, D> + Send + Sync>,
    threads: usize,
    started: usize,
}

impl<J: Send + 'static, D: Send + 'static> Lanes<J, D> {
    /// `threads` lanes, as many as the machine has cores for 0.
    pub(crate) fn new(threads: usize, worker: impl Fn() -> Worker<J, D> + Send + Sync + 'static) -> Self {
        let (jobs, queue) = mpsc::channel();
        let threads = match threads {
            0 => thread::available_parallelism().map_or(1, usize::from),
            threads => threads,
        };
        let queue = Arc::new(Mutex::new(queue));
        Self { jobs, queue, results: VecDeque::new(), worker: Arc::new(worker), threads, started: 0 }
    }

    /// Whether a result has to be taken before the next job is given.
    pub(crate) fn are_full(&self) -> bool {
        self.results.len() > 2 * self.threads
    }

    /// Gives a job to the next free worker.
    pub(crate) fn give(&mut self, job: J) -> io::Result<()> {
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
