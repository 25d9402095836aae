//! A store of one's own: seven lines of bookkeeping around a map, and the engine can use it as a cache.
//!
//! Any place that keeps named objects will do: a database, a bucket, a server with an odd protocol.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use std::sync::{Arc, Mutex};

use anyhow::anyhow;
use cortado::{CacheMode, Engine, Listed, Objects, Project, Put, Store, Stored, Task};

/// Keeps objects in memory.
#[derive(Default)]
struct Memory {
    objects: Mutex<BTreeMap<String, Vec<u8>>>,
}

impl Memory {
    fn with<T>(&self, use_objects: impl FnOnce(&mut BTreeMap<String, Vec<u8>>) -> T) -> anyhow::Result<T> {
        let mut objects = self.objects.lock().map_err(|_| anyhow!("another thread panicked while using the store"))?;
        Ok(use_objects(&mut objects))
    }
}

impl Store for Memory {
    fn place(&self) -> String {
        "memory".into()
    }

    fn get(&self, name: &str) -> anyhow::Result<Option<Box<dyn Read + Send>>> {
        let object = self.with(|objects| objects.get(name).cloned())?;
        Ok(object.map(|bytes| Box::new(Cursor::new(bytes)) as Box<dyn Read + Send>))
    }

    fn put(&self, name: &str, content: &mut dyn Read, options: &Put) -> anyhow::Result<Stored> {
        // Read to the end first: an object appears whole or not at all.
        let mut bytes = Vec::new();
        content.read_to_end(&mut bytes)?;
        self.with(|objects| {
            if objects.contains_key(name) && !options.replace {
                return Stored::Present;
            }
            objects.insert(name.to_owned(), bytes);
            Stored::New
        })
    }

    fn has(&self, name: &str) -> anyhow::Result<bool> {
        self.with(|objects| objects.contains_key(name))
    }

    fn remove(&self, name: &str) -> anyhow::Result<bool> {
        self.with(|objects| objects.remove(name).is_some())
    }

    fn list(&self) -> anyhow::Result<Objects<'_>> {
        let describe = |(name, bytes): (&String, &Vec<u8>)| Ok(Listed::new(name, bytes.len() as u64, None));
        let listed: Vec<_> = self.with(|objects| objects.iter().map(describe).collect())?;
        Ok(Box::new(listed.into_iter()))
    }
}

fn main() -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let store = Arc::new(Memory::default());
    for machine in ["first", "second"] {
        // One install directory, as on two machines of one kind: it counts into the keys. The rest is each one's own.
        let project = Project::new("shared")
            .install_dir(dir.path().join("install"))
            .work_dir(dir.path().join(machine))
            .task(Task::new("beans").version("1").command("echo arabica > @{stage_install_dir}/beans"))
            .build()?;
        let report =
            Engine::new(&project).shared_callbacks(store.clone()).cache_mode(CacheMode::ReadWrite).run()?.check()?;
        println!("{machine} machine: {}", report.tasks[0].outcome);
        std::fs::remove_dir_all(dir.path().join("install"))?;
    }
    for object in store.list()? {
        let object = object?;
        println!("{}: {} bytes", object.name, object.size);
    }
    Ok(())
}
