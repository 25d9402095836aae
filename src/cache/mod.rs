//! The cache: how artifacts come and go. Callbacks are the user's side of it, stores are ready-made callbacks, trees are
//! what is kept unpacked on this machine.

pub(crate) mod artifact;
mod cacher;
mod callbacks;
mod claim;
pub(crate) mod codec;
pub mod conformance;
mod counts;
mod directory;
mod exchange;
pub(crate) mod guard;
mod inspection;
mod ledger;
mod look;
mod miss;
mod namespace;
mod object;
mod offer;
mod page;
mod policy;
mod provenance;
mod read_only;
pub(crate) mod remarks;
pub(crate) mod seconds;
#[cfg(feature = "signing")]
mod signing;
mod statistics;
mod store;
pub mod stores;
mod tiers;
pub(crate) mod trees;
mod trust;
mod unsupported;
mod whole;

pub use artifact::Artifact;
pub use cacher::Cacher;
pub(crate) use cacher::Restored;
pub use callbacks::{Callbacks, Closures, closures};
pub(crate) use claim::Turn;
pub use claim::{Claim, Claimed};
pub use counts::{Counts, Misses};
pub use directory::{
    DirectoryOptions, DirectoryStore, FileSync, Finding, Flaw, NotASize, Perm, Prune, Pruned, PrunedObject, Remedy,
    Usage, parse_size,
};
pub(crate) use exchange::{Exchange, Lookup};
pub(crate) use guard::Guard;
pub use inspection::{Inspection, PackedMember, Signed, inspect};
pub use ledger::Ledger;
pub use look::Look;
pub(crate) use look::SOLE_TIER;
pub use miss::Miss;
pub use namespace::Namespace;
pub use object::Object;
pub use offer::{Kept, Offer};
pub use policy::{CacheMode, CachePolicy};
pub use provenance::Provenance;
pub use read_only::ReadOnly;
#[cfg(feature = "signing")]
pub use signing::{NotAKey, PublicKey, SigningKey};
pub use statistics::Statistics;
pub use store::{Capacity, Listed, Objects, Put, Store, Stored};
pub use tiers::{Flights, Tier, TierMode, TierSettings, Tiers, Upstream, WritePolicy};
pub(crate) use trees::{Tree, TreeState, Trees};
pub(crate) use trust::Trust;
pub use whole::artifact_digest;
