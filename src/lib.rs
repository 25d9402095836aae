//! cortado: an embeddable build DSL and artifact-caching engine.
#![allow(dead_code, unused_imports, missing_docs)] // while the spine is being laid

mod cache;
mod error;
mod host;
mod model;
mod plan;
mod report;
mod run;
mod text;

pub use error::{Error, Result};
pub use host::cancel::Cancel;
