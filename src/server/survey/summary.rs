//! The summary: what a store holds, by protocol, project and task.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::group::Group;
use super::lately::{Lately, Seen};
use crate::server::history::subject;
use crate::server::site::Site;
use crate::{Listed, Store};

/// Projects and tasks that are told apart. Labels come from strangers, who may invent any number of them.
const PROJECTS: usize = 500;
const TASKS: usize = 10_000;

/// A project's name, or a task's; `None` for what says nothing of itself.
pub(in crate::server) type Label = Option<String>;

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::server) struct Summary {
    /// Everything together.
    pub(in crate::server) all: Group,
    /// The artifacts of cortado.
    pub(in crate::server) projects: BTreeMap<Label, Project>,
    /// Artifacts of projects and tasks that there was no room for.
    pub(in crate::server) others: Group,
    /// What belongs to other protocols, by namespace.
    pub(in crate::server) protocols: BTreeMap<String, Group>,
}

/// What there is of a project.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::server) struct Project {
    pub(in crate::server) all: Group,
    pub(in crate::server) tasks: BTreeMap<Label, Task>,
}

/// What there is of a task.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::server) struct Task {
    pub(in crate::server) all: Group,
    /// What the history counts its requests as. Each belongs to one task.
    pub(in crate::server) subjects: BTreeSet<String>,
}

/// A summary that is being made.
#[derive(Default)]
struct Making {
    summary: Summary,
    /// The subjects that belong to a task already.
    taken: HashSet<String>,
    tasks: usize,
}

impl Seen for Summary {
    fn look(store: &dyn Store) -> anyhow::Result<Self> {
        let mut making = Making::default();
        for object in store.list()? {
            making.add(&object?);
        }
        Ok(making.summary)
    }

    fn of(site: &Site) -> &Lately<Self> {
        &site.survey.summary
    }
}

impl Making {
    fn add(&mut self, object: &Listed) {
        self.summary.all.add(object);
        match object.name.split_once('~') {
            // A namespace is a word of this program's, unless somebody else has put things into the directory.
            Some((namespace, _)) if self.has_protocol(namespace) => {
                self.summary.protocols.entry(namespace.to_owned()).or_default().add(object);
            }
            Some(_) => self.summary.others.add(object),
            None => self.add_artifact(object),
        }
    }

    fn has_protocol(&self, namespace: &str) -> bool {
        self.summary.protocols.len() < PROJECTS || self.summary.protocols.contains_key(namespace)
    }

    fn add_artifact(&mut self, object: &Listed) {
        let label = project_of(object);
        if !self.summary.projects.contains_key(&label) {
            if self.summary.projects.len() >= PROJECTS {
                return self.summary.others.add(object);
            }
            self.summary.projects.insert(label.clone(), Project::default());
        }
        let Some(project) = self.summary.projects.get_mut(&label) else { return };
        project.all.add(object);
        let task = task_of(object);
        if !project.tasks.contains_key(&task) {
            if self.tasks >= TASKS {
                return;
            }
            self.tasks += 1;
            project.tasks.insert(task.clone(), Task::default());
        }
        let Some(task) = project.tasks.get_mut(&task) else { return };
        task.all.add(object);
        if let Some(subject) = subject(&object.name)
            && !self.taken.contains(subject)
        {
            self.taken.insert(subject.to_owned());
            task.subjects.insert(subject.to_owned());
        }
    }
}

/// The project of an artifact.
pub(super) fn project_of(object: &Listed) -> Label {
    object.provenance.project.clone().filter(|label| !label.is_empty())
}

/// The task of an artifact: what it says, or else what its name says.
pub(super) fn task_of(object: &Listed) -> Label {
    let label = object.provenance.task.clone().filter(|label| !label.is_empty());
    label.or_else(|| subject(&object.name).map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DirectoryStore, Provenance, Put};

    fn put(store: &DirectoryStore, name: &str, size: usize, provenance: Provenance) {
        let put = Put { provenance, ..Put::default() };
        store.put(name, &mut &*vec![0; size], &put).unwrap();
    }

    fn artifact(stem: &str, number: usize) -> String {
        format!("{stem}-{number:064x}.tar.gz")
    }

    #[test]
    fn objects_are_summed_up_by_project_and_task() {
        let dir = tempfile::tempdir().unwrap();
        let store = DirectoryStore::open(dir.path().join("store")).unwrap();
        let of = |task: &str, writer: &str| Provenance::new().project("shop").task(task).writer(writer);
        put(&store, &artifact("shop-zlib", 1), 10, of("zlib", "ci"));
        put(&store, &artifact("shop-zlib", 2), 20, of("zlib", "anna"));
        put(&store, &artifact("shop-xz", 1), 5, of("xz", "ci"));
        put(&store, &artifact("bar-a", 1), 7, Provenance::new());
        put(&store, "bazel~ac~2f00", 3, Provenance::new());
        let summary = Summary::look(&store).unwrap();
        assert_eq!((summary.all.objects, summary.all.bytes), (5, 45));
        let shop = &summary.projects[&Some("shop".to_owned())];
        assert_eq!((shop.all.objects, shop.all.bytes, shop.all.by_work()), (3, 35, vec!["ci", "anna"]));
        let zlib = &shop.tasks[&Some("zlib".to_owned())];
        assert_eq!((zlib.all.objects, zlib.subjects.first().map(String::as_str)), (2, Some("shop-zlib")));
        assert!(summary.projects[&None].tasks.contains_key(&Some("bar-a".to_owned())));
        assert_eq!(summary.protocols["bazel"].bytes, 3);
    }

    #[test]
    fn strangers_cannot_invent_any_number_of_projects() {
        let dir = tempfile::tempdir().unwrap();
        let store = DirectoryStore::open(dir.path().join("store")).unwrap();
        for number in 0..PROJECTS + 3 {
            put(&store, &artifact("p", number), 1, Provenance::new().project(format!("p{number}")));
        }
        let summary = Summary::look(&store).unwrap();
        assert_eq!((summary.projects.len(), summary.others.objects), (PROJECTS, 3));
        assert_eq!(summary.all.objects, PROJECTS as u64 + 3);
    }
}
