//! The site: what every request finds, whichever protocol it speaks.

use std::sync::Arc;

use super::auth::Auth;
use super::event::Observer;
use super::metrics::Metrics;
use super::options::ServerOptions;
use super::shelf::Shelf;
use crate::{Result, Store, Tier};

/// A served store with its rules. There is one, shared by all connections.
pub(super) struct Site {
    pub(super) shelf: Shelf,
    pub(super) auth: Auth,
    pub(super) options: ServerOptions,
    pub(super) metrics: Arc<Metrics>,
    pub(super) observer: Observer,
}

impl Site {
    pub(super) fn new(
        store: Arc<dyn Store>,
        upstream: Option<Tier>,
        options: ServerOptions,
        observer: Observer,
    ) -> Result<Self> {
        let auth = Auth::new(&options, &observer)?;
        let metrics = Arc::new(Metrics::new());
        let shelf = Shelf::new(store, &options, metrics.clone(), observer.clone());
        let shelf = match upstream {
            Some(tier) => shelf.before(tier),
            None => shelf,
        };
        Ok(Self { shelf, auth, options, metrics, observer })
    }

    /// Whether strangers may write.
    pub(super) fn is_open_to_all(&self) -> bool {
        !self.auth.is_on() && !self.options.read_only
    }
}
