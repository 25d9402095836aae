//! The cache: how artifacts come and go. Callbacks are the user's side of it, stores are ready-made callbacks, trees are
//! what is kept unpacked on this machine.

pub(crate) mod artifact;
mod cacher;
mod callbacks;
pub(crate) mod codec;
pub mod conformance;
mod directory;
mod exchange;
pub(crate) mod guard;
mod object;
mod policy;
mod provenance;
pub(crate) mod remarks;
#[cfg(feature = "signing")]
mod signing;
mod store;
pub mod stores;
pub(crate) mod trees;
mod trust;
mod unsupported;
mod whole;

pub use artifact::Artifact;
pub use cacher::Cacher;
pub(crate) use cacher::Restored;
pub use callbacks::{Callbacks, Closures, closures};
pub use directory::{
    DirectoryOptions, DirectoryStore, FileSync, Finding, Flaw, NotASize, Perm, Prune, Pruned, PrunedObject, Remedy,
    Usage, parse_size,
};
pub use exchange::Miss;
pub(crate) use exchange::{Exchange, Lookup};
pub(crate) use guard::Guard;
pub use object::Object;
pub use policy::{CacheMode, CachePolicy};
pub use provenance::Provenance;
#[cfg(feature = "signing")]
pub use signing::{NotAKey, PublicKey, SigningKey};
pub use store::{Listed, Objects, Put, Store, Stored};
pub(crate) use trees::{Tree, TreeState, Trees};
pub(crate) use trust::Trust;
pub use whole::artifact_digest;
