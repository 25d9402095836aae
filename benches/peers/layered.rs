//! The layered workload for cortado embedded in Rust: `layered DIR TASKS [uncached]`.
//!
//! Task i of layer l depends on three tasks of layer l - 1 and writes one small file, like the generators of the other
//! peers. Prints one line: what was done, and the seconds spent in the library.

use std::path::PathBuf;
use std::time::Instant;

use cortado::{DirectoryStore, Engine, Project, Task};

const WIDTH: usize = 50;

fn main() -> anyhow::Result<()> {
    let mut args = std::env::args().skip(1);
    let (Some(dir), Some(tasks)) = (args.next().map(PathBuf::from), args.next()) else {
        anyhow::bail!("usage: layered DIR TASKS [uncached]");
    };
    let cached = args.next().is_none();
    let start = Instant::now();
    let project = Project::new("layered")
        .install_dir(dir.join("out"))
        .work_dir(dir.join("work"))
        .cache(cached)
        .tasks((0..tasks.parse()?).map(task))
        .build()?;
    let mut engine = Engine::new(&project).jobs(2);
    if cached {
        engine = engine.store(DirectoryStore::open(dir.join("cache"))?);
    }
    let report = engine.run()?.check()?;
    println!("{:?} {:.4}", report.tasks.last().map(|task| task.outcome.clone()), start.elapsed().as_secs_f64());
    Ok(())
}

fn task(number: usize) -> Task {
    let (layer, place) = (number / WIDTH, number % WIDTH);
    let task = Task::new(format!("t{number}"))
        .version("1")
        .command(format!("mkdir -p @{{stage_install_dir}}; echo {number} > @{{stage_install_dir}}/t{number}"));
    if layer == 0 {
        return task;
    }
    let upstream = |step: usize| (layer - 1) * WIDTH + (place + step) % WIDTH;
    [0, 1, 7].into_iter().fold(task, |task, step| task.depends_on(format!("t{}", upstream(step))))
}
