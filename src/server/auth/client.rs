//! The client: who makes a request, as far as that is known, and what they may.

use std::sync::Arc;

use super::role::{Rights, Role};
use super::users::User;
use crate::server::problem::Problem;

/// Who makes a request. Protocols find it among the request's extensions.
#[derive(Debug, Clone)]
pub(in crate::server) struct Client {
    name: Option<Arc<str>>,
    rights: Arc<Rights>,
    read_only: bool,
    /// Whether saying who they are could get them further.
    is_stranger: bool,
}

impl Client {
    /// Anybody, where nobody has to say who they are.
    pub(super) fn anybody(read_only: bool) -> Self {
        Self { name: None, rights: Arc::new(Rights::everywhere(Role::Admin)), read_only, is_stranger: false }
    }

    /// Somebody who has not said who they are, where reading takes no name.
    pub(super) fn reader() -> Self {
        Self { name: None, rights: Arc::new(Rights::everywhere(Role::Reader)), read_only: false, is_stranger: true }
    }

    pub(super) fn user(user: &User, read_only: bool) -> Self {
        Self { name: Some(user.name.clone()), rights: user.rights.clone(), read_only, is_stranger: false }
    }

    /// The name that they have proved to bear.
    pub(in crate::server) fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    pub(super) fn shared_name(&self) -> Option<Arc<str>> {
        self.name.clone()
    }

    /// Fails unless they have that role in a namespace.
    ///
    /// # Errors
    /// 401 when they may try again with a name, 403 when it would be of no use.
    pub(in crate::server) fn may(&self, role: Role, namespace: &str) -> Result<(), Problem> {
        if self.read_only && role > Role::Reader {
            return Err(Problem::forbidden("this server is read-only"));
        }
        match self.rights.role(namespace) {
            Some(granted) if granted >= role => Ok(()),
            _ if self.is_stranger => Err(super::challenge("say who you are")),
            _ => Err(Problem::forbidden(format!("that takes the role `{role}` in `{namespace}`"))),
        }
    }
}
