//! The options of `cortado build`.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::FalseyValueParser;

use super::cache::Cache;
use crate::Wait;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Build {
    /// Tasks to build, with everything they depend on; all unless given
    #[arg(value_name = "TASK")]
    pub(in crate::cli) tasks: Vec<String>,
    /// How many tasks run at once, and how many jobs `make` runs in all of them together; as many as there are
    /// processors unless given
    #[arg(short, long, env = "CORTADO_JOBS", value_name = "N", value_parser = count)]
    pub(in crate::cli) jobs: Option<NonZeroUsize>,
    /// How many artifacts and sources are on their way at once, beside the tasks that run; 8 unless given
    #[arg(long, env = "CORTADO_TRANSFERS", value_name = "N", value_parser = count)]
    pub(in crate::cli) transfers: Option<NonZeroUsize>,
    /// When a task fails, go on with those that do not depend on it
    #[arg(short, long, env = "CORTADO_KEEP_GOING", value_parser = FalseyValueParser::new())]
    pub(in crate::cli) keep_going: bool,
    #[command(flatten)]
    pub(in crate::cli) lock: LockArgs,
    /// Replace files in the install directory that belong to no task
    #[arg(long)]
    pub(in crate::cli) replace_unowned: bool,
    /// Plain lines instead of live ones, on a terminal too
    #[arg(long, env = "CORTADO_PLAIN", value_parser = FalseyValueParser::new())]
    pub(in crate::cli) plain: bool,
    /// How hard artifacts are compressed, from 1 (fast) to 12 (small)
    #[arg(
        long,
        env = "CORTADO_COMPRESSION_LEVEL",
        default_value = "1",
        value_name = "LEVEL",
        value_parser = clap::value_parser!(u32).range(1..=12),
        help_heading = "Cache"
    )]
    pub(in crate::cli) compression_level: u32,
    /// Look for sources, by checksum, in this directory before the network; may be given several times
    #[arg(long, env = "CORTADO_SOURCES", value_delimiter = ':', value_name = "DIR", help_heading = "Sources")]
    pub(in crate::cli) sources: Vec<PathBuf>,
    /// The HTTP proxy for sources: http://user:password@host:port
    #[arg(long, env = "CORTADO_PROXY", hide_env_values = true, value_name = "URL", help_heading = "Sources")]
    pub(in crate::cli) proxy: Option<String>,
    /// Trust the certificate authorities in this PEM file instead of the built-in ones
    #[arg(long, env = "CORTADO_CA_FILE", value_name = "FILE", help_heading = "Sources")]
    pub(in crate::cli) ca_file: Option<PathBuf>,
    /// Last, since its heading is for all that follows.
    #[command(flatten)]
    pub(in crate::cli) cache: Cache,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct LockArgs {
    /// Fail at once when another build uses the work directory
    #[arg(long)]
    pub(in crate::cli) no_wait: bool,
    /// Wait only so long for another build that uses the work directory
    #[arg(long, env = "CORTADO_LOCK_TIMEOUT", value_name = "SECONDS", conflicts_with = "no_wait")]
    pub(in crate::cli) lock_timeout: Option<u64>,
}

impl LockArgs {
    /// What to do while another build uses the work directory.
    pub(in crate::cli) fn wait(&self) -> Wait {
        match self.lock_timeout {
            _ if self.no_wait => Wait::Fail,
            Some(seconds) => Wait::UpTo(Duration::from_secs(seconds)),
            None => Wait::Forever,
        }
    }
}

fn count(text: &str) -> Result<NonZeroUsize, &'static str> {
    text.parse().map_err(|_| "give a whole number, 1 or more")
}
