//! Cache callbacks written in Lua.

use std::sync::Arc;

use super::call::Call;
use super::origin::Origin;
use super::pool::Pool;
use crate::{Artifact, Cacher, Callbacks};

/// The callbacks of a recipe, called on Lua threads.
pub(super) struct LuaCallbacks {
    pool: Pool,
    fetches: bool,
    updates: bool,
}

impl LuaCallbacks {
    /// The callbacks of the recipe at `origin`, which has a `fetch`, an `update`, or both.
    pub(super) fn new(origin: Origin, (fetches, updates): (bool, bool)) -> Self {
        Self { pool: Pool::new(Arc::new(origin)), fetches, updates }
    }
}

impl Callbacks for LuaCallbacks {
    fn fetch(&self, cacher: &Cacher) -> anyhow::Result<bool> {
        if self.fetches { self.pool.call(Call::Fetch(cacher.clone())) } else { Ok(false) }
    }

    fn update(&self, artifact: &Artifact) -> anyhow::Result<bool> {
        if self.updates { self.pool.call(Call::Update(artifact.clone())) } else { Ok(false) }
    }
}

#[cfg(test)]
mod tests;
