//! The settings of a run: everything that the caller chooses and that does not count into any key.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::cache::{CacheMode, CachePolicy, Callbacks, Ledger, Provenance, Trust};
use crate::host::cancel::Cancel;
use crate::host::lock::Wait;
use crate::model::Platform;

/// What the builder of an engine collects.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) filter: Vec<String>,
    pub(crate) jobs: usize,
    pub(crate) transfers: usize,
    pub(crate) keep_going: bool,
    pub(crate) callbacks: Option<Arc<dyn Callbacks>>,
    pub(crate) cache_mode: CacheMode,
    pub(crate) cache_policy: CachePolicy,
    pub(crate) provenance: Provenance,
    pub(crate) trust: Trust,
    pub(crate) ledger: Option<Ledger>,
    pub(crate) offline: bool,
    pub(crate) mirrors: Vec<PathBuf>,
    pub(crate) ca_file: Option<PathBuf>,
    pub(crate) proxy: Option<String>,
    pub(crate) ambient: BTreeMap<OsString, OsString>,
    pub(crate) platform: Option<Platform>,
    pub(crate) wait: Wait,
    pub(crate) holder: String,
    pub(crate) replace_unowned: bool,
    pub(crate) compression_level: u32,
    pub(crate) keep_trees: Duration,
    pub(crate) cancel: Cancel,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            filter: Vec::new(),
            jobs: std::thread::available_parallelism().map_or(1, usize::from),
            transfers: 8,
            keep_going: false,
            callbacks: None,
            cache_mode: CacheMode::default(),
            cache_policy: CachePolicy::default(),
            provenance: Provenance::default(),
            trust: Trust::default(),
            ledger: None,
            offline: false,
            mirrors: Vec::new(),
            ca_file: None,
            proxy: None,
            ambient: BTreeMap::new(),
            platform: None,
            wait: Wait::Forever,
            holder: "cortado".to_owned(),
            replace_unowned: false,
            compression_level: 1,
            keep_trees: Duration::from_secs(14 * 24 * 60 * 60),
            cancel: Cancel::new(),
        }
    }
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settings")
            .field("filter", &self.filter)
            .field("jobs", &self.jobs)
            .field("transfers", &self.transfers)
            .field("cache_mode", &self.cache_mode)
            .field("cache_policy", &self.cache_policy)
            .finish_non_exhaustive()
    }
}
