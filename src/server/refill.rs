//! The refill: brings from the upstream what is missing here, once however many ask for it.
//!
//! Whoever asks waits without a thread; the few transfers that there are have one each.

use std::collections::HashMap;
use std::io::{self, Read};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::Bytes;
use tokio::sync::{Semaphore, mpsc, oneshot, watch};
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::timeout;

use super::bazel;
use super::event::Event;
use super::known::Known;
use super::line::{Line, transfers};
use super::name::Name;
use super::vetted::Vetted;
use crate::{Miss, Object, Put, Stored, Tier};

/// Objects that are asked for at once, at the most. Of further ones nobody asks.
const FLIGHTS: usize = 10_000;

/// How long an object waits for its turn, where the tier has no time-out.
const PATIENCE: Duration = Duration::from_secs(30);

/// Objects that pass through at once, each as fast as its client takes it.
const PASSAGES: usize = 64;

/// Bytes of a part that passes through.
const PART: usize = 256 << 10;

/// What came of asking upstream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Brought {
    /// It is here now.
    Kept,
    /// It is there, but there is no room for it here.
    Unkept,
    /// It is not there either, or nobody can tell.
    Absent,
}

/// An answer for all who wait for it.
type Landing = watch::Receiver<Option<Brought>>;

/// What is on its way from the upstream.
pub(super) struct Refill {
    line: Line,
    places: Semaphore,
    passages: Arc<Semaphore>,
    flights: Mutex<HashMap<Name, Landing>>,
}

/// How many threads may wait for an upstream.
pub(super) fn threads(tier: &Tier) -> usize {
    2 * transfers(tier) + PASSAGES
}

impl Refill {
    pub(super) fn new(line: Line) -> Arc<Self> {
        let (places, passages) = (Semaphore::new(line.transfers()), Arc::new(Semaphore::new(PASSAGES)));
        Arc::new(Self { line, places, passages, flights: Mutex::default() })
    }

    /// Brings an object here, or waits for whoever is bringing it.
    pub(super) async fn bring(self: &Arc<Self>, name: &Name) -> Brought {
        let Some(mut landing) = self.join(name) else { return self.missed(name, &Miss::Skipped) };
        // Whoever flies always lands, but when the server ends.
        landing.wait_for(Option::is_some).await.ok().and_then(|brought| *brought).unwrap_or(Brought::Absent)
    }

    /// Brings objects here, as many at once as the upstream bears; `false` as soon as there is one that it does not have.
    pub(super) async fn bring_all(self: &Arc<Self>, names: Vec<Name>) -> bool {
        let (mut names, mut flying) = (names.into_iter(), JoinSet::new());
        loop {
            while flying.len() < self.line.transfers()
                && let Some(name) = names.next()
            {
                let this = self.clone();
                flying.spawn(async move { this.bring(&name).await });
            }
            match flying.join_next().await {
                None => return true,
                Some(Ok(Brought::Kept | Brought::Unkept)) => {}
                Some(_) => return false,
            }
        }
    }

    /// An object that there is no room for here, as it comes; `None` when it does not come after all.
    pub(super) async fn pass(self: &Arc<Self>, name: &Name) -> Option<Object> {
        let passage = self.passages.clone().try_acquire_owned().ok()?;
        let (open, opened) = oneshot::channel();
        let (send, parts) = mpsc::channel(4);
        let (this, name) = (self.clone(), name.clone());
        spawn_blocking(move || {
            let passed = this.line.far.bring(name.as_str(), |content, _| {
                _ = open.send(());
                hand_on(&mut Vetted::new(&name, content)?, &send)
            });
            if !matches!(passed, Ok(Ok(()))) {
                _ = send.blocking_send(Err(io::Error::other("it broke off upstream")));
            }
            drop(passage);
        });
        opened.await.ok()?;
        Some(Object::Stream(Box::new(Parts { parts, current: Bytes::new(), ended: false })))
    }

    fn join(self: &Arc<Self>, name: &Name) -> Option<Landing> {
        let mut flights = self.flights();
        if let Some(landing) = flights.get(name) {
            return Some(landing.clone());
        }
        if flights.len() >= FLIGHTS {
            return None;
        }
        let (land, landing) = watch::channel(None);
        flights.insert(name.clone(), landing.clone());
        let (this, name) = (self.clone(), name.clone());
        tokio::spawn(async move {
            let brought = this.fly(&name).await;
            // Whoever asks from now on finds it here, or asks anew.
            this.flights().remove(&name);
            land.send_replace(Some(brought));
        });
        Some(landing)
    }

    async fn fly(self: &Arc<Self>, name: &Name) -> Brought {
        let patience = self.line.far.tier().how().timeout.unwrap_or(PATIENCE);
        let Ok(_place) = timeout(patience, self.places.acquire()).await else {
            return self.missed(name, &Miss::TimedOut);
        };
        let (this, name) = (self.clone(), name.clone());
        spawn_blocking(move || this.fetch(&name)).await.unwrap_or(Brought::Absent)
    }

    fn fetch(&self, name: &Name) -> Brought {
        // It may have come between the look of whoever asks and now.
        if self.line.near.has(name.as_str()).unwrap_or(false) {
            return Brought::Kept;
        }
        let (mut verdict, mut size) = (None, 0);
        let brought = self.line.far.bring(name.as_str(), |content, provenance| {
            let mut content = Vetted::new(name, content)?;
            let put = Put { provenance, ..Put::default() };
            let stored = self.line.near.put(name.as_str(), &mut content, &put);
            (size, verdict) = (content.size(), content.verdict());
            stored
        });
        match (brought, verdict) {
            (Ok(Err(miss)), _) => self.missed(name, &miss),
            (_, Some(Err(problem))) => self.missed(name, &Miss::Corrupt(problem)),
            (Ok(Ok(Stored::Declined(why))), _) => self.unkept(name, why),
            (Ok(Ok(stored)), verdict) => {
                if let (Stored::New, Some(Ok(known))) = (stored, verdict) {
                    self.note(name, size, known);
                }
                self.line.metrics.asked_upstream("hit");
                Brought::Kept
            }
            (Err(error), _) => self.unkept(name, format!("{error:#}")),
        }
    }

    /// Notes what an object was found to be on its way, so that it is not read once more. One that anybody may replace is: it
    /// may be another one by now.
    fn note(&self, name: &Name, size: u64, known: Known) {
        if (name.namespace().is_none() || bazel::promised_by(name).is_some())
            && let Ok(Some(Object::File(file))) = self.line.near.object(name.as_str())
        {
            self.line.memory.note(name, &file, size, known);
        }
    }

    fn missed(&self, name: &Name, miss: &Miss) -> Brought {
        let result = match miss {
            Miss::Absent | Miss::Disabled => "miss",
            Miss::Skipped => "skipped",
            Miss::Corrupt(_) => "corrupt",
            _ => "failed",
        };
        self.line.metrics.asked_upstream(result);
        if miss.is_failure() {
            self.line.observer.tell(|| Event::NotBrought { name: name.to_string(), problem: miss.to_string() });
        }
        Brought::Absent
    }

    fn unkept(&self, name: &Name, problem: String) -> Brought {
        self.line.metrics.asked_upstream("unkept");
        self.line.observer.tell(|| Event::NotBrought { name: name.to_string(), problem });
        Brought::Unkept
    }

    fn flights(&self) -> MutexGuard<'_, HashMap<Name, Landing>> {
        self.flights.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A part of a content, its end when it is empty; else why there is no more.
type Part = io::Result<Bytes>;

/// Sends a content on to whoever reads it, to its end or until they want no more of it.
fn hand_on(content: &mut impl Read, send: &mpsc::Sender<Part>) -> anyhow::Result<()> {
    loop {
        let mut part = Vec::with_capacity(PART);
        content.by_ref().take(PART as u64).read_to_end(&mut part)?;
        let ended = part.is_empty();
        if send.blocking_send(Ok(part.into())).is_err() || ended {
            return Ok(());
        }
    }
}

/// Parts as one content.
struct Parts {
    parts: mpsc::Receiver<Part>,
    current: Bytes,
    ended: bool,
}

impl Read for Parts {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.current.is_empty() && !self.ended && !buffer.is_empty() {
            let broken = || Err(io::Error::from(io::ErrorKind::UnexpectedEof));
            self.current = self.parts.blocking_recv().unwrap_or_else(broken)?;
            self.ended = self.current.is_empty();
        }
        let count = buffer.len().min(self.current.len());
        let part = self.current.split_to(count);
        if let Some(room) = buffer.get_mut(..count) {
            room.copy_from_slice(&part);
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::super::event::Observer;
    use super::super::known::Look;
    use super::*;
    use crate::{Digest, DirectoryStore, Store, Upstream};

    #[test]
    fn what_was_found_on_the_way_is_not_found_out_again() {
        let dir = tempfile::tempdir().unwrap();
        let [near, far] = ["near", "far"].map(|name| Arc::new(DirectoryStore::open(dir.path().join(name)).unwrap()));
        let content = format!("bazel~cas~2f{}", Digest::of("beans"));
        let names = ["a.bin", &content, "ccache~00"].map(|name| Name::parse_any(name).unwrap());
        names.iter().for_each(|name| {
            far.put(name.as_str(), &mut &b"beans"[..], &Put::default()).unwrap();
        });
        let refill = Refill::new(Line {
            near: near.clone(),
            far: Arc::new(Upstream::new(Tier::far("far", far))),
            memory: Arc::default(),
            metrics: Arc::new(super::super::metrics::Metrics::new()),
            observer: Observer::default(),
        });
        let known = names.map(|name| {
            assert_eq!(refill.fetch(&name), Brought::Kept);
            let Some(Object::File(file)) = near.object(name.as_str()).unwrap() else { panic!("{name}") };
            refill.line.memory.recall(&name, Look::at(&file).unwrap())
        });
        let beans = Some(Known { content: Digest::of("beans"), identity: None });
        assert_eq!(known, [beans, beans, None], "the last one may have been replaced");
    }
}
