//! The graph of a project's tasks: who depends on whom, checked to be free of circles.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use hashbrown::HashMap as QuickMap;
use petgraph::algo::toposort;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::{Dfs, Reversed};

use crate::error::{Error, Result};
use crate::model::Project;
use crate::text;

/// A project's tasks with an edge from each upstream to its downstreams. Nodes are positions in
/// [`Project::tasks`].
#[derive(Debug)]
pub struct Graph<'p> {
    project: &'p Project,
    edges: DiGraph<(), ()>,
    positions: Arc<Positions<'p>>,
    /// For each task its direct upstreams, sorted by name, each once.
    upstreams: Vec<Vec<usize>>,
    /// All tasks, upstreams first.
    order: Vec<usize>,
}

/// Where in a project the task of each name is.
pub(super) type Positions<'p> = QuickMap<&'p str, usize>;

impl<'p> Graph<'p> {
    /// The graph of a project.
    ///
    /// # Errors
    /// [`Error::Unknown`] for a dependency or override that no task bears, [`Error::Cycle`] for a circle, a task that
    /// depends on itself included.
    pub fn new(project: &'p Project) -> Result<Self> {
        let named = project.tasks().iter().enumerate().map(|(position, task)| (task.name(), position));
        let positions = Arc::new(named.collect());
        let mut edges = DiGraph::with_capacity(project.tasks().len(), project.tasks().len());
        project.tasks().iter().for_each(|_| _ = edges.add_node(()));
        let upstreams = Vec::with_capacity(project.tasks().len());
        let mut graph = Self { project, edges, positions, upstreams, order: Vec::new() };
        graph.connect()?;
        graph.order = graph.sort()?;
        Ok(graph)
    }

    /// The project.
    pub fn project(&self) -> &'p Project {
        self.project
    }

    /// Positions of the named tasks and everything upstream of them, upstreams first; of all tasks when `filter` is
    /// empty.
    ///
    /// # Errors
    /// [`Error::Unknown`] for a name that no task bears.
    pub fn select(&self, filter: &[impl AsRef<str>]) -> Result<Vec<usize>> {
        if filter.is_empty() {
            return Ok(self.order.clone());
        }
        let upstream = Reversed(&self.edges);
        let mut walk = Dfs::empty(upstream);
        for name in filter {
            walk.move_to(NodeIndex::new(self.position("task", name.as_ref(), None)?));
            while walk.next(upstream).is_some() {}
        }
        let wanted = |position: &usize| walk.discovered.contains(*position);
        Ok(self.order.iter().copied().filter(wanted).collect())
    }

    /// Whether the project has a task of that name.
    pub(crate) fn knows(&self, name: &str) -> bool {
        self.positions.contains_key(name)
    }

    pub(super) fn positions(&self) -> Arc<Positions<'p>> {
        Arc::clone(&self.positions)
    }

    /// Positions of a task's direct upstreams, sorted by name, each once.
    pub(crate) fn upstreams(&self, position: usize) -> &[usize] {
        self.upstreams.get(position).map_or(&[], Vec::as_slice)
    }

    fn connect(&mut self) -> Result<()> {
        for (position, task) in self.project.tasks().iter().enumerate() {
            let found = task.depends_on.iter().map(|name| self.position("dependency", name, Some(&task.name)));
            let mut upstreams = found.collect::<Result<Vec<_>>>()?;
            upstreams.sort_unstable_by_key(|upstream| self.project.tasks[*upstream].name.as_str());
            upstreams.dedup();
            for upstream in &upstreams {
                self.edges.add_edge(NodeIndex::new(*upstream), NodeIndex::new(position), ());
            }
            self.upstreams.push(upstreams);
            for other in &task.particulars().overrides {
                self.position("override", other, Some(&task.name))?;
            }
        }
        Ok(())
    }

    fn position(&self, kind: &'static str, name: &str, wanted_by: Option<&str>) -> Result<usize> {
        self.positions.get(name).copied().ok_or_else(|| Error::Unknown {
            kind,
            name: name.to_owned(),
            wanted_by: wanted_by.map(str::to_owned),
            nearest: text::nearest(name, self.positions.keys().copied().filter(|near| Some(*near) != wanted_by)),
        })
    }

    fn sort(&self) -> Result<Vec<usize>> {
        // Sorted against the edges and turned round, independent tasks keep the order of their declaration.
        match toposort(Reversed(&self.edges), None) {
            Ok(order) => Ok(order.into_iter().rev().map(NodeIndex::index).collect()),
            Err(cycle) => Err(Error::Cycle { path: self.circle_through(cycle.node_id()) }),
        }
    }

    /// The names along a shortest circle through `start`, which is on one.
    fn circle_through(&self, start: NodeIndex) -> Vec<String> {
        let mut reached_from = HashMap::new();
        let mut queue = VecDeque::from([start]);
        while let Some(node) = queue.pop_front() {
            for upstream in self.edges.neighbors_directed(node, petgraph::Incoming) {
                if let Entry::Vacant(entry) = reached_from.entry(upstream) {
                    entry.insert(node);
                    queue.push_back(upstream);
                }
            }
        }
        let name = |node: NodeIndex| self.project.tasks[node.index()].name.clone();
        let mut path = vec![name(start)];
        let mut node = start;
        while let Some(previous) = reached_from.get(&node) {
            node = *previous;
            path.push(name(node));
            if node == start {
                break;
            }
        }
        path.reverse();
        path
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Task;

    fn project(tasks: &[(&str, &[&str])]) -> Project {
        let task = |(name, upstreams): &(&str, &[&str])| {
            upstreams.iter().fold(Task::new(*name).virtual_task(true), |task, upstream| task.depends_on(*upstream))
        };
        let builder = Project::new("p").install_dir("/o").work_dir("/w");
        builder.tasks(tasks.iter().map(task)).build().unwrap()
    }

    fn names(project: &Project, positions: Vec<usize>) -> Vec<&str> {
        positions.into_iter().map(|position| project.tasks()[position].name()).collect()
    }

    #[test]
    fn upstreams_come_first() {
        let project = project(&[("app", &["lib", "util"]), ("lib", &["util"]), ("util", &[])]);
        let graph = Graph::new(&project).unwrap();
        assert_eq!(names(&project, graph.select(&[] as &[&str]).unwrap()), ["util", "lib", "app"]);
        assert_eq!(names(&project, graph.upstreams(0).to_vec()), ["lib", "util"]);
    }

    #[test]
    fn a_filter_selects_tasks_and_their_upstreams() {
        let project = project(&[("a", &[]), ("b", &["a"]), ("c", &["b"]), ("d", &["a"])]);
        let graph = Graph::new(&project).unwrap();
        let filter = ["b"];
        assert_eq!(names(&project, graph.select(&filter).unwrap()), ["a", "b"]);
        assert_eq!(names(&project, graph.select(&filter).unwrap()), ["a", "b"], "a filter works twice");
        let error = graph.select(&["bb"]).unwrap_err();
        assert_eq!((error.to_string(), error.hint()), ("unknown task `bb`".into(), Some("did you mean `b`?".into())));
    }

    #[test]
    fn a_circle_is_named_from_a_task_back_to_itself() {
        let project = project(&[("a", &["b"]), ("b", &["c"]), ("c", &["a"]), ("d", &["a"])]);
        let Err(Error::Cycle { path }) = Graph::new(&project) else { panic!("no cycle found") };
        assert_eq!((path.len(), path.first()), (4, path.last()));
        for pair in path.windows(2) {
            assert!(project.task(&pair[0]).unwrap().upstreams().contains(&pair[1]), "{path:?}");
        }
    }

    #[test]
    fn a_task_cannot_depend_on_itself() {
        let project = project(&[("a", &["a"])]);
        let error = Graph::new(&project).unwrap_err();
        assert_eq!(error.to_string(), "tasks depend on each other in a circle: a -> a");
    }

    #[test]
    fn an_unknown_dependency_names_its_task_and_the_nearest_name() {
        let project = project(&[("zlib", &[]), ("app", &["zlb"])]);
        let error = Graph::new(&project).unwrap_err();
        assert_eq!(error.to_string(), "task `app` names the unknown dependency `zlb`");
        assert_eq!(error.hint().as_deref(), Some("did you mean `zlib`?"));
    }
}
