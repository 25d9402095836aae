//! What the engine costs when it saves nothing: the toolbox built from nothing, by a shell script and by cortado.
//!
//!     CORTADO_TEST_SOURCES=DIR cargo bench --bench toolbox -- [ROUNDS] [JOBS]
//!
//! DIR holds the releases that `lua/toolbox/cortado.lua` names. Script and engine take turns and install at the same
//! place, and what they install has to be the same to the byte. Told are the medians of all rounds, and the medians of
//! the engine's share of what the script needed in the same round: on a machine that has other work to do, the latter
//! is the one to look at, and that of processor time before that of time.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a bench fails by panicking and prints what it found")]

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use cortado::lua::{Recipe, RecipeOptions};
use cortado::{Digest, DirectoryStore, Engine};

/// Where everything lies.
struct Place {
    sources: PathBuf,
    recipe_dir: PathBuf,
    script: PathBuf,
    /// Everything that is made lies below it.
    root: PathBuf,
    jobs: usize,
}

/// Who builds.
#[derive(Debug, Clone, Copy)]
enum Builder {
    Script,
    /// Without stages, trees and artifacts.
    Uncached,
    Cached,
}

/// What a build took, in seconds.
#[derive(Debug, Clone, Copy, Default)]
struct Cost {
    time: f64,
    /// With all programs that were run.
    processor: f64,
    /// Without them.
    own: f64,
}

const BUILDERS: [Builder; 3] = [Builder::Script, Builder::Uncached, Builder::Cached];

fn main() {
    let Some(sources) = std::env::var_os("CORTADO_TEST_SOURCES") else {
        println!("toolbox: left out, because CORTADO_TEST_SOURCES names no directory of releases");
        return;
    };
    // cargo adds `--bench`.
    let mut numbers = std::env::args().skip(1).filter(|arg| arg != "--bench").map(|arg| arg.parse().unwrap());
    let rounds: usize = numbers.next().unwrap_or(3);
    let jobs = numbers.next().unwrap_or_else(|| std::thread::available_parallelism().unwrap().get());
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = tempfile::tempdir().unwrap();
    let place = Place {
        sources: sources.into(),
        recipe_dir: here.join("lua/toolbox"),
        script: here.join("benches/toolbox/toolbox.sh"),
        root: root.path().join("toolbox"),
        jobs,
    };
    let costs: Vec<_> = (0..rounds).map(|round| place.round(round)).collect();
    tell(&costs);
}

impl Place {
    /// Every builder once. Each round begins with another, since who comes later finds another machine.
    fn round(&self, round: usize) -> [Cost; 3] {
        let (mut products, mut costs) = (Vec::new(), [Cost::default(); 3]);
        for turn in 0..BUILDERS.len() {
            let at = (round + turn) % BUILDERS.len();
            let (builder, cost) = (BUILDERS[at], self.measure(BUILDERS[at]));
            println!(
                "round {}: {builder:?} {:.1} s, {:.1} s of processor time, of which {:.1} s the engine's own",
                round + 1,
                cost.time,
                cost.processor,
                cost.own,
            );
            products.push(product(&self.root.join("install")));
            costs[at] = cost;
        }
        assert!(products.windows(2).all(|pair| pair[0] == pair[1]), "script and engine do not build the same");
        costs
    }

    /// Builds the toolbox from nothing.
    fn measure(&self, builder: Builder) -> Cost {
        let _ = fs::remove_dir_all(&self.root);
        fs::create_dir_all(&self.root).unwrap();
        let (start, [own, all]) = (Instant::now(), processor_seconds());
        match builder {
            Builder::Script => self.run_script(),
            Builder::Uncached => self.run_engine(false),
            Builder::Cached => self.run_engine(true),
        }
        let (time, [own_now, all_now]) = (start.elapsed().as_secs_f64(), processor_seconds());
        Cost { time, processor: all_now - all, own: own_now - own }
    }

    fn run_script(&self) {
        let log = File::create(self.root.join("log")).unwrap();
        let mut script = Command::new(&self.script);
        script.arg(&self.sources).arg(self.recipe_dir.join("patches")).arg(&self.root).arg(self.jobs.to_string());
        // What a step of the engine sees, too.
        script.env_clear().env("PATH", cortado::Env::DEFAULT_PATH).env("LC_ALL", "C").env("SOURCE_DATE_EPOCH", "0");
        script.stdout(log.try_clone().unwrap()).stderr(log);
        let ended = script.status().unwrap();
        assert!(ended.success(), "{}", fs::read_to_string(self.root.join("log")).unwrap());
    }

    fn run_engine(&self, cached: bool) {
        let recipe = Recipe::load(&self.recipe_dir.join("cortado.lua"), &RecipeOptions::default()).unwrap();
        let project = recipe.project().install_dir(self.root.join("install")).work_dir(self.root.join("work"));
        let project = project.cache(cached).build().unwrap();
        let engine = Engine::new(&project).jobs(self.jobs).sources(&self.sources).offline(true);
        let store = DirectoryStore::open(self.root.join("cache")).unwrap();
        let report = if cached { engine.store(store).run() } else { engine.run() };
        drop(report.unwrap().check().unwrap());
    }
}

/// The digests of all files, by path, without the licences that only the engine collects.
fn product(install_dir: &Path) -> BTreeMap<PathBuf, Digest> {
    let mut files = BTreeMap::new();
    let mut dirs = vec![install_dir.to_path_buf()];
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            match fs::symlink_metadata(&path).unwrap() {
                _ if path.ends_with("install/LICENSE") || path.ends_with("install/LICENSES") => {}
                about if about.is_dir() => dirs.push(path),
                about if about.is_symlink() => {
                    let target = fs::read_link(&path).unwrap().into_os_string();
                    files.insert(path, Digest::of(target.into_encoded_bytes()));
                }
                _ => drop(files.insert(path.clone(), Digest::of(fs::read(&path).unwrap()))),
            }
        }
    }
    assert!(files.len() > 300, "only {} files were installed", files.len());
    files
}

/// Processor time of this process, and with all its descendants that have ended, as Linux counts it, in hundredths.
fn processor_seconds() -> [f64; 2] {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let (_, fields) = stat.rsplit_once(')').unwrap();
    let ticks: Vec<f64> = fields.split_whitespace().skip(11).take(4).map(|field| field.parse().unwrap()).collect();
    [&ticks[..2], &ticks[..]].map(|ticks| ticks.iter().sum::<f64>() / 100.0)
}

fn tell(rounds: &[[Cost; 3]]) {
    for (at, builder) in BUILDERS.iter().enumerate() {
        let figure = |of: fn(&Cost) -> f64| median(rounds.iter().map(|costs| of(&costs[at])));
        let ratio = |of: fn(&Cost) -> f64| median(rounds.iter().map(|costs| of(&costs[at]) / of(&costs[0])));
        let (time, processor) = (|cost: &Cost| cost.time, |cost: &Cost| cost.processor);
        println!(
            "{builder:?}: {:.1} s ({:.3} of the script), {:.1} s of processor time ({:.3})",
            figure(time),
            ratio(time),
            figure(processor),
            ratio(processor),
        );
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
