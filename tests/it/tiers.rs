//! Tiers: several stores as one cache. A store in memory counts what it is asked, and misbehaves as a story wants.

mod breaker;
mod composition;
mod flights;
mod order;
mod required;
mod statistics;
mod upstream;
mod writing;

use std::collections::BTreeMap;
use std::io::{self, Cursor, Read};
use std::sync::mpsc::channel;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use cortado::{Counts, Listed, Objects, Project, Provenance, Put, Store, Stored, Tier, Tiers};

use crate::support::{Seen, Shop};

/// A store in memory.
#[derive(Default)]
pub(crate) struct Spy {
    objects: Mutex<BTreeMap<String, (Vec<u8>, Provenance)>>,
    asked: Mutex<Vec<String>>,
    manner: Mutex<Manner>,
}

/// How a spy behaves.
#[derive(Default, Clone)]
pub(crate) enum Manner {
    #[default]
    Good,
    /// Answers nothing until the gate opens.
    Hangs(Arc<Gate>),
    /// Like that, but only when it is to keep something.
    HangsWhenPut(Arc<Gate>),
    Fails(io::ErrorKind),
    FailsWhenPut(io::ErrorKind),
    Declines,
    /// Gives one byte after the other, with a pause before each.
    Drips,
    /// Cuts the connection in the middle of every object.
    Breaks,
    /// Gives half of each object as if it were all of it.
    Halves,
    Panics,
}

/// Something to wait at. It opens when the story is over, too.
#[derive(Default)]
pub(crate) struct Gate {
    open: Mutex<bool>,
    opened: Condvar,
}

impl Gate {
    pub(crate) fn pass(&self) {
        let open = self.open.lock().unwrap();
        drop(self.opened.wait_while(open, |open| !*open).unwrap());
    }

    pub(crate) fn open(&self) {
        *self.open.lock().unwrap() = true;
        self.opened.notify_all();
    }
}

/// A gate for a spy, opened when this is dropped: no thread is left behind.
pub(crate) struct Opening(Arc<Gate>);

impl Drop for Opening {
    fn drop(&mut self) {
        self.0.open();
    }
}

pub(crate) fn gate() -> (Arc<Gate>, Opening) {
    let gate = Arc::<Gate>::default();
    (gate.clone(), Opening(gate))
}

/// Waits a moment, as a slow network would.
fn moment() {
    _ = channel::<()>().1.recv_timeout(Duration::from_millis(5));
}

impl Spy {
    pub(crate) fn new() -> Arc<Self> {
        Arc::default()
    }

    pub(crate) fn behaves(&self, manner: Manner) {
        *self.manner.lock().unwrap() = manner;
    }

    /// How often it was asked for something: `get`, `put`, `has`, `remove`.
    pub(crate) fn asked(&self, what: &str) -> usize {
        self.asked.lock().unwrap().iter().filter(|asked| asked == &what).count()
    }

    /// Forgets what it was asked.
    pub(crate) fn forget(&self) {
        self.asked.lock().unwrap().clear();
    }

    /// Everything it was asked since then.
    fn all_asked(&self) -> usize {
        self.asked.lock().unwrap().len()
    }

    pub(crate) fn contents(&self) -> Vec<Vec<u8>> {
        self.objects.lock().unwrap().values().map(|(content, _)| content.clone()).collect()
    }

    fn clear(&self) {
        self.objects.lock().unwrap().clear();
    }

    /// Damages everything it has.
    fn spoil(&self) {
        for (content, _) in self.objects.lock().unwrap().values_mut() {
            let middle = content.len() / 2;
            content[middle] ^= 1;
        }
    }

    fn meet(&self, what: &str) -> anyhow::Result<Manner> {
        let manner = self.manner.lock().unwrap().clone();
        self.asked.lock().unwrap().push(what.to_owned());
        let puts = what == "put";
        match &manner {
            Manner::Hangs(gate) => gate.pass(),
            Manner::HangsWhenPut(gate) if puts => gate.pass(),
            Manner::Fails(kind) => return Err(io::Error::from(*kind).into()),
            Manner::FailsWhenPut(kind) if puts => return Err(io::Error::from(*kind).into()),
            Manner::Panics => panic!("the spy fell over"),
            _ => {}
        }
        Ok(manner)
    }
}

struct Drip(Cursor<Vec<u8>>);

impl Read for Drip {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        moment();
        self.0.read(&mut buffer[..1])
    }
}

struct Broken;

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::Error::new(io::ErrorKind::ConnectionReset, "connection reset by peer"))
    }
}

impl Store for Spy {
    fn place(&self) -> String {
        "spy".into()
    }

    fn get(&self, name: &str) -> anyhow::Result<Option<Box<dyn Read + Send>>> {
        let manner = self.meet("get")?;
        let Some((content, _)) = self.objects.lock().unwrap().get(name).cloned() else { return Ok(None) };
        let half = content.len() as u64 / 2;
        let content = Cursor::new(content);
        Ok(Some(match manner {
            Manner::Drips => Box::new(Drip(content)),
            Manner::Breaks => Box::new(content.take(half).chain(Broken)),
            Manner::Halves => Box::new(content.take(half)),
            _ => Box::new(content),
        }))
    }

    fn put(&self, name: &str, content: &mut dyn Read, options: &Put) -> anyhow::Result<Stored> {
        if let Manner::Declines = self.meet("put")? {
            return Ok(Stored::Declined("too large for a spy".into()));
        }
        let mut bytes = Vec::new();
        content.read_to_end(&mut bytes)?;
        let mut objects = self.objects.lock().unwrap();
        if objects.contains_key(name) && !options.replace {
            return Ok(Stored::Present);
        }
        objects.insert(name.to_owned(), (bytes, options.provenance.clone()));
        Ok(Stored::New)
    }

    fn has(&self, name: &str) -> anyhow::Result<bool> {
        self.meet("has")?;
        Ok(self.objects.lock().unwrap().contains_key(name))
    }

    fn describe(&self, name: &str) -> anyhow::Result<Option<Listed>> {
        let objects = self.objects.lock().unwrap();
        Ok(objects.get(name).map(|(content, provenance)| {
            let mut listed = Listed::new(name, content.len() as u64, None);
            listed.provenance = provenance.clone();
            listed
        }))
    }

    fn remove(&self, name: &str) -> anyhow::Result<bool> {
        self.meet("remove")?;
        Ok(self.objects.lock().unwrap().remove(name).is_some())
    }

    fn list(&self) -> anyhow::Result<Objects<'_>> {
        let objects = self.objects.lock().unwrap();
        let list = objects.iter().map(|(name, (content, _))| Ok(Listed::new(name, content.len() as u64, None)));
        Ok(Box::new(list.collect::<Vec<_>>().into_iter()))
    }
}

/// A tier far away.
fn far(name: &str, spy: &Arc<Spy>) -> Tier {
    Tier::far(name, spy.clone())
}

/// One that is going to be silent, which is found out quickly.
fn hasty(name: &str, spy: &Arc<Spy>) -> Tier {
    far(name, spy).timeout(Some(Duration::from_secs(1)))
}

fn near(name: &str, spy: &Arc<Spy>) -> Tier {
    Tier::near(name, spy.clone())
}

fn run(shop: &Shop, project: &Project, tiers: impl IntoIterator<Item = Tier>) -> Seen {
    let tiers = Tiers::new(tiers).unwrap();
    shop.run_with(project, |engine| engine.callbacks(tiers))
}

/// The same on a machine that has nothing yet.
fn run_afresh(shop: &Shop, project: &Project, tiers: impl IntoIterator<Item = Tier>) -> Seen {
    shop.clean();
    run(shop, project, tiers)
}

/// The numbers of a tier.
fn counts<'s>(seen: &'s Seen, tier: &str) -> &'s Counts {
    &seen.report.cache.tiers.iter().find(|report| report.name == tier).unwrap().counts
}

/// Which tiers were left alone, and why.
fn left(seen: &Seen) -> Vec<(&str, &str)> {
    let left = seen.events.iter().filter_map(|event| match event {
        cortado::Event::TierLeft { tier, reason } => Some((&**tier, reason.as_str())),
        _ => None,
    });
    left.collect()
}

/// Checks that all numbers of a run add up: by tier, and over tiers and tasks.
fn adds_up(seen: &Seen) {
    let mut all = Counts::default();
    for tier in &seen.report.cache.tiers {
        let counts = &tier.counts;
        assert_eq!(counts.requests, counts.hits + counts.misses.total(), "{tier:?}");
        let ends = counts.writes + counts.present + counts.declined + counts.write_errors + counts.unwritten;
        assert_eq!(counts.offers, ends, "{tier:?}");
        all.add(counts);
    }
    let looks: usize = seen.report.tasks.iter().map(|task| task.looks.len()).sum();
    let offers: usize = seen.report.tasks.iter().map(|task| task.offers.len()).sum();
    assert_eq!((all.requests, all.offers), (looks as u64, offers as u64));
}
