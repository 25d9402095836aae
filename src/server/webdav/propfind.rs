//! PROPFIND: what is known of a place, and of what lies in it.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::SystemTime;

use axum::body::{Body, Bytes};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use tokio::sync::mpsc;

use super::depth::Depth;
use super::multistatus::{BEGIN, END, Entry, Kind, MEDIA_TYPE};
use super::place::Place;
use super::{Client, NAMESPACE, Problem, Role, Site, Upload};
use crate::server::body::Batches;
use crate::server::intake::collect;
use crate::server::name::Name;
use crate::server::shelf::Found;
use crate::{Listed, Store};

/// The longest question, in bytes. It is thrown away.
const LONGEST: usize = 64 << 10;

/// Bytes of a list that are sent at once.
const BATCH: usize = 32 << 10;

pub(super) async fn propfind(
    site: Arc<Site>,
    client: &Client,
    place: Place,
    question: Upload,
) -> Result<Response, Problem> {
    client.may(Role::Reader, NAMESPACE)?;
    let depth = Depth::of(&question.headers)?;
    collect(question.body, LONGEST, site.options.pace()).await?;
    let body = match (place, depth) {
        (Place::Object(path), _) => document(&object(&site, client, &path).await?),
        (Place::Directory(path), Depth::Zero) => document(&directory(&path)),
        (Place::Directory(path), Depth::One) => list(site, path),
    };
    Ok((StatusCode::MULTI_STATUS, [(header::CONTENT_TYPE, MEDIA_TYPE)], body).into_response())
}

fn document(entry: &Entry<'_>) -> Body {
    format!("{BEGIN}{entry}{END}").into()
}

async fn object<'a>(site: &Site, client: &Client, path: &'a str) -> Result<Entry<'a>, Problem> {
    let found = Place::key(path).look(site, client).await?.ok_or_else(Problem::not_found)?;
    let (size, modified) = match &found {
        Found::File(file, look, _) => (Some(look.size), file.metadata().and_then(|found| found.modified()).ok()),
        Found::Stream(_) => (None, None),
    };
    Ok(Entry { path, kind: Kind::Object(size), modified: modified.unwrap_or_else(SystemTime::now) })
}

/// A directory is as young as the question: it is only there for that.
fn directory(path: &str) -> Entry<'_> {
    Entry { path, kind: Kind::Directory, modified: SystemTime::now() }
}

/// A directory with what lies in it, as it is read from the store. A list that breaks off has no end, and is no XML.
fn list(site: Arc<Site>, path: String) -> Body {
    let (sender, receiver) = mpsc::channel(4);
    tokio::spawn(async move {
        // Nobody is told how it went who has not heard the end.
        _ = site.shelf.work(move |store| List::new(&path, sender).write(store)).await;
    });
    Body::new(Batches::new(receiver))
}

/// A list that is being written, by a thread that may wait.
struct List<'a> {
    dir: &'a str,
    dirs: HashSet<String>,
    batch: String,
    sender: mpsc::Sender<Bytes>,
}

impl<'a> List<'a> {
    fn new(dir: &'a str, sender: mpsc::Sender<Bytes>) -> Self {
        Self { dir, dirs: HashSet::new(), batch: String::new(), sender }
    }

    fn write(mut self, store: &dyn Store) -> anyhow::Result<()> {
        self.batch = format!("{BEGIN}{}", directory(self.dir));
        for listed in store.list()? {
            self.add(&listed?);
            if self.batch.len() >= BATCH {
                self.send()?;
            }
        }
        self.batch.push_str(END);
        self.send()
    }

    /// Adds an object that lies here, or the directory by way of which it lies below.
    fn add(&mut self, listed: &Listed) {
        let Some(path) = Name::key_within(&listed.name, NAMESPACE) else { return };
        let Some(rest) = path.strip_prefix(self.dir).filter(|rest| !rest.is_empty()) else { return };
        let entry = match rest.split_once('/') {
            None => Entry {
                path: &path,
                kind: Kind::Object(Some(listed.size)),
                modified: listed.stored.unwrap_or_else(SystemTime::now),
            },
            Some((name, _)) if self.dirs.insert(name.to_owned()) => {
                let end = self.dir.len() + name.len() + 1;
                directory(path.get(..end).unwrap_or_default())
            }
            Some(_) => return,
        };
        self.batch.push_str(&entry.to_string());
    }

    fn send(&mut self) -> anyhow::Result<()> {
        Ok(self.sender.blocking_send(std::mem::take(&mut self.batch).into())?)
    }
}
