//! Events: everything that shows, records or measures a run listens to the same stream.
//!
//! Two observers here: one prints what people want to see, the other counts lines of output per task.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use cortado::{Engine, Event, Project, Task};

fn main() -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let project = Project::new("talkative")
        .install_dir(dir.path().join("install"))
        .work_dir(dir.path().join("work"))
        .task(Task::new("poem").version("1").command("for n in 1 2 3; do echo \"verse $n\"; done"))
        .task(Task::new("refrain").version("1").depends_on("poem").emit("and so on"))
        .build()?;

    let lines = Arc::new(Mutex::new(BTreeMap::<String, usize>::new()));
    let counted = lines.clone();
    let report = Engine::new(&project)
        .observe(|event| match event {
            Event::StepStarted { task, step, steps, title } => println!("{task}: step {step} of {steps}: {title}"),
            Event::TaskFinished { task, outcome, .. } => println!("{task}: {outcome}"),
            _ => {}
        })
        .observe(move |event| {
            if let (Event::Output { task, .. }, Ok(mut lines)) = (event, counted.lock()) {
                *lines.entry(task.to_string()).or_default() += 1;
            }
        })
        .run()?
        .check()?;

    for (task, count) in lines.lock().map_err(|_| anyhow::anyhow!("an observer panicked"))?.iter() {
        println!("{task} said {count} lines");
    }
    println!("{} tasks", report.tasks.len());
    Ok(())
}
