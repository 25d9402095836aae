//! The report about one artifact: where it comes from, who signed it, what is in it.

use std::time::SystemTime;

use serde::Serialize;

use super::{ListedObject, ago};
use crate::cache::{Inspection, Listed, PackedMember, Signed};
use crate::report::JSON_FORMAT;
use crate::report::paint::{Ink, Paint};
use crate::report::table::{Cell, table};
use crate::text;

/// Everything about an artifact.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ObjectReport {
    /// [`JSON_FORMAT`].
    pub format: u32,
    /// The store's name.
    pub store: String,
    /// What the store knows of it.
    #[serde(flatten)]
    pub object: ListedObject,
    /// What was found in it.
    #[serde(flatten)]
    pub inspection: Inspection,
}

impl ObjectReport {
    /// The report about an object of that store.
    pub fn new(store: impl Into<String>, listed: Listed, inspection: Inspection) -> Self {
        Self { format: JSON_FORMAT, store: store.into(), object: ListedObject::of(listed), inspection }
    }

    /// The report for people.
    pub fn text(&self, now: SystemTime, paint: Paint) -> String {
        let members: Vec<_> = self.inspection.members.iter().map(member).collect();
        format!("{}{}", self.facts(now, paint), table(&members, paint))
    }

    fn facts(&self, now: SystemTime, paint: Paint) -> String {
        let object = &self.object;
        let from = &object.provenance;
        let signed = match &self.inspection.signed {
            Signed::No => "by nobody".to_owned(),
            Signed::By(key) => key.clone(),
            Signed::Wrongly(key) => format!("wrongly, in the name of {key}"),
        };
        let facts = [
            ("tag", Some(object.tag.clone())),
            ("store", Some(self.store.clone())),
            ("project", from.project.clone()),
            ("task", from.task.clone()),
            ("writer", from.writer.clone()),
            ("host", from.host.clone()),
            ("commit", from.commit.clone()),
            ("build time", from.build_time.map(text::duration)),
            ("stored", Some(ago(object.stored, now))),
            ("used", Some(ago(object.used, now))),
            ("pinned", object.pinned.then(|| "yes".to_owned())),
            ("size", Some(format!("{}, unpacked {}", text::bytes(object.size), text::bytes(self.inspection.content)))),
            ("digest", Some(self.inspection.digest.to_string())),
            ("signed", Some(signed)),
            ("members", Some(self.inspection.members.len().to_string())),
        ];
        let known = facts.into_iter().filter_map(|(name, fact)| Some((name, fact.filter(|fact| !fact.is_empty())?)));
        let rows: Vec<_> = known.map(|(name, fact)| vec![(name.to_owned(), Ink::Faint), (fact, Ink::Plain)]).collect();
        table(&rows, paint)
    }
}

fn member(member: &PackedMember) -> Vec<Cell> {
    let path = match &member.target {
        Some(target) => format!("{} -> {target}", member.path),
        None => member.path.clone(),
    };
    let size = if member.kind == "file" { text::bytes(member.size) } else { String::new() };
    vec![
        (format!("  {:04o}", member.mode), Ink::Faint),
        (member.kind.to_owned(), Ink::Faint),
        (size, Ink::Plain),
        (path, Ink::Plain),
    ]
}
