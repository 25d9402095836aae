//! A tier: a store, its name among others, and how it is used.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::cache::seconds;
use crate::cache::store::Store;

/// One of several places for artifacts.
#[derive(Clone)]
pub struct Tier {
    pub(super) name: Arc<str>,
    pub(super) store: Arc<dyn Store>,
    pub(super) settings: TierSettings,
}

/// How a tier is used. Everything has a default; as data, times are in seconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct TierSettings {
    /// Which way artifacts travel.
    pub mode: TierMode,
    /// How long the tier may be silent when it was asked for something, and how long an operation may last beyond what
    /// its bytes take at the least [`pace`](TierSettings::pace). `None` waits for ever, and is right for a local disk.
    #[serde(with = "seconds::option")]
    pub timeout: Option<Duration>,
    /// How much time a run may lose to a tier with a time-out, by waiting in vain, all tasks and workers together.
    /// When it is used up, the tier is left alone until the run ends. Twice the time-out unless said.
    #[serde(with = "seconds::option")]
    pub budget: Option<Duration>,
    /// Bytes per second that a tier with a time-out has to reach on average.
    pub pace: u64,
    /// How many operations run at once; `None` is as many as the run asks for.
    pub concurrency: Option<usize>,
    /// After how many failures in a row the tier is left alone for a while.
    pub failures: u32,
    /// For how long it is left alone before it is asked again whether it answers; twice as long each time that it
    /// does not.
    #[serde(with = "seconds")]
    pub cool_down: Duration,
    /// Whether the run ends when the tier fails, or does not answer at the start.
    pub required: bool,
}

/// Which way artifacts travel between a run and a tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum TierMode {
    /// Fetched and kept.
    #[default]
    ReadWrite,
    /// Fetched only.
    Read,
    /// Kept only.
    Write,
    /// Neither.
    Off,
}

impl TierMode {
    /// Whether artifacts are fetched from the tier.
    pub fn reads(self) -> bool {
        matches!(self, Self::ReadWrite | Self::Read)
    }

    /// Whether artifacts are kept in the tier.
    pub fn writes(self) -> bool {
        matches!(self, Self::ReadWrite | Self::Write)
    }
}

impl Default for TierSettings {
    /// Those of a place on this machine: no time-out, any number of operations at once, given up after three failures.
    fn default() -> Self {
        Self {
            mode: TierMode::ReadWrite,
            timeout: None,
            budget: None,
            pace: 64 << 10,
            concurrency: None,
            failures: 3,
            cool_down: Duration::from_secs(30),
            required: false,
        }
    }
}

impl TierSettings {
    /// Those of a place that is reached over a network: silent for 30 seconds at most, 8 operations at once.
    pub fn remote() -> Self {
        Self { timeout: Some(Duration::from_secs(30)), concurrency: Some(8), ..Self::default() }
    }
}

impl Tier {
    /// A tier on this machine, with the default settings.
    pub fn near(name: impl Into<String>, store: impl Store + 'static) -> Self {
        Self { name: name.into().into(), store: Arc::new(store), settings: TierSettings::default() }
    }

    /// A tier that is reached over a network, with the settings of [`TierSettings::remote`].
    pub fn far(name: impl Into<String>, store: impl Store + 'static) -> Self {
        Self::near(name, store).settings(TierSettings::remote())
    }

    /// Replaces all settings.
    pub fn settings(self, settings: TierSettings) -> Self {
        Self { settings, ..self }
    }

    /// Sets the [`mode`](TierSettings::mode).
    pub fn mode(mut self, mode: TierMode) -> Self {
        self.settings.mode = mode;
        self
    }

    /// Sets the [`timeout`](TierSettings::timeout).
    pub fn timeout(mut self, timeout: Option<Duration>) -> Self {
        self.settings.timeout = timeout;
        self
    }

    /// Sets the [`budget`](TierSettings::budget).
    pub fn budget(mut self, budget: Duration) -> Self {
        self.settings.budget = Some(budget);
        self
    }

    /// Sets the [`concurrency`](TierSettings::concurrency).
    pub fn concurrency(mut self, operations: usize) -> Self {
        self.settings.concurrency = Some(operations);
        self
    }

    /// Sets [`failures`](TierSettings::failures) and [`cool_down`](TierSettings::cool_down).
    pub fn breaker(mut self, failures: u32, cool_down: Duration) -> Self {
        (self.settings.failures, self.settings.cool_down) = (failures, cool_down);
        self
    }

    /// Sets [`required`](TierSettings::required).
    pub fn required(mut self, wanted: bool) -> Self {
        self.settings.required = wanted;
        self
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its store.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// How it is used.
    pub fn how(&self) -> &TierSettings {
        &self.settings
    }
}

impl fmt::Debug for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tier").field("name", &self.name).field("settings", &self.settings).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_data_with_seconds() {
        let read = |text: &str| serde_json::from_str::<TierSettings>(text);
        assert_eq!(read("{}").unwrap(), TierSettings::default());
        let settings = read(r#"{"mode": "read", "timeout": 1.5, "concurrency": 4, "required": true}"#).unwrap();
        assert_eq!((settings.mode, settings.timeout), (TierMode::Read, Some(Duration::from_millis(1500))));
        let again = read(&serde_json::to_string(&settings).unwrap()).unwrap();
        assert_eq!(again, settings);
        for wrong in [r#"{"mod": "read"}"#, r#"{"mode": "reed"}"#, r#"{"timeout": -1}"#, r#"{"timeout": "1s"}"#] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
