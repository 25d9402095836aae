//! The options that say which cache a command uses. Each is a key of the configuration, set over everybody else.

use std::path::PathBuf;

use clap::ArgAction;

use crate::{Configuration, Error, Result};

#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "Cache")]
pub(in crate::cli) struct Cache {
    /// The directory of the store `local`; `cortado/artifacts` in your cache directory unless given. A cache in the
    /// recipe comes first [env: CORTADO_CACHE_DIR]
    #[arg(long, value_name = "DIR")]
    pub(in crate::cli) cache_dir: Option<PathBuf>,
    /// The stores that are used, nearest first, separated by commas [env: CORTADO_CACHE_TIERS]
    #[arg(long, value_name = "NAMES")]
    pub(in crate::cli) cache_tiers: Option<String>,
    /// Use the cache server at this address behind the store `local`, instead of the stores that are configured:
    /// http://host:8000. A cache in the recipe comes first
    #[arg(long = "store", value_name = "ADDRESS", conflicts_with = "cache_tiers")]
    pub(in crate::cli) server: Option<String>,
    /// Keep what is built on that server, too
    #[arg(long, requires = "server")]
    pub(in crate::cli) upload: bool,
    /// Neither fetch nor keep artifacts
    #[arg(long, action = ArgAction::SetTrue, conflicts_with_all = ["recache", "cache_mode"])]
    pub(in crate::cli) no_cache: bool,
    /// Build everything anew, and replace the artifacts that are kept
    #[arg(long, conflicts_with = "cache_mode")]
    pub(in crate::cli) recache: bool,
    /// Which way artifacts travel: read-write, read-only, write-only, recache, off [env: CORTADO_CACHE_MODE]
    #[arg(long, value_name = "MODE")]
    pub(in crate::cli) cache_mode: Option<String>,
    /// What a failing cache means for the build: degrade, warn, require-read, require-write [env: CORTADO_CACHE_POLICY]
    #[arg(long, value_name = "POLICY")]
    pub(in crate::cli) cache_policy: Option<String>,
}

impl Cache {
    /// Which way artifacts travel, and the option that says so.
    pub(in crate::cli) fn mode(&self) -> Option<(&str, &'static str)> {
        match (self.no_cache, self.recache) {
            (true, _) => Some(("off", "--no-cache")),
            (_, true) => Some(("recache", "--recache")),
            _ => self.cache_mode.as_deref().map(|mode| (mode, "--cache-mode")),
        }
    }

    /// The configuration with these options over it.
    pub(in crate::cli) fn over(&self, mut configuration: Configuration) -> Result<Configuration> {
        if let Some((mode, option)) = self.mode() {
            configuration = configuration.option(None, "mode", mode, option);
        }
        let others = [("policy", &self.cache_policy, "--cache-policy"), ("tiers", &self.cache_tiers, "--cache-tiers")];
        for (key, value, option) in others {
            if let Some(value) = value {
                configuration = configuration.option(None, key, value, option);
            }
        }
        if let Some(address) = &self.server {
            configuration = self.served(configuration, address);
        }
        let Some(dir) = &self.cache_dir else { return Ok(configuration) };
        let dir = dir.to_str().ok_or_else(|| Error::Invalid {
            place: "--cache-dir".into(),
            problem: format!("`{}` is no UTF-8", dir.display()),
            hint: String::new(),
        })?;
        Ok(configuration.option(Some("local"), "path", dir, "--cache-dir"))
    }

    /// The configuration with a server behind the store of this machine. Of an address without a path it is known where
    /// `cortado serve` has its artifacts.
    fn served(&self, configuration: Configuration, address: &str) -> Configuration {
        let host = address.split_once("://").map_or(address, |(_, host)| host).trim_end_matches('/');
        let url = match host.contains('/') {
            true => address.to_owned(),
            false => format!("{}/v1/artifacts", address.trim_end_matches('/')),
        };
        let (mode, option) = if self.upload { ("read-write", "--upload") } else { ("read", "--store") };
        let keys = [("type", "http", "--store"), ("url", url.as_str(), "--store"), ("mode", mode, option)];
        let said = |configuration: Configuration, (key, value, option): (&str, &str, &str)| {
            configuration.option(Some("server"), key, value, option)
        };
        keys.into_iter().fold(configuration, said).option(None, "tiers", "local,server", "--store")
    }
}
