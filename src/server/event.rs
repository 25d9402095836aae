//! Events: what a server tells whoever runs it. It prints nothing itself.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// A request was answered, or broke off.
    Request(Access),
    /// The file of users was read.
    Users {
        /// How many can log in.
        users: usize,
        /// What is wrong with it, line by line. These lines let nobody in.
        faults: Vec<String>,
    },
    /// The certificate of the server, or who trusts it, was changed.
    Certificate {
        /// Why the new one is not used, and the old one is; `None` when it is used.
        problem: Option<String>,
    },
    /// An object was not what it should be, and was put aside.
    Corrupt {
        /// Its name.
        name: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The counts of requests cannot be kept. They are still made.
    History {
        /// Why.
        problem: String,
    },
    /// The upstream is left alone for a while, or answers again.
    Upstream {
        /// What it is called.
        name: String,
        /// Why it is left alone; `None` when it answers again.
        problem: Option<String>,
    },
    /// An object was not brought from the upstream, or could not be kept here.
    NotBrought {
        /// Its name.
        name: String,
        /// Why.
        problem: String,
    },
    /// The upstream does not have what was uploaded here, or has what was removed here.
    NotForwarded {
        /// The object's name.
        name: String,
        /// Why.
        problem: String,
    },
}

/// One request, for the log. It holds no credentials.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Access {
    /// Where it came from: an address, or `unix`.
    pub peer: String,
    /// Who it came from, where that is known.
    pub user: Option<String>,
    /// Its method.
    pub method: String,
    /// Its path. A query is left out, since some protocols have tokens there.
    pub path: String,
    /// The status of the answer.
    pub status: u16,
    /// The bytes of its body that were sent.
    pub sent: u64,
    /// Whether all of the body was sent.
    pub complete: bool,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// Why the server failed, where it did.
    pub cause: Option<String>,
}

/// Whoever listens.
#[derive(Clone, Default)]
pub(super) struct Observer(Option<Observe>);

type Observe = Arc<dyn Fn(&Event) + Send + Sync>;

impl Observer {
    pub(super) fn new(observe: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(observe)))
    }

    /// Tells of an event, if somebody listens.
    pub(super) fn tell(&self, event: impl FnOnce() -> Event) {
        if let Some(observe) = &self.0 {
            observe(&event());
        }
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observer").field("listens", &self.0.is_some()).finish()
    }
}
