//! The arguments of `cortado cache`.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use clap::{ArgGroup, Subcommand, ValueEnum};

use crate::{parse_length, parse_size};

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct CacheArgs {
    #[command(subcommand)]
    pub(in crate::cli) verb: CacheVerb,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum CacheVerb {
    /// Show how full the stores are, and what they were good for
    Stats(Stats),
    /// List artifacts
    List(List),
    /// Show an artifact: where it comes from, who signed it, what is in it
    Show(Tagged),
    /// Remove artifacts, by name or by what is known of them
    #[command(visible_alias = "remove")]
    Rm(Remove),
    /// Remove artifacts that were not used for long, or until the others fit
    Prune(Prune),
    /// Never evict an artifact
    Pin(Tagged),
    /// Let an artifact be evicted again
    Unpin(Tagged),
    /// Read every artifact again, and tell which are damaged
    Verify(StoreArg),
    /// Mend a store that a crash has left in disorder
    Repair(Repair),
    /// Make keys that sign artifacts
    #[command(subcommand)]
    Key(KeyVerb),
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum KeyVerb {
    /// Make a key, keep its secret half in a file, and print its public half
    New {
        /// The file; it must not exist yet
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

#[derive(Debug, Default, clap::Args)]
pub(in crate::cli) struct StoreArg {
    /// The store, by its name in the configuration; the nearest of the project unless given
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) store: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Tagged {
    /// The tag of the artifact, as `cache list` and `plan --json` show it
    #[arg(value_name = "TAG")]
    pub(in crate::cli) tag: String,
    #[command(flatten)]
    pub(in crate::cli) store: StoreArg,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Stats {
    /// Begin to count anew
    #[arg(long)]
    pub(in crate::cli) zero: bool,
    #[command(flatten)]
    pub(in crate::cli) store: StoreArg,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct List {
    /// Only artifacts of this task
    #[arg(long, value_name = "TASK")]
    pub(in crate::cli) task: Option<String>,
    /// Only artifacts of this project
    #[arg(long, value_name = "PROJECT")]
    pub(in crate::cli) project: Option<String>,
    /// What comes first
    #[arg(long, default_value = "use", value_name = "ORDER")]
    pub(in crate::cli) sort: Order,
    #[command(flatten)]
    pub(in crate::cli) store: StoreArg,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Order {
    /// What was used last
    Use,
    /// What is largest
    Size,
    /// Names, in order
    Name,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Remove {
    /// Tags of artifacts
    #[arg(value_name = "TAG")]
    pub(in crate::cli) tags: Vec<String>,
    /// All that this writer has put there
    #[arg(long, value_name = "WRITER")]
    pub(in crate::cli) written_by: Option<String>,
    /// All that comes from this machine
    #[arg(long, value_name = "HOST")]
    pub(in crate::cli) from_host: Option<String>,
    /// All that was put there at this time or later: `2026-11-20`, `2026-11-20T14:30:00Z`, or how long ago: `3h`
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(in crate::cli) since: Option<SystemTime>,
    /// All that was put there before this time
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(in crate::cli) until: Option<SystemTime>,
    /// Only show what would be removed
    #[arg(short = 'n', long)]
    pub(in crate::cli) dry_run: bool,
    #[command(flatten)]
    pub(in crate::cli) store: StoreArg,
}

#[derive(Debug, clap::Args)]
#[command(group(ArgGroup::new("what").args(["older_than", "to_size"]).required(true).multiple(true)))]
pub(in crate::cli) struct Prune {
    /// What was not used for so long: `30d`, `12h`
    #[arg(long, value_name = "AGE", value_parser = length)]
    pub(in crate::cli) older_than: Option<Duration>,
    /// What is needed least, until the rest takes no more than this: `10G`
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub(in crate::cli) to_size: Option<u64>,
    /// Only show what would be removed
    #[arg(short = 'n', long)]
    pub(in crate::cli) dry_run: bool,
    #[command(flatten)]
    pub(in crate::cli) store: StoreArg,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Repair {
    /// Only show what is wrong
    #[arg(short = 'n', long)]
    pub(in crate::cli) dry_run: bool,
    #[command(flatten)]
    pub(in crate::cli) store: StoreArg,
}

fn length(text: &str) -> Result<Duration, String> {
    parse_length(text).ok_or_else(|| "a length of time is a number with `s`, `m`, `h` or `d` behind it".into())
}

fn size(text: &str) -> Result<u64, String> {
    parse_size(text).map_err(|error| error.to_string())
}

fn time(text: &str) -> Result<SystemTime, String> {
    super::super::clock::parse_time(text, SystemTime::now())
}
