//! The cache: how artifacts come and go. Callbacks are the user's side of it, stores are ready-made callbacks, trees are
//! what is kept unpacked on this machine.

pub(crate) mod artifact;
mod cacher;
mod callbacks;
mod capacity;
mod claim;
pub(crate) mod codec;
pub mod conformance;
mod counts;
mod directory;
mod exchange;
pub(crate) mod guard;
mod inspection;
mod ledger;
mod listed;
mod look;
mod miss;
mod namespace;
mod object;
mod offer;
mod page;
mod policy;
mod provenance;
mod put;
mod read_only;
pub(crate) mod remarks;
pub(crate) mod seconds;
#[cfg(feature = "signing")]
mod signing;
mod statistics;
mod store;
mod stored;
pub mod stores;
mod tiers;
pub(crate) mod trees;
mod trust;
mod turn;
mod unsupported;
mod whole;

pub use artifact::Artifact;
pub use cacher::Cacher;
pub(crate) use cacher::Restored;
pub use callbacks::{Callbacks, Closures, closures};
pub use capacity::Capacity;
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
pub use listed::{Listed, Objects};
pub use look::Look;
pub(crate) use look::SOLE_TIER;
pub use miss::Miss;
pub use namespace::Namespace;
pub use object::Object;
pub use offer::{Kept, Offer};
pub use policy::{CacheMode, CachePolicy};
pub use provenance::Provenance;
pub use put::Put;
pub use read_only::ReadOnly;
#[cfg(feature = "signing")]
pub use signing::{NotAKey, PublicKey, SigningKey};
pub use statistics::Statistics;
pub use store::Store;
pub use stored::Stored;
pub use tiers::{Flights, Tier, TierMode, TierSettings, Tiers, Upstream, WritePolicy};
pub(crate) use trees::{Tree, TreeState, Trees};
pub(crate) use trust::Trust;
pub(crate) use turn::Turn;
pub use whole::artifact_digest;
