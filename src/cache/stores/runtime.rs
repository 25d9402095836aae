//! The threads of a store whose client is asynchronous, out of sight of whoever calls it.

use std::sync::OnceLock;
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::runtime::{Builder, Handle, Runtime as Threads};

/// A runtime that is made when it is first needed. One for each store: the library has no state of its own.
#[derive(Debug, Default)]
pub(super) struct Runtime {
    threads: OnceLock<Option<Threads>>,
}

impl Runtime {
    /// Does something on the store's threads while the calling one waits. That works in any context, in one that is
    /// asynchronous itself too, though it would hold that up.
    ///
    /// # Errors
    /// Those of `work`, and when it takes too long.
    pub(super) fn run<T: Send + 'static, E: Into<anyhow::Error> + Send + 'static>(
        &self,
        limit: Duration,
        work: impl Future<Output = Result<T, E>> + Send + 'static,
    ) -> anyhow::Result<T> {
        let task = self.handle()?.spawn(async move { tokio::time::timeout(limit, work).await });
        match pollster::block_on(task) {
            Ok(Ok(result)) => result.map_err(Into::into),
            Ok(Err(_)) => bail!("it took too long"),
            Err(ended) => bail!("it ended early: {ended}"),
        }
    }

    /// Where to start what goes on by itself.
    pub(super) fn handle(&self) -> anyhow::Result<&Handle> {
        let make =
            || Builder::new_multi_thread().worker_threads(2).thread_name("cortado-store").enable_all().build().ok();
        let threads = self.threads.get_or_init(make).as_ref();
        Ok(threads.context("could not start the threads of the store")?.handle())
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        if let Some(Some(threads)) = self.threads.take() {
            // Waiting for what is left of a request would be no use, and is forbidden on asynchronous threads.
            threads.shutdown_background();
        }
    }
}
