//! The plan: which tasks, in which order, under which keys. Computed from the model without any I/O.

mod fields;
mod graph;
mod inputs;
mod outline;
mod reader;
mod schedule;
mod shasum;

pub use graph::Graph;
pub use inputs::Inputs;
pub use outline::{Field, Outline};
pub(crate) use schedule::{Arrival, Errand, Schedule};
pub use shasum::KEY_FORMAT;

use std::sync::Arc;

use self::graph::Positions;
use self::inputs::Answers;
use self::outline::Collector;
use self::shasum::Shasum;
use crate::error::{Error, Result};
use crate::model::{Digest, Project, Task};

/// What a run would work through. Computed without doing anything; equal projects and inputs give equal plans on any
/// machine.
#[derive(Debug)]
pub struct Plan<'p> {
    project: &'p Project,
    inputs: Inputs,
    project_shasum: Digest,
    tasks: Vec<PlannedTask<'p>>,
    positions: Arc<Positions<'p>>,
    /// For each task of the project its place in `tasks`.
    places: Vec<Option<usize>>,
}

/// A task with its place in the plan.
#[derive(Debug)]
pub struct PlannedTask<'p> {
    task: &'p Task,
    shasum: Digest,
    tag: String,
    upstreams: Vec<usize>,
    downstreams: Vec<usize>,
}

impl<'p> Plan<'p> {
    /// Plans the tasks at `selection`, which [`Graph::select`] gives.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an input that `inputs` has no answer to, and for a selection in which a task does not
    /// follow all its upstreams.
    pub fn new(graph: &Graph<'p>, selection: &[usize], inputs: Inputs) -> Result<Self> {
        let project = graph.project();
        let mut shasum = Shasum::new();
        let answers = Answers::of(&inputs);
        fields::project(&mut shasum, project, &answers);
        answers.check(|| format!("project `{}`", project.name()))?;
        let mut plan = Self {
            project,
            inputs,
            project_shasum: shasum.next(),
            tasks: Vec::with_capacity(selection.len()),
            positions: graph.positions(),
            places: vec![None; project.tasks().len()],
        };
        selection.iter().try_for_each(|position| plan.add(graph, *position, &mut shasum))?;
        Ok(plan)
    }

    /// The project.
    pub fn project(&self) -> &'p Project {
        self.project
    }

    /// The tasks, upstreams first.
    pub fn tasks(&self) -> &[PlannedTask<'p>] {
        &self.tasks
    }

    /// The planned task of that name.
    pub fn task(&self, name: &str) -> Option<&PlannedTask<'p>> {
        self.position(name).and_then(|position| self.tasks.get(position))
    }

    /// Everything that counts into a task's shasum.
    pub fn outline(&self, task: &PlannedTask<'_>) -> Outline {
        let mut collector = Collector::default();
        let answers = Answers::of(&self.inputs);
        fields::project(&mut collector, self.project, &answers);
        fields::task(&mut collector, task.task, &answers, self.project_shasum, self.keys(&task.upstreams));
        collector.finish()
    }

    /// The tasks alone.
    pub(crate) fn into_tasks(self) -> Vec<PlannedTask<'p>> {
        self.tasks
    }

    /// What was looked up for the plan.
    pub(crate) fn inputs(&self) -> &Inputs {
        &self.inputs
    }

    /// Whether the project has a task of that name, be it planned or not.
    pub(crate) fn knows(&self, name: &str) -> bool {
        self.positions.contains_key(name)
    }

    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        self.positions.get(name).and_then(|position| self.place(*position))
    }

    fn place(&self, position: usize) -> Option<usize> {
        self.places.get(position).copied().flatten()
    }

    /// Appends the task at `position` of the project. `shasum` is one that was told nothing yet.
    fn add(&mut self, graph: &Graph<'p>, position: usize, shasum: &mut Shasum) -> Result<()> {
        let task = self.project.tasks().get(position).ok_or_else(|| self.unselectable("a task that is not there"))?;
        if self.place(position).is_some() {
            return Err(self.unselectable(&format!("`{}` twice", task.name())));
        }
        let upstreams: Option<Vec<_>> =
            graph.upstreams(position).iter().map(|upstream| self.place(*upstream)).collect();
        let upstreams =
            upstreams.ok_or_else(|| self.unselectable(&format!("`{}` before its upstreams", task.name())))?;
        let answers = Answers::of(&self.inputs);
        fields::task(shasum, task, &answers, self.project_shasum, self.keys(&upstreams));
        answers.check(|| format!("task `{}`", task.name()))?;
        let here = self.tasks.len();
        upstreams.iter().for_each(|upstream| self.tasks[*upstream].downstreams.push(here));
        self.places[position] = Some(here);
        let shasum = shasum.next();
        let tag = tag(self.project.tag_prefix(), task.name(), &shasum);
        self.tasks.push(PlannedTask { task, shasum, tag, upstreams, downstreams: Vec::new() });
        Ok(())
    }

    /// Names and shasums of planned tasks.
    fn keys<'k>(&'k self, upstreams: &'k [usize]) -> impl ExactSizeIterator<Item = (&'p str, Digest)> + 'k {
        upstreams.iter().map(|upstream| &self.tasks[*upstream]).map(|upstream| (upstream.name(), upstream.shasum))
    }

    fn unselectable(&self, what: &str) -> Error {
        Error::Invalid {
            place: format!("project `{}`", self.project.name()),
            problem: format!("the selection has {what}"),
            hint: "pass on what `Graph::select` of the same graph gives".into(),
        }
    }
}

impl<'p> PlannedTask<'p> {
    /// The task.
    pub fn task(&self) -> &'p Task {
        self.task
    }

    /// The task's name.
    pub fn name(&self) -> &'p str {
        self.task.name()
    }

    /// The task's key.
    pub fn shasum(&self) -> Digest {
        self.shasum
    }

    /// `<prefix>-<task>-<shasum>`: what the artifact is called, without `.tar.gz`.
    pub fn tag(&self) -> &str {
        &self.tag
    }

    /// The tag, kept after the plan.
    pub(crate) fn into_tag(self) -> String {
        self.tag
    }

    /// Positions of the direct upstreams in the plan, sorted by name.
    pub fn upstreams(&self) -> &[usize] {
        &self.upstreams
    }

    /// Positions of the direct downstreams in the plan.
    pub fn downstreams(&self) -> &[usize] {
        &self.downstreams
    }
}

/// The key in the tag of a task of that name; `None` for the tag of something else.
pub(crate) fn shasum_of(tag: &str, prefix: &str, name: &str) -> Option<Digest> {
    let rest = if prefix.is_empty() { tag } else { tag.strip_prefix(prefix)?.strip_prefix('-')? };
    rest.strip_prefix(name)?.strip_prefix('-')?.parse().ok()
}

/// The tag of a task of that name with that key.
pub(crate) fn tag(prefix: &str, name: &str, shasum: &Digest) -> String {
    let hex = shasum.hex();
    let hex = std::str::from_utf8(&hex).unwrap_or_default();
    let mut tag = String::with_capacity(prefix.len() + name.len() + hex.len() + 2);
    let parts: &[&str] = if prefix.is_empty() { &[name, "-", hex] } else { &[prefix, "-", name, "-", hex] };
    parts.iter().for_each(|part| tag.push_str(part));
    tag
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_tells_its_key_to_whoever_knows_the_rest() {
        let shasum = Digest::of("zlib");
        for prefix in ["shop", ""] {
            let tag = tag(prefix, "zlib", &shasum);
            assert_eq!(shasum_of(&tag, prefix, "zlib"), Some(shasum));
            let others = [("shop", "zli"), ("sho", "zlib"), ("", "shop"), ("shop-zlib", "")];
            assert!(others.iter().all(|(prefix, name)| shasum_of(&tag, prefix, name).is_none()), "{tag}");
        }
    }
}
