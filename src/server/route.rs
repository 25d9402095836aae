//! A route: an address that a protocol answers at, as it hands it to the router.

use axum::routing::MethodRouter;

use super::refusal::Refusal;

/// A path with the methods that it takes.
pub(super) struct Route<S> {
    pub(super) path: &'static str,
    /// What a description of the server is held against.
    #[cfg_attr(not(test), allow(dead_code, reason = "the router reads it off the handlers"))]
    pub(super) methods: &'static [&'static str],
    pub(super) handlers: MethodRouter<S>,
    pub(super) refusal: Option<Refusal>,
}

impl<S> Route<S> {
    /// `methods` says in lower case what `handlers` takes.
    pub(super) fn new(path: &'static str, methods: &'static [&'static str], handlers: MethodRouter<S>) -> Self {
        Self { path, methods, handlers, refusal: None }
    }

    /// What goes wrong at this address is said in words of its protocol.
    pub(super) fn refusing(self, refusal: Refusal) -> Self {
        Self { refusal: Some(refusal), ..self }
    }
}
