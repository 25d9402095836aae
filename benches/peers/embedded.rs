//! A workload for cortado embedded in Rust: `embedded GRAPH DIR [uncached]`.
//!
//! GRAPH is a file with a line for each task: its name, its text, and the names of the tasks it depends on. A task writes
//! its text to the file of its name. Everything is kept below DIR, which has to be absolute.

use std::path::PathBuf;

use anyhow::Context;
use cortado::{DirectoryStore, Engine, Project, Task};

fn main() -> anyhow::Result<()> {
    let mut args = std::env::args().skip(1);
    let (Some(graph), Some(dir)) = (args.next(), args.next().map(PathBuf::from)) else {
        anyhow::bail!("usage: embedded GRAPH DIR [uncached]");
    };
    let cached = args.next().is_none();
    let graph = std::fs::read_to_string(&graph).with_context(|| format!("could not read `{graph}`"))?;
    let mut tasks = Vec::with_capacity(graph.lines().count());
    tasks.extend(graph.lines().filter_map(task));
    let project = Project::new("peers")
        .install_dir(dir.join("out"))
        .work_dir(dir.join("work"))
        .cache(cached)
        .tasks(tasks)
        .build()?;
    let mut engine = Engine::new(&project);
    if cached {
        engine = engine.store(DirectoryStore::open(dir.join("cache"))?);
    }
    let _report = engine.run()?.check()?;
    // A program that ends anyway need not take ten thousand tasks apart first.
    std::process::exit(0)
}

fn task(line: &str) -> Option<Task> {
    let mut words = line.split(' ');
    let (name, text) = (words.next()?, words.next()?);
    let task = Task::new(name).version("1").command(format!("echo {text} > @{{stage_install_dir}}/{name}"));
    Some(words.fold(task, Task::depends_on))
}
