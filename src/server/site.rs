//! The site: what every request finds, whichever protocol it speaks.

use std::sync::Arc;

use super::auth::Auth;
use super::curdling::Catalog;
use super::event::Observer;
use super::history::History;
use super::metrics::Metrics;
use super::options::ServerOptions;
use super::page::Pages;
use super::shelf::Shelf;
use super::survey::Survey;
use super::walk::Walks;
use crate::{Result, Store, Tier};

/// The namespace of what belongs to no protocol, as rights name it.
pub(super) const NAMESPACE: &str = "server";

/// A served store with its rules. There is one, shared by all connections.
pub(super) struct Site {
    pub(super) shelf: Arc<Shelf>,
    pub(super) auth: Auth,
    pub(super) options: ServerOptions,
    pub(super) metrics: Arc<Metrics>,
    pub(super) observer: Observer,
    pub(super) history: Arc<History>,
    pub(super) survey: Survey,
    pub(super) walks: Walks,
    pub(super) pages: Pages,
    pub(super) catalog: Catalog,
    /// Whether clients that come by TCP speak TLS.
    pub(super) speaks_tls: bool,
}

impl Site {
    pub(super) fn new(
        store: Arc<dyn Store>,
        upstream: Option<Tier>,
        options: ServerOptions,
        observer: Observer,
        speaks_tls: bool,
    ) -> Result<Self> {
        let auth = Auth::new(&options, &observer)?;
        let metrics = Arc::new(Metrics::new());
        let history = Arc::new(History::open(options.history.as_deref(), observer.clone()));
        let shelf = Shelf::new(store, &options, metrics.clone(), history.clone(), observer.clone());
        let shelf = Arc::new(match upstream {
            Some(tier) => shelf.before(tier),
            None => shelf,
        });
        let walks = Walks::new(shelf.clone());
        let (survey, pages, catalog) = (Survey::default(), Pages::new(), Catalog::default());
        Ok(Self { shelf, auth, options, metrics, observer, history, survey, walks, pages, catalog, speaks_tls })
    }

    /// Whether strangers may write.
    pub(super) fn is_open_to_all(&self) -> bool {
        !self.auth.is_on() && !self.options.read_only
    }
}
