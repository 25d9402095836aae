//! What a store cannot do at all, told apart from what failed.

use std::fmt;

/// A store has no such operation: a plain web server lists nothing, say. The error of [`Store`](crate::Store)'s
/// methods downcasts to this.
///
/// ```
/// # use cortado::stores::Unsupported;
/// let error = anyhow::Error::new(Unsupported::new("memcached at 127.0.0.1:11211 cannot list its objects"));
/// assert!(error.downcast_ref::<Unsupported>().is_some());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsupported(String);

impl Unsupported {
    /// Which store cannot do what, as a sentence.
    pub fn new(what: impl Into<String>) -> Self {
        Self(what.into())
    }
}

impl fmt::Display for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unsupported {}
