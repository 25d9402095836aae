//! Two closures are a cache: artifacts kept as plain files of one directory.
//!
//! Run it twice: `cargo run --example filesystem_cache -- /tmp/demo`. The second run restores what the first one built.

use std::path::PathBuf;

use cortado::{Engine, Outcome, Project, Task, closures};

fn main() -> anyhow::Result<()> {
    let dir = std::env::args_os().nth(1).map_or_else(|| PathBuf::from("/tmp/cortado-demo"), PathBuf::from);
    let project = Project::new("coffeeshop")
        .install_dir(dir.join("install"))
        .work_dir(dir.join("work"))
        .task(
            Task::new("beans")
                .version("1.0")
                .command("mkdir -p @{stage_install_dir}/share")
                .command("echo arabica > @{stage_install_dir}/share/beans"),
        )
        .task(Task::new("espresso").version("2.1").depends_on("beans").command(
            "mkdir -p @{stage_install_dir}/bin
             printf '#!/bin/sh\\ncat @{install_dir}/share/beans\\n' > @{stage_install_dir}/bin/espresso
             chmod 755 @{stage_install_dir}/bin/espresso",
        ))
        .build()?;

    let (fetch_dir, update_dir) = (dir.join("cache"), dir.join("cache"));
    let report = Engine::new(&project)
        .callbacks(closures(
            move |cacher| cacher.unpack(fetch_dir.join(cacher.filename())),
            move |artifact| artifact.copy_to(&update_dir),
        ))
        .observe(|event| println!("{event}"))
        .run()?
        .check()?;

    let built = report.count(|outcome| *outcome == Outcome::Built);
    let restored = report.count(|outcome| *outcome == Outcome::Restored);
    println!("{built} built, {restored} restored");
    Ok(())
}
