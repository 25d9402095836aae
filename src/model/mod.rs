//! The model: what a project says, as plain data.
//!
//! Values here are built by setters that never fail and checked once, by [`ProjectBuilder::build`]. Nothing in this
//! layer does I/O, so that equal models are equal on every machine.

mod checksum;
pub mod command;
mod digest;
mod encoding;
mod env;
mod format;
mod input;
mod input_tree;
mod license;
mod link_mode;
mod mentions;
mod metadata;
mod name;
mod particulars;
mod paths;
mod patterns;
mod platform;
mod project;
mod scope;
mod secret;
mod signature;
mod source;
mod task;
mod validate;

pub use checksum::{Algorithm, Checksum, NotAChecksum};
pub(crate) use command::Command;
pub use digest::{Digest, NotADigest};
pub(crate) use encoding::Encoder;
pub use env::Env;
pub use format::{Format, NotAFormat};
pub use input::Input;
pub use input_tree::InputTree;
pub use license::License;
pub use link_mode::LinkMode;
pub use metadata::Metadata;
pub use paths::Paths;
pub(crate) use patterns::pattern_set;
pub use platform::{Cpu, Distribution, Kernel, Libc, Platform};
pub use project::{PlatformKey, Project, ProjectBuilder};
pub(crate) use scope::Hands;
pub use scope::Scope;
#[cfg_attr(not(feature = "http"), allow(unused_imports, reason = "only stores on a network have secrets"))]
pub(crate) use secret::MASK;
pub use secret::Secret;
pub(crate) use signature::Signature;
pub use source::{Archive, Git, Local, Source};
pub(crate) use source::{At, without_credentials};
pub use task::Task;
