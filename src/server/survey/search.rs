//! The search: a page of the objects that somebody wants to see, the newest first.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::SystemTime;

use super::summary::{Label, project_of, task_of};
use crate::{Listed, Store};

/// Objects that can be looked at page by page. Whoever wants others asks more precisely.
pub(in crate::server) const REACH: usize = 10_000;

/// What is looked for. Everything that is said has to be so.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::server) struct Search {
    /// Words, in whatever is known of an object. Upper and lower case are the same.
    pub(in crate::server) words: Vec<String>,
    /// The project of an artifact, or that it has none.
    pub(in crate::server) project: Option<Label>,
    /// The task of an artifact, or that it has none.
    pub(in crate::server) task: Option<Label>,
    /// The namespace of another protocol.
    pub(in crate::server) protocol: Option<String>,
}

/// Some of the objects that were found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::server) struct Results {
    pub(in crate::server) objects: Vec<Listed>,
    /// How many were found.
    pub(in crate::server) found: u64,
    /// Bytes of their content.
    pub(in crate::server) bytes: u64,
}

impl Search {
    /// Looks at everything in a store, and gives those from `skip` on, `limit` of them at most.
    ///
    /// # Errors
    /// When it cannot be listed.
    pub(in crate::server) fn run(&self, store: &dyn Store, skip: usize, limit: usize) -> anyhow::Result<Results> {
        let (mut first, mut results) = (BinaryHeap::new(), Results::default());
        let most = skip.saturating_add(limit).min(REACH);
        for object in store.list()? {
            let object = object?;
            if !self.is_met(&object) {
                continue;
            }
            results.found += 1;
            results.bytes = results.bytes.saturating_add(object.size);
            first.push(Newest::of(object));
            if first.len() > most {
                first.pop();
            }
        }
        let found = first.into_sorted_vec().into_iter().skip(skip);
        results.objects = found.map(|newest| newest.object).collect();
        Ok(results)
    }

    fn is_met(&self, object: &Listed) -> bool {
        let namespace = object.name.split_once('~').map(|(namespace, _)| namespace);
        let is_artifact = namespace.is_none();
        self.protocol.as_deref().is_none_or(|protocol| namespace == Some(protocol))
            && self.project.as_ref().is_none_or(|project| is_artifact && project_of(object) == *project)
            && self.task.as_ref().is_none_or(|task| is_artifact && task_of(object) == *task)
            && self.words.iter().all(|word| has_word(object, word))
    }
}

fn has_word(object: &Listed, word: &str) -> bool {
    let known = &object.provenance;
    let labels = [&known.project, &known.task, &known.writer, &known.host, &known.commit];
    let texts = labels.into_iter().flatten().map(String::as_str).chain([object.name.as_str()]);
    texts.into_iter().any(|text| text.to_lowercase().contains(word))
}

/// An object in the order of its time. Names make the order certain.
struct Newest {
    order: (Reverse<Option<SystemTime>>, String),
    object: Listed,
}

impl Newest {
    fn of(object: Listed) -> Self {
        Self { order: (Reverse(object.stored), object.name.clone()), object }
    }
}

impl Ord for Newest {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.order.cmp(&other.order)
    }
}

impl PartialOrd for Newest {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Newest {
    fn eq(&self, other: &Self) -> bool {
        self.order == other.order
    }
}

impl Eq for Newest {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DirectoryStore, Provenance, Put};

    fn store(dir: &std::path::Path) -> DirectoryStore {
        let store = DirectoryStore::open(dir.join("store")).unwrap();
        for number in 0..5 {
            let provenance =
                Provenance::new().project("shop").task(if number < 3 { "zlib" } else { "xz" }).writer("CI");
            let put = Put { provenance, ..Put::default() };
            store.put(&format!("shop-{number}.bin"), &mut &b"x"[..], &put).unwrap();
        }
        store.put("bazel~ac~2fci", &mut &b"x"[..], &Put::default()).unwrap();
        store
    }

    fn names(search: &Search, skip: usize, limit: usize) -> (Vec<String>, u64) {
        let dir = tempfile::tempdir().unwrap();
        let results = search.run(&store(dir.path()), skip, limit).unwrap();
        (results.objects.into_iter().map(|object| object.name).collect(), results.found)
    }

    #[test]
    fn the_newest_come_first_page_by_page() {
        let task = Search { task: Some(Some("zlib".into())), ..Search::default() };
        assert_eq!(names(&task, 0, 2), (vec!["shop-2.bin".into(), "shop-1.bin".into()], 3));
        assert_eq!(names(&task, 2, 2), (vec!["shop-0.bin".into()], 3));
        assert_eq!(names(&task, 9, 2), (vec![], 3));
    }

    #[test]
    fn words_are_looked_for_in_all_that_is_known() {
        let words =
            |words: &[&str]| Search { words: words.iter().map(|word| (*word).into()).collect(), ..Search::default() };
        assert_eq!(names(&words(&["ci"]), 0, 9).1, 6);
        assert_eq!(names(&words(&["ci", "xz"]), 0, 9).1, 2);
        assert_eq!(names(&words(&["nothing"]), 0, 9).1, 0);
        let bazel = Search { protocol: Some("bazel".into()), ..Search::default() };
        assert_eq!(names(&bazel, 0, 9).0, ["bazel~ac~2fci"]);
    }
}
