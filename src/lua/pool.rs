//! Lua threads: each owns a state that has read the recipe once, and serves one call at a time.
//!
//! A call goes to an idle thread; when all are busy a new one is started, so that slow callbacks never wait for each
//! other. States are not shared, so none of them needs a lock.

use std::rc::Rc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use mlua::Lua;

use super::call::Call;
use super::origin::Origin;
use super::reading::Reading;

/// The threads of one recipe. They end when it is dropped.
pub(super) struct Pool {
    origin: Arc<Origin>,
    idle: Mutex<Vec<Sender<Job>>>,
}

struct Job {
    call: Call,
    answer: Sender<anyhow::Result<bool>>,
}

impl Pool {
    /// No threads yet.
    pub(super) fn new(origin: Arc<Origin>) -> Self {
        Self { origin, idle: Mutex::default() }
    }

    /// Runs a call on a thread that has nothing else to do, and waits for its answer.
    pub(super) fn call(&self, call: Call) -> anyhow::Result<bool> {
        let idle = self.idle().pop();
        let worker = match idle {
            Some(worker) => worker,
            None => self.spawn()?,
        };
        let (answer, answered) = channel();
        worker.send(Job { call, answer }).ok().context("a Lua thread has ended")?;
        let result = answered.recv().context("a Lua thread has ended")?;
        self.idle().push(worker);
        result
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Sender<Job>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn spawn(&self) -> anyhow::Result<Sender<Job>> {
        let (worker, jobs) = channel();
        let origin = self.origin.clone();
        let thread = std::thread::Builder::new().name("cortado-lua".to_owned());
        thread.spawn(move || serve(&origin, &jobs)).context("could not start a Lua thread")?;
        Ok(worker)
    }
}

fn serve(origin: &Origin, jobs: &Receiver<Job>) {
    let mut state: Option<(Lua, Rc<Reading>)> = None;
    for Job { call, answer } in jobs {
        // The caller may have given up waiting; there is nobody else to tell.
        _ = answer.send(run(origin, &mut state, call));
    }
}

fn run(origin: &Origin, state: &mut Option<(Lua, Rc<Reading>)>, call: Call) -> anyhow::Result<bool> {
    let (lua, reading) = match state {
        Some(state) => state,
        None => state.insert(origin.read()?),
    };
    Ok(call.run(lua, reading).map_err(|error| reading.error(&error))?)
}
