//! How much the cache matters, and which way artifacts may travel.

/// What happens to a run when the cache fails. A plain miss is never a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum CachePolicy {
    /// Events and counters say so, the run goes on.
    #[default]
    Degrade,
    /// Like `Degrade`, and every failure is a warning too.
    Warn,
    /// A fetch that fails (an error, a time-out, a corrupt artifact) ends the run.
    RequireRead,
    /// An update that fails ends the run, and so does a fetch.
    RequireWrite,
}

impl CachePolicy {
    /// Whether a failed fetch ends the run.
    pub fn requires_read(self) -> bool {
        matches!(self, Self::RequireRead | Self::RequireWrite)
    }

    /// Whether a failed update ends the run.
    pub fn requires_write(self) -> bool {
        self == Self::RequireWrite
    }
}

/// Which way artifacts travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum CacheMode {
    /// Fetched and kept.
    #[default]
    ReadWrite,
    /// Fetched only.
    ReadOnly,
    /// Kept only.
    WriteOnly,
    /// Everything is built anew, and what is kept is replaced.
    Recache,
    /// Neither.
    Off,
}

impl CacheMode {
    /// Whether artifacts are fetched.
    pub fn reads(self) -> bool {
        matches!(self, Self::ReadWrite | Self::ReadOnly)
    }

    /// Whether artifacts are kept.
    pub fn writes(self) -> bool {
        matches!(self, Self::ReadWrite | Self::WriteOnly | Self::Recache)
    }
}
