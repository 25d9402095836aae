//! The arguments: every command and option, with its help. `docs/cli.md` says the same at more length.

mod serve;

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::builder::FalseyValueParser;
use clap::{ArgAction, Parser, Subcommand, ValueEnum};

pub(super) use self::serve::{LogFormat, Serve};
use crate::{CacheMode, CachePolicy};

const EXIT_CODES: &str = "\
Exit codes:
  0    all is well
  1    a task failed
  2    the command line or the recipe has a mistake in it
  3    the cache failed, and `--cache-policy` says that this matters
  130  interrupted";

/// Builds what a recipe describes, and never twice what it can fetch.
#[derive(Debug, Parser)]
#[command(name = "cortado", version, after_help = EXIT_CODES)]
pub(super) struct Args {
    #[command(flatten)]
    pub(super) common: Common,
    #[command(subcommand)]
    pub(super) verb: Verb,
}

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Build, restore or install what is not up to date
    #[command(visible_alias = "b")]
    Build(Build),
    /// Show what a build would do, without doing anything
    Plan(Plan),
    /// List the tasks with their versions and dependencies
    List,
    /// Explain a task: what changed since it was last built
    Why(Why),
    /// Print what the product is made of, as JSON
    Manifest,
    /// Show the license of the product and of each task
    Licenses,
    /// Remove what builds have made
    Clean(Clean),
    /// Serve artifacts to other machines, over HTTP
    Serve(Serve),
    /// Print a completion script for a shell
    Completions(Completions),
}

#[derive(Debug, clap::Args)]
pub(super) struct Common {
    /// The recipe
    #[arg(short, long, global = true, env = "CORTADO_FILE", default_value = "cortado.lua", value_name = "FILE")]
    pub(super) file: PathBuf,
    /// Keep sources, trees and logs in this directory instead of the recipe's
    #[arg(long, global = true, env = "CORTADO_WORK_DIR", value_name = "DIR")]
    pub(super) work_dir: Option<PathBuf>,
    /// Install here instead of where the recipe says; counts into every shasum
    #[arg(long, global = true, env = "CORTADO_INSTALL_DIR", value_name = "DIR")]
    pub(super) install_dir: Option<PathBuf>,
    /// Do not use the network for sources
    #[arg(long, global = true, env = "CORTADO_OFFLINE", value_parser = FalseyValueParser::new())]
    pub(super) offline: bool,
    /// Report as JSON on the standard output
    #[arg(long, global = true)]
    pub(super) json: bool,
    /// When to use colors; `NO_COLOR` is honored
    #[arg(long, global = true, env = "CORTADO_COLOR", default_value = "auto", value_name = "WHEN")]
    pub(super) color: ColorWhen,
    /// Say only what goes wrong
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(super) quiet: bool,
    /// Show all output of all tasks, on a terminal too
    #[arg(short, long, global = true)]
    pub(super) verbose: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ColorWhen {
    /// On a terminal
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

#[derive(Debug, clap::Args)]
pub(super) struct Build {
    /// Tasks to build, with everything they depend on; all unless given
    #[arg(value_name = "TASK")]
    pub(super) tasks: Vec<String>,
    /// How many tasks run at once, and how many jobs `make` runs in all of them together; as many as there are
    /// processors unless given
    #[arg(short, long, env = "CORTADO_JOBS", value_name = "N")]
    pub(super) jobs: Option<NonZeroUsize>,
    /// How many artifacts and sources are on their way at once, beside the tasks that run; 8 unless given
    #[arg(long, env = "CORTADO_TRANSFERS", value_name = "N")]
    pub(super) transfers: Option<NonZeroUsize>,
    /// When a task fails, go on with those that do not depend on it
    #[arg(short, long, env = "CORTADO_KEEP_GOING", value_parser = FalseyValueParser::new())]
    pub(super) keep_going: bool,
    #[command(flatten)]
    pub(super) cache: Cache,
    /// What a failing cache means for the build
    #[arg(
        long,
        env = "CORTADO_CACHE_POLICY",
        default_value = "degrade",
        value_name = "POLICY",
        help_heading = "Cache"
    )]
    pub(super) cache_policy: Policy,
    /// How hard artifacts are compressed, from 1 (fast) to 12 (small)
    #[arg(
        long,
        env = "CORTADO_COMPRESSION_LEVEL",
        default_value = "1",
        value_name = "LEVEL",
        value_parser = clap::value_parser!(u32).range(1..=12),
        help_heading = "Cache"
    )]
    pub(super) compression_level: u32,
    /// Look for sources, by checksum, in this directory before the network; may be given several times
    #[arg(long, env = "CORTADO_SOURCES", value_delimiter = ':', value_name = "DIR", help_heading = "Sources")]
    pub(super) sources: Vec<PathBuf>,
    /// The HTTP proxy for sources: http://user:password@host:port
    #[arg(long, env = "CORTADO_PROXY", hide_env_values = true, value_name = "URL", help_heading = "Sources")]
    pub(super) proxy: Option<String>,
    /// Trust the certificate authorities in this PEM file instead of the built-in ones
    #[arg(long, env = "CORTADO_CA_FILE", value_name = "FILE", help_heading = "Sources")]
    pub(super) ca_file: Option<PathBuf>,
    #[command(flatten)]
    pub(super) lock: LockArgs,
    /// Replace files in the install directory that belong to no task
    #[arg(long)]
    pub(super) replace_unowned: bool,
    /// Plain lines instead of live ones, on a terminal too
    #[arg(long, env = "CORTADO_PLAIN", value_parser = FalseyValueParser::new())]
    pub(super) plain: bool,
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Cache")]
pub(super) struct Cache {
    /// Keep artifacts in this directory; `cortado/artifacts` in your cache directory unless given. A cache in the
    /// recipe comes first
    #[arg(long, env = "CORTADO_CACHE_DIR", value_name = "DIR")]
    pub(super) cache_dir: Option<PathBuf>,
    /// Neither fetch nor keep artifacts
    #[arg(long, action = ArgAction::SetTrue, conflicts_with_all = ["recache", "cache_mode"])]
    pub(super) no_cache: bool,
    /// Build everything anew, and replace the artifacts that are kept
    #[arg(long, conflicts_with = "cache_mode")]
    pub(super) recache: bool,
    /// Which way artifacts travel
    #[arg(long, env = "CORTADO_CACHE_MODE", default_value = "read-write", value_name = "MODE")]
    pub(super) cache_mode: Mode,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Mode {
    /// Fetched and kept
    ReadWrite,
    /// Fetched only
    ReadOnly,
    /// Kept only
    WriteOnly,
    /// Built anew, and replaced where they are kept
    Recache,
    /// Neither fetched nor kept
    Off,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Policy {
    /// It is counted, and the build goes on
    Degrade,
    /// Each failure is a warning, and the build goes on
    Warn,
    /// A failing fetch fails the task; that an artifact is not there is no failure
    RequireRead,
    /// A failing fetch or update fails the task
    RequireWrite,
}

#[derive(Debug, clap::Args)]
pub(super) struct LockArgs {
    /// Fail at once when another build uses the work directory
    #[arg(long)]
    pub(super) no_wait: bool,
    /// Wait only so long for another build that uses the work directory
    #[arg(long, env = "CORTADO_LOCK_TIMEOUT", value_name = "SECONDS", conflicts_with = "no_wait")]
    pub(super) lock_timeout: Option<u64>,
}

#[derive(Debug, clap::Args)]
pub(super) struct Plan {
    /// Tasks to plan, with everything they depend on; all unless given
    #[arg(value_name = "TASK")]
    pub(super) tasks: Vec<String>,
    #[command(flatten)]
    pub(super) cache: Cache,
}

#[derive(Debug, clap::Args)]
pub(super) struct Why {
    /// The task to explain
    #[arg(value_name = "TASK")]
    pub(super) task: String,
}

#[derive(Debug, clap::Args)]
pub(super) struct Clean {
    /// Finished trees too: the next build restores or builds everything
    #[arg(long)]
    pub(super) trees: bool,
    /// Everything: trees, downloaded sources, logs, and what is remembered of earlier builds
    #[arg(long)]
    pub(super) all: bool,
    /// Only show what would be removed
    #[arg(short = 'n', long)]
    pub(super) dry_run: bool,
    #[command(flatten)]
    pub(super) lock: LockArgs,
}

#[derive(Debug, clap::Args)]
pub(super) struct Completions {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub(super) shell: clap_complete::Shell,
}

impl Cache {
    /// Which way artifacts travel.
    pub(super) fn mode(&self) -> CacheMode {
        match (self.no_cache, self.recache) {
            (true, _) => CacheMode::Off,
            (_, true) => CacheMode::Recache,
            _ => self.cache_mode.into(),
        }
    }
}

impl From<Mode> for CacheMode {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::ReadWrite => Self::ReadWrite,
            Mode::ReadOnly => Self::ReadOnly,
            Mode::WriteOnly => Self::WriteOnly,
            Mode::Recache => Self::Recache,
            Mode::Off => Self::Off,
        }
    }
}

impl From<Policy> for CachePolicy {
    fn from(policy: Policy) -> Self {
        match policy {
            Policy::Degrade => Self::Degrade,
            Policy::Warn => Self::Warn,
            Policy::RequireRead => Self::RequireRead,
            Policy::RequireWrite => Self::RequireWrite,
        }
    }
}

impl LockArgs {
    /// What to do while another build uses the work directory.
    pub(super) fn wait(&self) -> crate::Wait {
        match self.lock_timeout {
            _ if self.no_wait => crate::Wait::Fail,
            Some(seconds) => crate::Wait::UpTo(std::time::Duration::from_secs(seconds)),
            None => crate::Wait::Forever,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_arguments_hold_together() {
        Args::command().debug_assert();
    }

    #[test]
    fn common_options_stand_before_or_after_the_command() {
        for line in [["cortado", "-f", "x.lua", "list"], ["cortado", "list", "-f", "x.lua"]] {
            assert_eq!(Args::try_parse_from(line).unwrap().common.file, PathBuf::from("x.lua"));
        }
    }

    #[test]
    fn a_short_word_wins_over_the_mode() {
        let mode = |line: &[&str]| match Args::try_parse_from(line).unwrap().verb {
            Verb::Build(build) => build.cache.mode(),
            _ => unreachable!(),
        };
        assert_eq!(mode(&["cortado", "build"]), CacheMode::ReadWrite);
        assert_eq!(mode(&["cortado", "build", "--no-cache"]), CacheMode::Off);
        assert_eq!(mode(&["cortado", "build", "--recache"]), CacheMode::Recache);
        assert_eq!(mode(&["cortado", "build", "--cache-mode", "read-only"]), CacheMode::ReadOnly);
        assert!(Args::try_parse_from(["cortado", "build", "--no-cache", "--recache"]).is_err());
    }
}
