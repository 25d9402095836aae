//! What is known of many artifacts, asked at once.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};

use super::split::split_stream;
use super::team::Team;
use super::{NAMESPACE, key_of};
use crate::server::auth::{Client, Role};
use crate::server::intake::question;
use crate::server::problem::Problem;
use crate::server::site::Site;
use crate::{Object, Store};

/// The most hashes in one question.
const MOST: usize = 1000;

/// The longest question, in bytes.
const LARGEST: usize = 256 << 10;

#[derive(Deserialize)]
struct Question {
    hashes: Vec<String>,
}

/// An artifact that is there.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Entry {
    /// In bytes, where that is known without reading it.
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    task_duration_ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    tag: Option<String>,
}

pub(super) async fn query(
    State(site): State<Arc<Site>>,
    Extension(client): Extension<Client>,
    team: Team,
    body: Body,
) -> Result<Json<BTreeMap<String, Option<Entry>>>, Problem> {
    client.may(Role::Reader, NAMESPACE)?;
    let question: Question = question(body, LARGEST, site.options.pace()).await?;
    if question.hashes.len() > MOST {
        return Err(Problem::bad_request(format!("`hashes` has more than {MOST} hashes")));
    }
    let with_key = |hash: String| key_of(&team, &hash).map(|key| (hash, key));
    let keys = question.hashes.into_iter().map(with_key).collect::<Result<Vec<_>, _>>()?;
    let answer = move |store: &dyn Store| {
        let entries = keys.into_iter().map(|(hash, key)| Ok((hash, entry(store, key.name().as_str())?)));
        entries.collect()
    };
    site.shelf.work(answer).await.map(Json)
}

fn entry(store: &dyn Store, name: &str) -> anyhow::Result<Option<Entry>> {
    let Some(object) = store.object(name)? else { return Ok(None) };
    let size = match &object {
        Object::File(file) => Some(file.metadata()?.len()),
        Object::Stream(_) => store.describe(name)?.map(|listed| listed.size),
    };
    let split = split_stream(object.into_reader())?;
    Ok(split.map(|(preface, length, _)| Entry {
        size: size.map(|size| size.saturating_sub(length)),
        task_duration_ms: preface.duration.unwrap_or_default(),
        tag: preface.tag,
    }))
}
