//! The site: what every request finds, whichever protocol it speaks.

use std::sync::Arc;

use super::auth::Auth;
use super::options::ServerOptions;
use super::shelf::Shelf;
use crate::{Result, Store};

/// A served store with its rules. There is one, shared by all connections.
pub(super) struct Site {
    pub(super) shelf: Shelf,
    pub(super) auth: Auth,
    pub(super) options: ServerOptions,
}

impl Site {
    pub(super) fn new(store: Arc<dyn Store>, options: ServerOptions) -> Result<Self> {
        let auth = Auth::new(&options)?;
        let shelf = Shelf::new(store, &options);
        Ok(Self { shelf, auth, options })
    }

    /// Whether strangers may write.
    pub(super) fn is_open_to_all(&self) -> bool {
        !self.auth.is_on() && !self.options.read_only
    }
}
