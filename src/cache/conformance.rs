//! The conformance suite: what every store promises, as checks that anyone who writes one can run.
//!
//! ```
//! # fn main() -> anyhow::Result<()> {
//! # let dir = tempfile::tempdir()?;
//! let store = cortado::DirectoryStore::open(dir.path())?;
//! cortado::conformance::check(&store)?;
//! # Ok(())
//! # }
//! ```

use std::io::{self, Read};
use std::sync::Barrier;

use anyhow::{Context, bail, ensure};

use super::listed::Listed;
use super::put::Put;
use super::store::Store;
use super::stored::Stored;
use super::unsupported::Unsupported;

/// Something that a store cannot do, whoever writes it. It has to say so in the way that is described here, and the
/// checks hold it to that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Lack {
    /// It cannot list its objects: [`Store::list`] fails with [`Unsupported`].
    Listing,
    /// It takes no objects above so many bytes, of which there are at least 300,000: [`Store::put`] answers
    /// [`Stored::Declined`], and nothing is kept.
    Size(u64),
}

/// A rule: what it says, and what finds out.
type Rule = (&'static str, fn(&Subject<'_>) -> anyhow::Result<()>);

const RULES: [Rule; 10] = [
    ("what was never put is nowhere", absent),
    ("what is put is got back byte by byte", round_trip),
    ("the first object of a name stays", first_wins),
    ("an object is replaced when that is asked for", replace),
    ("a removed object is gone and can be put anew", remove),
    ("every object is listed once, with its size", list),
    ("a put that fails leaves everything as it was", failed_put),
    ("an open object is read whole, whatever happens to its name", open_object),
    ("what is too large is declined, not half kept", declined),
    ("of many writers at once one wins, and its object is whole", many_writers),
];

/// Beginning of the names of all objects that the checks make and remove again.
const PREFIX: &str = "conformance-";

/// Writers of one name at once.
const WRITERS: usize = 32;

/// Checks that a store keeps what the trait promises. It may hold other objects; none may be called `conformance-…`.
///
/// # Errors
/// The first rule that it breaks, and how. Objects of the check may be left behind then.
pub fn check(store: &dyn Store) -> anyhow::Result<()> {
    check_without(store, &[])
}

/// The same for a store that lacks something, and nothing else.
///
/// # Errors
/// The first rule that it breaks, and how. Also when it has what it is said to lack.
pub fn check_without(store: &dyn Store, lacks: &[Lack]) -> anyhow::Result<()> {
    let limit = lacks.iter().find_map(|lack| if let Lack::Size(limit) = lack { Some(*limit) } else { None });
    let subject = Subject { store, lists: !lacks.contains(&Lack::Listing), limit };
    for (rule, keeps) in RULES {
        keeps(&subject).with_context(|| format!("{} breaks the rule that {rule}", store.place()))?;
    }
    Ok(())
}

/// What is checked.
struct Subject<'a> {
    store: &'a dyn Store,
    lists: bool,
    limit: Option<u64>,
}

impl<'a> std::ops::Deref for Subject<'a> {
    type Target = dyn Store + 'a;

    fn deref(&self) -> &Self::Target {
        self.store
    }
}

fn absent(store: &Subject<'_>) -> anyhow::Result<()> {
    let name = name("absent");
    ensure!(store.get(&name)?.is_none() && store.object(&name)?.is_none(), "`get` or `object` found it");
    ensure!(!store.has(&name)?, "`has` says that it is there");
    ensure!(!store.remove(&name)?, "`remove` says that it was there");
    ensure!(!listed(store)?.iter().flatten().any(|(listed, _)| *listed == name), "`list` lists it");
    Ok(())
}

fn round_trip(store: &Subject<'_>) -> anyhow::Result<()> {
    for size in [0, 1, 4096, (1 << 20) + 3].into_iter().filter(|size| store.limit.is_none_or(|limit| *size <= limit)) {
        let size = usize::try_from(size)?;
        let (name, content) = (name(&format!("round-{size}")), content(size, size));
        ensure!(put(store, &name, &content, false)? == Stored::New, "`put` of {size} bytes did not say `New`");
        ensure!(store.has(&name)?, "`has` does not find {size} bytes");
        ensure!(get(store, &name)?.as_ref() == Some(&content), "{size} bytes came back changed");
        let opened = store.object(&name)?.map(|object| read(object.into_reader())).transpose()?;
        ensure!(opened.as_ref() == Some(&content), "`object` opens something else");
        store.remove(&name)?;
    }
    Ok(())
}

fn first_wins(store: &Subject<'_>) -> anyhow::Result<()> {
    let name = name("first");
    put(store, &name, b"first", false)?;
    ensure!(put(store, &name, b"second", false)? == Stored::Present, "the second `put` did not say `Present`");
    ensure!(get(store, &name)?.as_deref() == Some(b"first"), "the second content took its place");
    store.remove(&name).map(drop)
}

fn replace(store: &Subject<'_>) -> anyhow::Result<()> {
    let name = name("replace");
    ensure!(put(store, &name, b"first", true)? == Stored::New, "replacing nothing did not say `New`");
    ensure!(put(store, &name, b"second", true)? == Stored::New, "replacing did not say `New`");
    ensure!(get(store, &name)?.as_deref() == Some(b"second"), "the first content is still there");
    store.remove(&name).map(drop)
}

fn remove(store: &Subject<'_>) -> anyhow::Result<()> {
    let name = name("remove");
    put(store, &name, b"old", false)?;
    ensure!(store.remove(&name)?, "`remove` says that it was not there");
    ensure!(!store.remove(&name)?, "it was there a second time");
    ensure!(store.get(&name)?.is_none() && !store.has(&name)?, "it is still there");
    ensure!(put(store, &name, b"new", false)? == Stored::New, "its name is still taken");
    ensure!(get(store, &name)?.as_deref() == Some(b"new"), "the old content came back");
    store.remove(&name).map(drop)
}

fn list(store: &Subject<'_>) -> anyhow::Result<()> {
    let names: Vec<_> = (0..5).map(|number| name(&format!("list-{number}"))).collect();
    for (size, name) in names.iter().enumerate() {
        put(store, name, &content(size, size), false)?;
    }
    let wanted: Vec<_> = names.iter().cloned().zip(0..).collect();
    let found = listed(store)?;
    ensure!(found.as_ref().is_none_or(|found| *found == wanted), "it lists {found:?}, not {wanted:?}");
    let paged = if found.is_some() { paged(store)? } else { wanted.clone() };
    ensure!(paged == wanted, "its pages have {paged:?}, not {wanted:?}");
    names.iter().try_for_each(|name| store.remove(name).map(drop))
}

fn failed_put(store: &Subject<'_>) -> anyhow::Result<()> {
    let (fresh, taken) = (name("failed-fresh"), name("failed-taken"));
    put(store, &taken, b"whole", false)?;
    for (name, replace) in [(&fresh, false), (&fresh, true), (&taken, true)] {
        let mut half = (&b"half"[..]).chain(Broken);
        ensure!(store.put(name, &mut half, &Put::replacing(replace)).is_err(), "`put` kept half of an object");
    }
    ensure!(store.get(&fresh)?.is_none() && !store.has(&fresh)?, "half of an object is visible");
    ensure!(lists_only(store, &taken, 5)?, "`list` lists half of an object");
    ensure!(get(store, &taken)?.as_deref() == Some(b"whole"), "half of an object took the place of a whole one");
    store.remove(&taken).map(drop)
}

fn open_object(store: &Subject<'_>) -> anyhow::Result<()> {
    let name = name("open");
    let (old, new) = (content(1, 300_000), content(2, 200_000));
    put(store, &name, &old, false)?;
    let opened = store.get(&name)?.context("it is not there")?;
    put(store, &name, &new, true)?;
    let replaced = read(opened)?;
    ensure!(replaced == old || replaced == new, "an object replaced while it was open is a mixture");
    let opened = store.get(&name)?.context("it is not there")?;
    store.remove(&name)?;
    // A store may also fail to go on, but not end as if all had been read.
    ensure!(read(opened).map_or(true, |content| content == new), "an object removed while it was open is cut short");
    Ok(())
}

fn declined(store: &Subject<'_>) -> anyhow::Result<()> {
    let Some(limit) = store.limit else { return Ok(()) };
    let (name, content) = (name("declined"), content(3, usize::try_from(limit)? + 1));
    for size in [None, Some(limit + 1)] {
        let stored = store.put(&name, &mut content.as_slice(), &Put { size, ..Put::default() })?;
        ensure!(matches!(stored, Stored::Declined(_)), "`put` above the limit said `{stored:?}`");
        ensure!(store.get(&name)?.is_none() && !store.has(&name)?, "it is there all the same");
    }
    Ok(())
}

fn many_writers(store: &Subject<'_>) -> anyhow::Result<()> {
    let name = name("many");
    let start = Barrier::new(WRITERS);
    let write = |number: usize| {
        start.wait();
        put(store, &name, &content(number, 50_000), false)
    };
    let results: Vec<_> = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS).map(|number| scope.spawn(move || write(number))).collect();
        writers.into_iter().map(|writer| writer.join().unwrap_or_else(|_| bail!("`put` panicked"))).collect()
    });
    let results = results.into_iter().collect::<anyhow::Result<Vec<_>>>()?;
    let winners: Vec<_> = (0..WRITERS).filter(|number| results.get(*number) == Some(&Stored::New)).collect();
    let [winner] = winners.as_slice() else { bail!("{} writers were told that theirs is kept", winners.len()) };
    ensure!(get(store, &name)?.as_ref() == Some(&content(*winner, 50_000)), "what is kept is not the winner's");
    ensure!(lists_only(store, &name, 50_000)?, "something else is left");
    store.remove(&name).map(drop)
}

/// Named like an artifact.
/// As long as an artifact's, but no artifact's: a store may look into those.
fn name(what: &str) -> String {
    format!("{PREFIX}{what}-{}.object", "0123456789abcdef".repeat(4))
}

/// Bytes that tell from each other by seed and by place.
fn content(seed: usize, size: usize) -> Vec<u8> {
    (0..size).map(|at| (at ^ (at >> 8) ^ seed.wrapping_mul(151)) as u8).collect()
}

fn put(store: &Subject<'_>, name: &str, mut content: &[u8], replace: bool) -> anyhow::Result<Stored> {
    store.put(name, &mut content, &Put::replacing(replace))
}

fn get(store: &Subject<'_>, name: &str) -> anyhow::Result<Option<Vec<u8>>> {
    store.get(name)?.map(read).transpose()
}

fn read(mut object: Box<dyn Read + Send>) -> anyhow::Result<Vec<u8>> {
    let mut content = Vec::new();
    object.read_to_end(&mut content)?;
    Ok(content)
}

/// Whether that is the one object of the checks, as far as the store can tell.
fn lists_only(store: &Subject<'_>, name: &str, size: u64) -> anyhow::Result<bool> {
    Ok(listed(store)?.is_none_or(|listed| listed == [(name.to_owned(), size)]))
}

/// The checks' own objects, sorted, each with its size; `None` of a store that cannot tell, and says so.
fn listed(store: &Subject<'_>) -> anyhow::Result<Option<Vec<(String, u64)>>> {
    if !store.lists {
        let Err(error) = store.list() else { bail!("it lists objects, though it is said not to") };
        return if error.is::<Unsupported>() { Ok(None) } else { Err(error) };
    }
    Ok(Some(own(store.list()?.collect::<anyhow::Result<Vec<_>>>()?)))
}

/// The same, read page by page.
fn paged(store: &Subject<'_>) -> anyhow::Result<Vec<(String, u64)>> {
    let limit = 2.max(store.list()?.count() / 3);
    let mut all = Vec::new();
    loop {
        let after = all.last().map(|last: &Listed| last.name.clone());
        let page = store.page(after.as_deref(), limit)?;
        let is_last = page.len() < limit;
        all.extend(page);
        if is_last {
            return Ok(own(all));
        }
    }
}

/// Those objects of a list that the checks have made.
fn own(all: Vec<Listed>) -> Vec<(String, u64)> {
    let own = all.into_iter().filter(|listed| listed.name.starts_with(PREFIX));
    let mut listed: Vec<_> = own.map(|listed| (listed.name, listed.size)).collect();
    listed.sort();
    listed
}

/// A source that fails.
struct Broken;

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::Error::other("pulled the plug"))
    }
}
