//! Stories of room: who gets it, who loses it, and that there is never more of it than there is.

use std::fs;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

use super::super::writer::LEASE;
use super::super::{DirectoryOptions, DirectoryStore, FileSync, Prune};
use crate::cache::provenance::Provenance;
use crate::cache::put::Put;
use crate::cache::store::Store;
use crate::cache::stored::Stored;

pub(super) const KIB: u64 = 1024;

/// A store of that size.
pub(super) fn store(dir: &Path, size: u64) -> DirectoryStore {
    DirectoryStore::open_with(dir, &DirectoryOptions::new().initial_size(size).lock_wait(Duration::from_millis(20)))
        .unwrap()
}

/// Puts `kib` KiB, less what is kept about them, under a name.
pub(super) fn put(store: &DirectoryStore, name: &str, kib: u64) -> Stored {
    let content = vec![name.len() as u8; (kib * KIB - 1024) as usize];
    store.put(name, &mut &content[..], &Put { size: Some(content.len() as u64), ..Put::default() }).unwrap()
}

/// Puts 10 KiB under each of some names, one after the other.
fn fill(store: &DirectoryStore, names: &[&str]) {
    names.iter().for_each(|name| assert_eq!(put(store, name, 10), Stored::New));
}

pub(super) fn names(store: &DirectoryStore) -> Vec<String> {
    let mut names: Vec<_> = store.list().unwrap().map(|listed| listed.unwrap().name).collect();
    names.sort();
    names
}

fn read(store: &DirectoryStore, name: &str) -> Option<Vec<u8>> {
    let mut content = Vec::new();
    store.get(name).unwrap()?.read_to_end(&mut content).unwrap();
    Some(content)
}

/// What all files of a store take.
pub(super) fn taken(dir: &Path) -> u64 {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap());
    entries
        .map(
            |entry| {
                if entry.file_type().unwrap().is_dir() { taken(&entry.path()) } else { entry.metadata().unwrap().len() }
            },
        )
        .sum()
}

#[test]
fn what_was_used_least_recently_goes_and_no_more_than_needed() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path(), 100 * KIB);
    for number in 0..10 {
        assert_eq!(put(&store, &format!("object-{number}"), 10), Stored::New);
    }
    assert!(read(&store, "object-0").is_some());
    put(&store, "new", 10);
    let kept: Vec<_> = names(&store);
    assert_eq!((kept.len(), kept.contains(&"object-0".into()), kept.contains(&"object-1".into())), (10, true, false));
    assert!(taken(dir.path()) <= 100 * KIB);
}

#[test]
fn a_use_is_remembered_by_the_next_process() {
    let dir = tempfile::tempdir().unwrap();
    {
        let store = store(dir.path(), 30 * KIB);
        put(&store, "a", 10);
        put(&store, "b", 10);
        read(&store, "a").unwrap();
    }
    // A restore of the directory makes all files equally new.
    for name in ["a", "b"] {
        let path = store(dir.path(), 0).depot.layout.object(name).unwrap();
        fs::File::options().write(true).open(path).unwrap().set_modified(std::time::SystemTime::now()).unwrap();
    }
    let store = store(dir.path(), 0);
    put(&store, "c", 20);
    assert_eq!(names(&store), ["a", "c"]);
    assert!(store.info("a").unwrap().unwrap().used > store.info("a").unwrap().unwrap().stored);
}

#[test]
fn what_was_dear_to_build_outlives_what_was_cheap() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path(), 30 * KIB);
    let with =
        |seconds| Put { provenance: Provenance::new().build_time(Duration::from_secs(seconds)), ..Put::default() };
    store.put("dear", &mut &[0; 9 * 1024][..], &with(3600)).unwrap();
    store.put("cheap", &mut &[0; 9 * 1024][..], &with(0)).unwrap();
    // A thousand times as dear: it may be older by any share of that, however long a busy machine took in between.
    let used = |name: &str| store.info(name).unwrap().unwrap().used.unwrap();
    let between = used("cheap").duration_since(used("dear")).unwrap();
    while used("cheap").elapsed().unwrap_or_default() < between {
        std::thread::yield_now();
    }
    put(&store, "new", 20);
    assert_eq!(names(&store), ["dear", "new"], "though it is the older one");
}

#[test]
fn pinned_objects_stay_and_nothing_is_evicted_in_vain() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path(), 30 * KIB);
    put(&store, "a", 10);
    put(&store, "b", 10);
    assert!(store.pin("a").unwrap() && !store.pin("absent").unwrap());
    assert!(store.info("a").unwrap().unwrap().pinned);
    let Stored::Declined(why) = put(&store, "huge", 31) else { panic!("it does not fit") };
    assert_eq!((why.as_str(), names(&store).len()), ("31.0 KiB do not fit into 30.0 KiB", 2));
    let Stored::Declined(why) = put(&store, "large", 25) else { panic!("a pinned object would have to go") };
    assert!(why.starts_with("25.0 KiB do not fit into 30.0 KiB: 10.0 KiB are pinned or in use"), "{why}");
    assert!(store.unpin("a").unwrap() && !store.unpin("a").unwrap());
    assert_eq!(put(&store, "large", 25), Stored::New);
    assert_eq!(names(&store), ["large"]);
}

#[test]
fn overwriting_the_oldest_of_a_full_store_gives_the_new_content() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path(), 30 * KIB);
    fill(&store, &["a", "b", "c"]);
    let new = vec![7; 9 * 1024];
    assert_eq!(store.put("a", &mut &new[..], &Put::replacing(true)).unwrap(), Stored::New);
    assert_eq!(read(&store, "a").unwrap(), new);
    assert!(taken(&dir.path().join("objects")) <= 30 * KIB);
}

#[test]
fn what_is_removed_by_hand_is_a_miss_and_its_room_comes_back() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path(), 30 * KIB);
    fill(&store, &["a", "b", "c"]);
    fs::remove_file(store.depot.layout.object("b").unwrap()).unwrap();
    assert!(read(&store, "b").is_none() && !store.remove("b").unwrap());
    assert_eq!(put(&store, "d", 10), Stored::New);
    assert_eq!(names(&store), ["a", "c", "d"], "nothing had to go");
}

#[test]
fn how_full_it_is_is_told_without_what_is_only_reserved() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path(), 1000 * KIB);
    let taken = |store: &dyn Store| store.capacity().unwrap().unwrap().taken;
    assert_eq!((store.capacity().unwrap().unwrap().size, taken(&store)), (1000 * KIB, 0));
    fill(&store, &["a", "b"]);
    assert_eq!(taken(&store), 20 * KIB);
    assert!(store.remove("a").unwrap());
    assert_eq!((taken(&store), taken(&crate::ReadOnly::new(store.clone()))), (10 * KIB, 10 * KIB));
    drop(store);
    assert_eq!(taken(&self::store(dir.path(), 0)), 10 * KIB);
}

#[test]
fn a_stream_of_unknown_size_is_stopped_when_there_is_no_more_room() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path(), 100 * KIB);
    put(&store, "small", 10);
    let endless = store.put("endless", &mut std::io::repeat(1), &Put::default()).unwrap();
    assert!(matches!(endless, Stored::Declined(_)), "{endless:?}");
    assert!(taken(dir.path()) <= 100 * KIB);
    assert_eq!(put(&store, "other", 90), Stored::New, "its room is free again");
    assert_eq!(names(&store), ["other", "small"]);
}

#[test]
fn a_size_that_was_promised_wrongly_does_no_harm() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path(), 100 * KIB);
    for (name, promised) in [("less", 1), ("more", 60_000)] {
        store.put(name, &mut &[1; 30_000][..], &Put { size: Some(promised), ..Put::default() }).unwrap();
        assert_eq!(read(&store, name).unwrap().len(), 30_000);
    }
    assert_eq!(put(&store, "rest", 39), Stored::New);
    assert_eq!(names(&store).len(), 3, "what was reserved in vain came back");
}

#[test]
fn two_stores_of_one_directory_keep_one_size_and_see_each_other() {
    let dir = tempfile::tempdir().unwrap();
    // Neither goes without storing because the other has the lock for long, as on a busy machine.
    let patient = DirectoryOptions::new().initial_size(500 * KIB);
    let stores = [1, 2].map(|_| DirectoryStore::open_with(dir.path(), &patient).unwrap());
    std::thread::scope(|scope| {
        for (number, store) in stores.iter().enumerate() {
            let write = move || (0..100).for_each(|object| drop(put(store, &format!("{number}-{object}"), 10)));
            scope.spawn(write);
        }
    });
    assert!(taken(&dir.path().join("objects")) <= 500 * KIB);
    let seen = names(&stores[0]);
    assert_eq!(seen, names(&stores[1]));
    assert!(seen.len() >= 40, "{}", seen.len());
}

#[test]
fn a_writer_that_was_taken_for_dead_begins_anew() {
    let dir = tempfile::tempdir().unwrap();
    let (idle, busy) = (store(dir.path(), 100 * KIB), store(dir.path(), 0));
    put(&idle, "a", 10);
    let log = dir.path().join("writers").join(idle.depot.writer().unwrap().id()).join("log");
    let long_ago = std::time::SystemTime::now() - 2 * LEASE;
    fs::File::options().write(true).open(log).unwrap().set_modified(long_ago).unwrap();
    put(&busy, "b", 10);
    assert_eq!(fs::read_dir(dir.path().join("writers")).unwrap().count(), 1, "the silent one was taken for dead");
    read(&idle, "a").unwrap();
    assert_eq!(put(&idle, "c", 10), Stored::New);
    assert_eq!(names(&busy), ["a", "b", "c"]);
    assert_eq!(busy.usage().unwrap().used, 30 * KIB);
}

#[test]
fn a_clock_that_was_set_back_keeps_the_order_of_use() {
    let dir = tempfile::tempdir().unwrap();
    let future = 4_000_000_000_000_000_u64; // microseconds: in the year 2096
    {
        let store = store(dir.path(), 30 * KIB);
        fill(&store, &["a", "b"]);
    }
    let ledger = dir.path().join("ledger");
    let mut text: serde_json::Value = serde_json::from_slice(&fs::read(&ledger).unwrap()).unwrap();
    text["clock"] = future.into();
    fs::write(&ledger, text.to_string()).unwrap();
    let store = store(dir.path(), 0);
    read(&store, "a").unwrap();
    put(&store, "c", 20);
    assert_eq!(names(&store), ["a", "c"], "the clock of the store goes on where it was");
}

#[test]
fn without_a_ledger_everything_is_counted() {
    let dir = tempfile::tempdir().unwrap();
    for damage in ["", "{\"objects\":", "{}"] {
        let store = store(dir.path(), 30 * KIB);
        fill(&store, &["a", "b", "c"]);
        fs::write(dir.path().join("ledger"), damage).unwrap();
        put(&store, "d", 20);
        assert!(taken(&dir.path().join("objects")) <= 30 * KIB);
    }
}

#[test]
fn pruning_takes_what_is_old_and_then_what_is_needed_least() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path(), 100 * KIB);
    fill(&store, &["a", "b", "c", "d"]);
    store.pin("a").unwrap();
    let prune = Prune::new().to_size(20 * KIB);
    let dry = store.prune(&prune.dry_run(true)).unwrap();
    assert_eq!(
        (dry.objects.iter().map(|object| &*object.name).collect::<Vec<_>>(), names(&store).len()),
        (vec!["b", "c"], 4)
    );
    assert_eq!(store.prune(&prune).unwrap(), dry);
    assert_eq!(names(&store), ["a", "d"]);
    assert_eq!(store.prune(&Prune::new().older_than(Duration::from_secs(60))).unwrap().objects.len(), 0);
    let all = Prune::new().older_than(Duration::ZERO);
    assert_eq!(store.prune(&all.dry_run(true)).unwrap().bytes, 9 * KIB);
    store.prune(&all).unwrap();
    assert_eq!(names(&store), ["a"], "it is pinned");
    assert_eq!(store.prune(&Prune::new()).unwrap().objects.len(), 0);
}

#[test]
fn every_way_to_synchronise_stores_the_same() {
    for sync in [FileSync::None, FileSync::Dir, FileSync::Sync] {
        let dir = tempfile::tempdir().unwrap();
        let store = DirectoryStore::open_with(dir.path(), &DirectoryOptions::new().file_sync(sync)).unwrap();
        put(&store, "a", 10);
        assert_eq!(read(&store, "a").unwrap().len(), 9 * 1024);
    }
}

#[test]
fn a_file_is_linked_where_it_can_be_and_stays() {
    use std::os::unix::fs::MetadataExt;
    let dir = tempfile::tempdir().unwrap();
    let store = store(&dir.path().join("store"), 100 * KIB);
    let file = dir.path().join("file");
    fs::write(&file, "content").unwrap();
    assert_eq!(store.put_file("a", &file, &Put::default()).unwrap(), Stored::New);
    assert_eq!(fs::metadata(&file).unwrap().nlink(), 2, "no copy was made");
    fs::remove_file(&file).unwrap();
    assert_eq!(read(&store, "a").unwrap(), b"content");
    assert_eq!(store.put_file("b", Path::new("/proc/version"), &Put::default()).unwrap(), Stored::New);
    assert!(store.put_file("c", &dir.path().join("absent"), &Put::default()).is_err());
    assert_eq!(names(&store), ["a", "b"]);
}

#[test]
fn what_another_process_has_just_asked_for_stays() {
    let dir = tempfile::tempdir().unwrap();
    let (ours, other) = (store(dir.path(), 30 * KIB), store(dir.path(), 0));
    fill(&ours, &["a", "b"]);
    read(&other, "a").unwrap();
    read(&ours, "b").unwrap();
    put(&ours, "c", 20);
    assert_eq!(names(&ours), ["a", "c"], "though `b` was used later, by ourselves");
    let Stored::Declined(why) = put(&ours, "d", 25) else { panic!("`a` would have to go") };
    assert!(why.contains("are pinned or in use"), "{why}");
    drop(other);
    assert_eq!(put(&ours, "d", 25), Stored::New, "nobody uses it any more");
}

/// Content that stores another object when the first of it is read.
struct Nested<'a> {
    store: &'a DirectoryStore,
    depth: usize,
    left: usize,
    stored: &'a std::sync::Mutex<Vec<Stored>>,
}

impl Read for Nested<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.left == 400 * 1024 && self.depth > 1 {
            nested(self.store, self.depth - 1, self.stored);
        }
        let read = buffer.len().min(self.left);
        self.left -= read;
        Ok(read)
    }
}

/// Stores 400 KiB, while as many others do.
fn nested(store: &DirectoryStore, depth: usize, stored: &std::sync::Mutex<Vec<Stored>>) {
    let mut content = Nested { store, depth, left: 400 * 1024, stored };
    let options = Put { size: Some(400 * 1024), ..Put::default() };
    let result = store.put(&format!("nested-{depth}"), &mut content, &options).unwrap();
    stored.lock().unwrap().push(result);
}

#[test]
fn of_three_uploads_at_once_that_fit_in_pairs_one_is_declined_and_fits_later() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path(), 1000 * KIB);
    let stored = std::sync::Mutex::default();
    nested(&store, 3, &stored);
    let stored = stored.into_inner().unwrap();
    assert!(matches!(stored[..], [Stored::Declined(_), Stored::New, Stored::New]), "{stored:?}");
    assert_eq!(put(&store, "later", 500), Stored::New);
    assert!(taken(&dir.path().join("objects")) <= 1000 * KIB);
}

#[test]
fn a_process_that_only_reads_does_not_fill_the_disk_with_what_it_read() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path(), 100 * KIB);
    put(&store, "a", 1);
    (0..60_000).for_each(|_| drop(store.get("a").unwrap().unwrap()));
    let books = taken(dir.path()) - taken(&dir.path().join("objects"));
    assert!(books < 6 << 20, "{books}");
    assert!(store.info("a").unwrap().unwrap().used > store.info("a").unwrap().unwrap().stored);
}

#[test]
fn a_store_knows_at_a_glance_how_full_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let (one, two) = (store(dir.path(), 100 * KIB), store(dir.path(), 100 * KIB));
    let glance = |store: &DirectoryStore| {
        let capacity = store.capacity().unwrap().unwrap();
        assert!(capacity.taken <= capacity.size && capacity.size == 100 * KIB);
        (capacity.objects.unwrap(), capacity.evicted, capacity.evicted_bytes)
    };
    fill(&one, &["a", "b", "c"]);
    one.put("a", &mut &b"x"[..], &Put::replacing(true)).unwrap();
    one.remove("b").unwrap();
    assert_eq!(glance(&one), (2, 0, 0));
    drop(one);
    assert_eq!(glance(&two), (2, 0, 0), "what was told stays told");
    let one = store(dir.path(), 100 * KIB);
    (0..20).for_each(|n| fill(&one, &[&format!("n{n}")]));
    let (objects, evicted, bytes) = glance(&one);
    assert_eq!((objects, evicted), (names(&one).len() as u64, 22 - objects));
    assert!(bytes >= (evicted - 1) * 9 * KIB, "{bytes}");
}

#[test]
fn pages_of_a_store_are_its_list() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path(), 10_000 * KIB);
    (0..700).for_each(|n| assert_eq!(put(&store, &format!("n{n}"), 1), Stored::New));
    let mut all = Vec::new();
    while let Some(page) = Some(store.page(all.last().map(String::as_str), 13).unwrap()).filter(|page| !page.is_empty())
    {
        all.extend(page.into_iter().map(|listed| listed.name));
    }
    let listed: Vec<_> = store.list().unwrap().map(|listed| listed.unwrap().name).collect();
    let shard = |name: &String| super::super::layout::shard_of(name);
    assert!(all.is_sorted_by_key(|name| (shard(name), name.clone())) && listed.is_sorted_by_key(shard));
    all.sort();
    assert_eq!(all, names(&store));
}
