//! What became of an object that a store was to keep.

/// What became of a [`put`](super::Store::put).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stored {
    /// The object is kept.
    New,
    /// An object of that name was there already and stayed.
    Present,
    /// Like `Present`, but its content is another: how the two differ. Whatever made them does not repeat itself.
    Differs(String),
    /// The store does not take such an object, and why: it is too large, say. That is no failure.
    Declined(String),
}
