//! The configuration: what files, the environment, a recipe and options say about the cache, or about a server of it, merged
//! key by key.
//!
//! Nothing is looked up here. Whoever asks hands in the texts of files and the variables, and gets specifications:
//! values that say which stores there are and how they are used. `docs/configuration.md` is the reference.

mod cache;
mod configuration;
mod credentials;
mod directory;
mod document;
mod entry;
mod judgement;
mod key;
mod kind;
mod length;
mod origin;
mod secret;
mod server;
mod settings;
mod store_kind;
mod surroundings;
mod tier;
mod variables;
mod words;

pub use cache::CacheSpec;
pub use configuration::Configuration;
pub use directory::Directory;
pub use key::Key;
pub use kind::Kind;
pub use length::parse_length;
pub use origin::{SettingOrigin, Whose};
pub use secret::{Holder, SecretSource};
pub use server::ServerSpec;
pub use settings::{Setting, Settings};
pub use store_kind::StoreKind;
pub use surroundings::Surroundings;
pub use tier::{StoreSpec, TierSpec};

pub use crate::cache::{NotASize, parse_size};
