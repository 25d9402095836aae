//! How long packing and unpacking a tree take: `artifact pack TREE DIR FILE` and `artifact unpack TREE DIR FILE`.
//!
//! One task copies TREE; its artifact is FILE. What lies between the making of a packed file and the last write to it is
//! the time that packing took; unpacking is what `fetch` does. Both verify what they write or read. Prints the seconds.
//! DIR, which has to be absolute, receives everything, the tree in `out`.

use std::path::PathBuf;
use std::time::Instant;

use cortado::{Artifact, CachePolicy, Cacher, Callbacks, Engine, Outcome, Project, Task};

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [verb, tree, dir, file] = args.as_slice() else {
        anyhow::bail!("usage: artifact pack|unpack TREE DIR FILE");
    };
    let dir = PathBuf::from(dir);
    let project = Project::new("peers")
        .install_dir(dir.join("out"))
        .work_dir(dir.join("work"))
        .license_file_path(dir.join("LICENSE"))
        .task(Task::new("tree").version("1").command(format!("cp -a {tree}/. @{{stage_install_dir}}")))
        .build()?;
    let report = Engine::new(&project)
        .callbacks(Clock { file: file.into() })
        .cache_policy(CachePolicy::RequireWrite)
        .run()?
        .check()?;
    let restored = report.count(|outcome| *outcome == Outcome::Restored) == 1;
    anyhow::ensure!(restored == (verb == "unpack"), "the artifact was not {verb}ed");
    Ok(())
}

/// A cache of one file that says how long the engine took with it.
struct Clock {
    file: PathBuf,
}

impl Callbacks for Clock {
    fn fetch(&self, cacher: &Cacher) -> anyhow::Result<bool> {
        let start = Instant::now();
        let hit = cacher.unpack(&self.file)?;
        if hit {
            println!("{:.4}", start.elapsed().as_secs_f64());
        }
        Ok(hit)
    }

    fn update(&self, artifact: &Artifact) -> anyhow::Result<bool> {
        let packed = artifact.path().metadata()?;
        println!("{:.4}", packed.modified()?.duration_since(packed.created()?)?.as_secs_f64());
        std::fs::copy(artifact.path(), &self.file)?;
        Ok(true)
    }
}
