//! The golden vectors: keys that a second, separate implementation of `docs/key.md` has computed.

use std::collections::BTreeMap;

use cortado::{Digest, Graph, InputTree, KEY_FORMAT, Plan};
use serde::Deserialize;

use super::recipe::Vector;

#[derive(Deserialize)]
struct Vectors {
    format: u32,
    projects: Vec<Vector>,
    trees: Vec<Tree>,
}

#[derive(Deserialize)]
struct Tree {
    name: String,
    entries: Vec<Entry>,
    digest: String,
}

#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum Entry {
    File { path: String, executable: bool, content: String },
    Directory { path: String },
    Symlink { path: String, target: String },
}

pub(super) fn shasums(vector: &Vector) -> BTreeMap<String, String> {
    let project = vector.project();
    let graph = Graph::new(&project).unwrap();
    let plan = Plan::new(&graph, &graph.select(&[] as &[&str]).unwrap(), vector.inputs()).unwrap();
    plan.tasks().iter().map(|task| (task.name().to_owned(), task.shasum().to_string())).collect()
}

fn vectors() -> Vectors {
    serde_json::from_str(include_str!("vectors.json")).unwrap()
}

/// The vector of that name.
pub(super) fn vector(name: &str) -> Vector {
    vectors().projects.into_iter().find(|vector| vector.name == name).unwrap()
}

#[test]
fn keys_are_those_of_the_specification() {
    assert_eq!(vectors().format, KEY_FORMAT);
    for vector in vectors().projects {
        assert_eq!(shasums(&vector), vector.shasums, "{}", vector.name);
    }
}

#[test]
fn digests_of_input_trees_are_those_of_the_specification() {
    for Tree { name, entries, digest } in vectors().trees {
        let mut tree = InputTree::new();
        entries.into_iter().for_each(|entry| match entry {
            Entry::File { path, executable, content } => tree.file(path, executable, Digest::of(content)),
            Entry::Directory { path } => tree.directory(path),
            Entry::Symlink { path, target } => tree.symlink(path, target),
        });
        assert_eq!(tree.digest().to_string(), digest, "{name}");
    }
}
