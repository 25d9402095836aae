//! PROPFIND: what is known of a place, and of what lies in it.

use std::collections::HashSet;
use std::io::Write;
use std::time::SystemTime;

use axum::body::Body;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::depth::Depth;
use super::multistatus::{BEGIN, END, Entry, Kind, MEDIA_TYPE};
use super::place::Place;
use super::{Client, NAMESPACE, Problem, Role, Site, Upload};
use crate::Listed;
use crate::server::intake::collect;
use crate::server::name::Name;
use crate::server::shelf::Found;
use crate::server::walk::Scribe;

/// The longest question, in bytes. It is thrown away.
const LONGEST: usize = 64 << 10;

pub(super) async fn propfind(
    site: &Site,
    client: &Client,
    place: Place,
    question: Upload,
) -> Result<Response, Problem> {
    client.may(Role::Reader, NAMESPACE)?;
    let depth = Depth::of(&question.headers)?;
    collect(question.body, LONGEST, site.options.pace()).await?;
    let body = match (place, depth) {
        (Place::Object(path), _) => document(&object(site, client, &path).await?),
        (Place::Directory(path), Depth::Zero) => document(&directory(&path)),
        (Place::Directory(path), Depth::One) => site.walks.list(Listing { dir: path, dirs: HashSet::new() }),
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

/// A directory with what lies in it.
struct Listing {
    dir: String,
    /// The directories below it that were told of.
    dirs: HashSet<String>,
}

impl Scribe for Listing {
    fn begin(&self) -> Vec<u8> {
        format!("{BEGIN}{}", directory(&self.dir)).into()
    }

    /// Adds an object that lies here, or the directory by way of which it lies below.
    fn add(&mut self, object: Listed, text: &mut Vec<u8>) -> anyhow::Result<()> {
        let Some(path) = Name::key_within(&object.name, NAMESPACE) else { return Ok(()) };
        let Some(rest) = path.strip_prefix(&self.dir).filter(|rest| !rest.is_empty()) else { return Ok(()) };
        let entry = match rest.split_once('/') {
            None => Entry {
                path: &path,
                kind: Kind::Object(Some(object.size)),
                modified: object.stored.unwrap_or_else(SystemTime::now),
            },
            Some((name, _)) if self.dirs.insert(name.to_owned()) => {
                let end = self.dir.len() + name.len() + 1;
                directory(path.get(..end).unwrap_or_default())
            }
            Some(_) => return Ok(()),
        };
        Ok(write!(text, "{entry}")?)
    }

    fn end(&self) -> &'static [u8] {
        END.as_bytes()
    }
}
