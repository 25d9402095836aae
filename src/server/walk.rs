//! The walk: everything in the store, page by page, for whoever wants a list.
//!
//! A store of a million objects takes seconds to look through, and a client may take hours to read of it. So no thread waits
//! for a client, all walks together take one processor at most, and for whoever has gone nobody looks any further.

use std::io;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use tokio::sync::{Semaphore, mpsc};

use super::body::Batches;
use super::problem::Problem;
use super::shelf::Shelf;
use crate::{Listed, Store};

/// Objects that are looked at in one go.
const PAGE: usize = 20_000;

/// Lists that are sent at once, each of which may hold the text of a page. Further ones wait.
const LISTS: usize = 16;

/// Bytes of a list that are sent at once.
const BATCH: usize = 32 << 10;

/// Who walks through the store at present. Clones share their turns.
#[derive(Clone)]
pub(super) struct Walks {
    shelf: Arc<Shelf>,
    turn: Arc<Semaphore>,
    lists: Arc<Semaphore>,
}

/// Writes a list down.
pub(super) trait Scribe: Send + 'static {
    /// What begins the list.
    fn begin(&self) -> Vec<u8>;

    /// Adds an object to the text, if it belongs into the list.
    ///
    /// # Errors
    /// When it cannot be written.
    fn add(&mut self, object: Listed, text: &mut Vec<u8>) -> anyhow::Result<()>;

    /// What ends the list. One that breaks off has no end.
    fn end(&self) -> &'static [u8];
}

impl Walks {
    pub(super) fn new(shelf: Arc<Shelf>) -> Self {
        Self { shelf, turn: Arc::new(Semaphore::new(1)), lists: Arc::new(Semaphore::new(LISTS)) }
    }

    /// Looks through the store, or a page of it, when it is its turn.
    ///
    /// # Errors
    /// When the store cannot be listed.
    pub(super) async fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(&dyn Store) -> anyhow::Result<T> + Send + 'static,
    ) -> Result<T, Problem> {
        let turn = self.turn.clone().acquire_owned().await;
        let look = move |store: &dyn Store| {
            // Held until it is over, also when nobody waits for it any more.
            let _turn = turn;
            look(store)
        };
        self.shelf.work(look).await
    }

    /// A list of the whole store, as the body of an answer.
    pub(super) fn list(&self, scribe: impl Scribe) -> Body {
        let walks = self.clone();
        let (sender, receiver) = mpsc::channel(4);
        tokio::spawn(async move {
            tokio::select! {
                () = Walk::new(scribe).write(&walks, &sender) => {}
                () = sender.closed() => {}
            }
        });
        Body::new(Batches::new(receiver))
    }
}

/// A list that is being written.
struct Walk<S> {
    scribe: S,
    after: Option<String>,
    /// What was not sent yet.
    text: Vec<u8>,
    is_over: bool,
}

impl<S: Scribe> Walk<S> {
    fn new(scribe: S) -> Self {
        Self { text: scribe.begin(), scribe, after: None, is_over: false }
    }

    async fn write(mut self, walks: &Walks, sender: &mpsc::Sender<io::Result<Bytes>>) {
        // The semaphore is never closed.
        let _place = walks.lists.acquire().await;
        while !self.is_over {
            self = match walks.look(|store| self.go_on(store)).await {
                Ok(walk) => walk,
                Err(problem) => {
                    _ = sender.send(Err(io::Error::other(problem.cause().to_owned()))).await;
                    return;
                }
            };
            let mut text = Bytes::from(std::mem::take(&mut self.text));
            while !text.is_empty() {
                if sender.send(Ok(text.split_to(text.len().min(BATCH)))).await.is_err() {
                    return;
                }
            }
        }
    }

    /// Writes about the next page.
    fn go_on(mut self, store: &dyn Store) -> anyhow::Result<Self> {
        let page = store.page(self.after.as_deref(), PAGE)?;
        self.is_over = page.len() < PAGE;
        self.after = page.last().map(|last| last.name.clone());
        for object in page {
            self.scribe.add(object, &mut self.text)?;
        }
        if self.is_over {
            self.text.extend(self.scribe.end());
        }
        Ok(self)
    }
}
