//! A company's own build tool in thirty lines: tasks made by a function, a plan on request, a run with a cache.
//!
//! `cargo run --example xtask -- plan DIR` shows what would be done, `… -- build DIR [TASK…]` does it.

use std::path::{Path, PathBuf};

use cortado::{DirectoryStore, Engine, Env, Project, Source, Task};

fn main() -> anyhow::Result<()> {
    let mut args = std::env::args().skip(1);
    let (Some(verb), Some(dir)) = (args.next(), args.next().map(PathBuf::from)) else {
        anyhow::bail!("usage: xtask plan|build DIR [TASK…]");
    };
    let project = project(&dir)?;
    let engine = Engine::new(&project).only(args).store(DirectoryStore::open(dir.join("artifacts"))?);
    match verb.as_str() {
        "plan" => {
            for (task, decision) in engine.preview()?.tasks() {
                println!("{}: {:?}, because {}", task.name(), decision.action, decision.reason);
            }
        }
        "build" => {
            let report = engine.run()?.check()?;
            for task in &report.tasks {
                println!("{}: {}", task.name, task.outcome);
            }
        }
        other => anyhow::bail!("`{other}` is neither plan nor build"),
    }
    Ok(())
}

/// Every service of this shop is built the same way; only names differ.
fn project(dir: &Path) -> cortado::Result<Project> {
    let services = ["till", "kitchen", "stock"];
    Project::new("services")
        .install_dir(dir.join("install"))
        .work_dir(dir.join("work"))
        .recipe_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples"))
        .task(Task::new("settings").version("1").command("echo open=7 > @{stage_install_dir}/settings"))
        .tasks(services.map(service))
        .task(services.iter().fold(Task::new("all").virtual_task(true), |all, name| all.depends_on(*name)))
        .build()
}

fn service(name: &str) -> Task {
    Task::new(name)
        .version("1.0")
        .source(Source::local("xtask.rs"))
        .depends_on("settings")
        .env(Env::new().set("SERVICE", name))
        .command("mkdir -p @{stage_install_dir}/share && wc -l < xtask.rs > @{stage_install_dir}/share/$SERVICE")
}
