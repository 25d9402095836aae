//! A workload for cortado embedded in Rust: `embedded GRAPH DIR [uncached]`.
//!
//! GRAPH is a file with a line for each task: its number, its text, and the numbers of the tasks it depends on. Task 7
//! writes its text to the file `t7`. Everything is kept below DIR, which has to be absolute.

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
    Ok(())
}

fn task(line: &str) -> Option<Task> {
    let mut words = line.split(' ');
    let (number, text) = (words.next()?, words.next()?);
    let task =
        Task::new(format!("t{number}")).version("1").command(format!("echo {text} > @{{stage_install_dir}}/t{number}"));
    Some(words.fold(task, |task, upstream| task.depends_on(format!("t{upstream}"))))
}
