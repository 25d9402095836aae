//! The arguments: every command and option, with its help. `docs/cli.md` says the same at more length.

mod build;
mod cache;
mod cache_verb;
mod serve;

use std::path::PathBuf;

use clap::builder::FalseyValueParser;
use clap::{Parser, Subcommand, ValueEnum};

pub(super) use self::build::{Build, LockArgs};
pub(super) use self::cache::Cache;
pub(super) use self::cache_verb::{
    CacheArgs, CacheVerb, KeyVerb, List, Order, Prune, Remove, Repair, Stats, StoreArg, Tagged,
};

pub(super) use self::serve::Serve;

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
    /// Look after the artifacts that are kept
    Cache(CacheArgs),
    /// Show the configuration that holds, and where each part of it is said
    Config,
    /// Find out what is wrong with the configuration and the stores
    Doctor(Doctor),
    /// Serve artifacts to other machines, over HTTP
    Serve(Serve),
    /// Print a completion script for a shell
    Completions(Completions),
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Common options")]
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
    /// Set a key of the configuration, over files and the environment; may be given several times. For `serve`, also the
    /// FILE with its options
    #[arg(long = "config", global = true, value_name = "KEY=VALUE")]
    pub(super) set: Vec<String>,
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
pub(super) struct Doctor {
    /// Only stores of this name; may be given several times. All that the project uses unless given
    #[arg(long, value_name = "NAME")]
    pub(super) store: Vec<String>,
}

#[derive(Debug, clap::Args)]
pub(super) struct Completions {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub(super) shell: clap_complete::Shell,
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
            Verb::Build(build) => build.cache.mode().map(|(mode, _)| mode.to_owned()),
            _ => unreachable!(),
        };
        assert_eq!(mode(&["cortado", "build"]), None);
        assert_eq!(mode(&["cortado", "build", "--no-cache"]).as_deref(), Some("off"));
        assert_eq!(mode(&["cortado", "build", "--recache"]).as_deref(), Some("recache"));
        assert_eq!(mode(&["cortado", "build", "--cache-mode", "read-only"]).as_deref(), Some("read-only"));
        assert!(Args::try_parse_from(["cortado", "build", "--no-cache", "--recache"]).is_err());
    }
}
