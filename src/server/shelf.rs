//! The shelf: the store as requests see it. Protocols ask here, and nothing else touches the store.
//!
//! A store is synchronous. Opening a file is done on the spot, since that takes less time than waking a thread; whatever may
//! take longer is done by threads that may wait.

use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::body::{Body, Bytes};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use super::body;
use super::buffers::Transfers;
use super::event::{Event, Observer};
use super::forward::Forward;
use super::history::History;
use super::intake::{Intake, Terms, collect};
use super::known::{self, Known, Look, Memory};
use super::line::Line;
use super::metrics::Metrics;
use super::name::{Name, QUARANTINE};
use super::options::ServerOptions;
use super::pace::Pace;
use super::problem::Problem;
use super::refill::{Brought, Refill};
use crate::{Digest, Listed, Object, Put, Store, Stored, Tier, Upstream};

/// Uploads up to that size are held in memory until they are complete.
const SMALL: u64 = 64 << 10;

/// Objects that are examined at once: each takes a processor.
const EXAMINERS: usize = 2;

/// The store, and what is remembered of its objects.
pub(super) struct Shelf {
    store: Arc<dyn Store>,
    memory: Arc<Memory>,
    transfers: Transfers,
    examiners: Semaphore,
    uploads: Semaphore,
    pace: Pace,
    /// Whether the store has files, which are opened at once.
    has_files: AtomicBool,
    metrics: Arc<Metrics>,
    history: Arc<History>,
    observer: Observer,
    refill: Option<Arc<Refill>>,
    forward: Option<Arc<Forward>>,
}

/// An object that is there and whole.
#[derive(Debug)]
pub(super) enum Found {
    /// A file.
    File(File, Look, Known),
    /// A stream, of a store that has no files.
    Stream(Object),
}

/// What became of an upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kept {
    /// It is kept.
    New(Digest),
    /// There was one already, with the same content.
    Same(Digest),
    /// There was one already, with another content, which stays.
    Different(Known),
}

impl Shelf {
    pub(super) fn new(
        store: Arc<dyn Store>,
        options: &ServerOptions,
        metrics: Arc<Metrics>,
        history: Arc<History>,
        observer: Observer,
    ) -> Self {
        Self {
            store,
            memory: Arc::default(),
            transfers: Transfers::default(),
            examiners: Semaphore::new(EXAMINERS),
            uploads: Semaphore::new(options.max_uploads.max(1)),
            pace: options.pace(),
            has_files: AtomicBool::new(false),
            metrics,
            history,
            observer,
            refill: None,
            forward: None,
        }
    }

    /// Brings what is missing from a tier, and offers it what is uploaded.
    pub(super) fn before(self, tier: Tier) -> Self {
        let (name, observer) = (tier.name().to_owned(), self.observer.clone());
        let mode = tier.how().mode;
        let far = Arc::new(Upstream::new(tier).observe(move |problem| {
            observer.tell(|| Event::Upstream { name: name.clone(), problem: problem.map(str::to_owned) });
        }));
        let line = Line {
            near: self.store.clone(),
            far,
            memory: self.memory.clone(),
            metrics: self.metrics.clone(),
            observer: self.observer.clone(),
        };
        let refill = mode.reads().then(|| Refill::new(line.clone()));
        Self { refill, forward: mode.writes().then(|| Forward::new(line)), ..self }
    }

    /// Opens an object, wherever it is. One that is found to be corrupt is put aside, and is not there.
    pub(super) async fn find(&self, name: &Name) -> Result<Option<Found>, Problem> {
        match (self.open(name).await?, &self.refill) {
            (Some(object), _) => self.vouch(name, object).await,
            (None, Some(refill)) => self.find_upstream(name, refill).await,
            (None, None) => Ok(None),
        }
    }

    /// Opens an object that is here.
    pub(super) async fn find_here(&self, name: &Name) -> Result<Option<Found>, Problem> {
        match self.open(name).await? {
            Some(object) => self.vouch(name, object).await,
            None => Ok(None),
        }
    }

    async fn find_upstream(&self, name: &Name, refill: &Arc<Refill>) -> Result<Option<Found>, Problem> {
        match refill.bring(name).await {
            Brought::Absent => Ok(None),
            Brought::Unkept => Ok(refill.pass(name).await.map(Found::Stream)),
            Brought::Kept => self.find_here(name).await,
        }
    }

    /// What is known of an object that is open.
    async fn vouch(&self, name: &Name, object: Object) -> Result<Option<Found>, Problem> {
        let Object::File(file) = object else { return Ok(Some(Found::Stream(object))) };
        let look = Look::at(&file).map_err(failed)?;
        if let Some(known) = self.memory.recall(name, look) {
            return Ok(Some(Found::File(file, look, known)));
        }
        Ok(self.examine(name, file).await?.map(|(file, look, known)| Found::File(file, look, known)))
    }

    /// The content of an object, or a part of it.
    pub(super) fn body(&self, file: File, part: Range<u64>) -> Body {
        body::of_file(file, part, &self.transfers)
    }

    /// The first bytes of an object, at most that many. One without a byte in it has none.
    pub(super) async fn beginning(&self, file: &File, most: u64) -> Result<Bytes, Problem> {
        match body::beginning(file, &self.transfers.begin(), most).await {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(Bytes::new()),
            read => read.map_err(failed),
        }
    }

    /// The content of a store without files.
    pub(super) fn stream(&self, object: Object) -> Body {
        body::of_reader(object.into_reader(), &self.transfers)
    }

    /// The SHA-256 of an object, as it was stored: its content is read only where nobody has noted that.
    pub(super) async fn digest(&self, name: &Name) -> Result<Option<Digest>, Problem> {
        let Some(Object::File(file)) = self.open(name).await? else { return Ok(None) };
        let look = Look::at(&file).map_err(failed)?;
        let known = self.memory.recall(name, look).map(|known| known.content);
        match known.or_else(|| known::noted(&file)) {
            Some(digest) => Ok(Some(digest)),
            None => Ok(self.examine(name, file).await?.map(|(_, _, known)| known.content)),
        }
    }

    /// What the store knows of an object beside its content.
    pub(super) async fn describe(&self, name: &Name) -> Result<Option<Listed>, Problem> {
        self.ask(name, |store, name| store.describe(name)).await
    }

    /// Whether there is an object of that name.
    pub(super) async fn has(&self, name: &Name) -> Result<bool, Problem> {
        if self.has_files.load(Ordering::Relaxed) {
            return self.store.has(name.as_str()).map_err(|error| Problem::store_failed(&error));
        }
        self.ask(name, |store, name| store.has(name)).await
    }

    /// Those of the names that there are objects of.
    pub(super) async fn having(&self, names: Vec<Name>) -> Result<Vec<Name>, Problem> {
        self.work(move |store| {
            let mut there = Vec::new();
            for name in names {
                if store.has(name.as_str())? {
                    there.push(name);
                }
            }
            Ok(there)
        })
        .await
    }

    /// Whether there are objects of all those names. Whoever asks means to use them, so they count as used.
    pub(super) async fn has_all(&self, names: Vec<Name>) -> Result<bool, Problem> {
        let look = |store: &dyn Store| {
            let mut missing = Vec::new();
            for name in names {
                if store.object(name.as_str())?.is_none() {
                    missing.push(name);
                }
            }
            Ok(missing)
        };
        let missing = self.work(look).await?;
        match &self.refill {
            _ if missing.is_empty() => Ok(true),
            None => Ok(false),
            // What is not here may still be brought.
            Some(refill) => Ok(refill.bring_all(missing).await),
        }
    }

    /// Removes an object, upstream too; `false` when there was none.
    pub(super) async fn remove(&self, name: &Name) -> Result<bool, Problem> {
        self.memory.forget(name);
        let (name, forward) = (name.clone(), self.forward.clone());
        self.work(move |store| {
            // There first: it would come back.
            let there = forward.is_some_and(|forward| forward.remove(&name));
            Ok(store.remove(name.as_str())? || there)
        })
        .await
    }

    /// Waits until the upstream was offered all that was uploaded.
    pub(super) async fn forwarded(&self) {
        if let Some(forward) = &self.forward {
            forward.empty().await;
        }
    }

    /// Keeps what is uploaded, once all of it has arrived and was found to be what was promised.
    pub(super) async fn keep(&self, name: &Name, body: Body, terms: Terms, mut put: Put) -> Result<Kept, Problem> {
        put.size = terms.size.map(|size| size + terms.preface.len() as u64);
        // The semaphore is never closed.
        let _turn = self.uploads.acquire().await;
        let (known, preface) = (self.forward.is_some().then(|| put.clone()), terms.preface.len() as u64);
        // Of what came after a preface, the digest is not that of the object.
        let is_notable = !put.replace && terms.preface.is_empty();
        let (stored, intake) = self.take_in(name, body, terms, put).await?;
        self.metrics.received(intake.size());
        let Some(digest) = intake.digest() else { return Err(Problem::bad_request("the body broke off")) };
        match stored {
            Stored::New => {
                self.history.stored(name);
                if is_notable {
                    self.note(name, intake.size(), digest).await;
                }
                if let (Some(forward), Some(known)) = (&self.forward, known) {
                    forward.send(name, Put { size: Some(preface + intake.size()), ..known });
                }
                Ok(Kept::New(digest))
            }
            Stored::Declined(_) => Err(Problem::full()),
            _ => self.compare(name, digest).await,
        }
    }

    /// Does something with the store that may take long.
    pub(super) async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&dyn Store) -> anyhow::Result<T> + Send + 'static,
    ) -> Result<T, Problem> {
        let store = self.store.clone();
        let done = spawn_blocking(move || work(&*store)).await.unwrap_or_else(|error| Err(error.into()));
        done.map_err(|error| Problem::store_failed(&error))
    }

    async fn ask<T: Send + 'static>(
        &self,
        name: &Name,
        question: fn(&dyn Store, &str) -> anyhow::Result<T>,
    ) -> Result<T, Problem> {
        let name = name.clone();
        self.work(move |store| question(store, name.as_str())).await
    }

    async fn open(&self, name: &Name) -> Result<Option<Object>, Problem> {
        if self.has_files.load(Ordering::Relaxed) {
            return self.store.object(name.as_str()).map_err(|error| Problem::store_failed(&error));
        }
        let object = self.ask(name, |store, name| store.object(name)).await?;
        if matches!(object, Some(Object::File(_))) {
            self.has_files.store(true, Ordering::Relaxed);
        }
        Ok(object)
    }

    /// Reads an object to its end. Of many who ask for it at once, one does.
    async fn examine(&self, name: &Name, file: File) -> Result<Option<(File, Look, Known)>, Problem> {
        let _turn = self.examiners.acquire().await;
        let look = Look::at(&file).map_err(failed)?;
        if let Some(known) = self.memory.recall(name, look) {
            return Ok(Some((file, look, known)));
        }
        let subject = name.clone();
        let examined = spawn_blocking(move || (known::examine(&subject, &file), file)).await;
        match examined.map_err(|error| failed(io::Error::other(error)))? {
            (Ok(known), file) => {
                self.memory.remember(name, look, known);
                Ok(Some((file, look, known)))
            }
            (Err(error), _) if error.kind() == io::ErrorKind::InvalidData => {
                self.condemn(name, error.to_string()).await?;
                Ok(None)
            }
            (Err(error), _) => Err(failed(error)),
        }
    }

    /// Puts aside an object that is not what it should be, and tells of it.
    pub(super) async fn condemn(&self, name: &Name, problem: String) -> Result<(), Problem> {
        self.metrics.corrupt();
        self.observer.tell(|| Event::Corrupt { name: name.to_string(), problem });
        self.put_aside(name).await
    }

    /// Gives a corrupt object a name that nobody asks for. It goes like any other that is not used.
    async fn put_aside(&self, name: &Name) -> Result<(), Problem> {
        self.memory.forget(name);
        let (name, aside) = (name.clone(), Name::within(QUARANTINE, name.as_str()));
        self.work(move |store| {
            if let Some(mut content) = store.get(name.as_str())? {
                // Where there is no room to keep it for whoever wonders, it goes at once.
                _ = store.put(aside.as_str(), &mut content, &Put::replacing(true));
            }
            store.remove(name.as_str()).map(drop)
        })
        .await
    }

    async fn take_in(&self, name: &Name, body: Body, terms: Terms, put: Put) -> Result<(Stored, Intake), Problem> {
        if terms.size.is_some_and(|size| size <= SMALL) {
            let content = collect(body, SMALL as usize, self.pace).await?;
            return self.store_content(name, Intake::whole(content, terms), put).await;
        }
        let (supply, intake) = Intake::arriving(terms);
        let (stored, ()) = tokio::join!(self.store_content(name, intake, put), supply.bring(body, self.pace));
        stored
    }

    async fn store_content(&self, name: &Name, mut intake: Intake, put: Put) -> Result<(Stored, Intake), Problem> {
        let (store, name) = (self.store.clone(), name.clone());
        let work = move || {
            let stored = store.put(name.as_str(), &mut intake, &put);
            // A store that has the object already does not look at the content; we want to know whether it is the same.
            let read = if stored.is_ok() { io::copy(&mut intake, &mut io::sink()).map(drop) } else { Ok(()) };
            (stored.and_then(|stored| read.map(|()| stored).map_err(Into::into)), intake)
        };
        let (stored, mut intake) = spawn_blocking(work).await.map_err(|error| failed(io::Error::other(error)))?;
        match stored {
            Ok(stored) => Ok((stored, intake)),
            Err(error) => Err(intake.take_problem().unwrap_or_else(|| Problem::store_failed(&error))),
        }
    }

    /// Notes what was just stored.
    async fn note(&self, name: &Name, size: u64, content: Digest) {
        if let Ok(Some(Object::File(file))) = self.open(name).await {
            self.memory.note(name, &file, size, Known { content, identity: None });
        }
    }

    async fn compare(&self, name: &Name, digest: Digest) -> Result<Kept, Problem> {
        match self.find_here(name).await? {
            Some(Found::File(_, _, known)) if known.content != digest => Ok(Kept::Different(known)),
            Some(Found::Stream(object)) => {
                let theirs = self.work(move |_| Ok(digest_of(object.into_reader())?)).await?;
                let known = Known { content: theirs, identity: None };
                Ok(if theirs == digest { Kept::Same(digest) } else { Kept::Different(known) })
            }
            Some(_) => Ok(Kept::Same(digest)),
            None => Err(Problem::conflict("another object of that name came and went meanwhile; try again")),
        }
    }
}

fn digest_of(mut content: impl Read) -> io::Result<Digest> {
    let mut hasher = <sha2::Sha256 as sha2::Digest>::new();
    let mut buffer = vec![0; 128 << 10];
    loop {
        match content.read(&mut buffer)? {
            0 => return Ok(Digest::finish(hasher)),
            count => sha2::Digest::update(&mut hasher, buffer.get(..count).unwrap_or_default()),
        }
    }
}

fn failed(error: io::Error) -> Problem {
    Problem::store_failed(&error.into())
}
