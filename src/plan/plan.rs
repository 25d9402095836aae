//! The plan: the selected tasks, upstreams first, each with its shasum and tag.

use std::collections::HashMap;

use super::fields;
use super::graph::Graph;
use super::inputs::Inputs;
use super::outline::{Collector, Outline};
use super::shasum::Shasum;
use crate::error::Result;
use crate::model::{Digest, Project, Task};

/// What a run would work through. Computed without doing anything; equal projects and inputs give equal plans on any
/// machine.
#[derive(Debug)]
pub struct Plan<'p> {
    project: &'p Project,
    inputs: Inputs,
    project_shasum: Digest,
    tasks: Vec<PlannedTask<'p>>,
    positions: HashMap<&'p str, usize>,
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
    /// Plans the tasks at `selection`, as [`Graph::select`] gives it.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) for an input that `inputs` has no answer to.
    pub fn new(graph: &Graph<'p>, selection: &[usize], inputs: Inputs) -> Result<Self> {
        let project = graph.project();
        let mut shasum = Shasum::new();
        fields::project(&mut shasum, project, &inputs);
        let mut plan = Self {
            project,
            inputs,
            project_shasum: shasum.finish(),
            tasks: Vec::with_capacity(selection.len()),
            positions: HashMap::with_capacity(selection.len()),
        };
        selection.iter().try_for_each(|position| plan.add(graph, *position))?;
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
        fields::project(&mut collector, self.project, &self.inputs);
        let upstreams = task.upstreams.iter().map(|upstream| &self.tasks[*upstream]);
        let upstreams = upstreams.map(|upstream| (upstream.name(), upstream.shasum));
        fields::task(&mut collector, task.task, &self.inputs, self.project_shasum, upstreams);
        collector.finish()
    }

    /// What was looked up for the plan.
    pub(crate) fn inputs(&self) -> &Inputs {
        &self.inputs
    }

    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        self.positions.get(name).copied()
    }

    fn add(&mut self, graph: &Graph<'p>, position: usize) -> Result<()> {
        let task = &self.project.tasks()[position];
        self.inputs.check(task)?;
        let upstreams: Vec<usize> = graph
            .upstreams(position)
            .into_iter()
            .filter_map(|upstream| self.position(self.project.tasks()[upstream].name()))
            .collect();
        let mut shasum = Shasum::new();
        let keys = upstreams.iter().map(|upstream| &self.tasks[*upstream]);
        let keys = keys.map(|upstream| (upstream.name(), upstream.shasum));
        fields::task(&mut shasum, task, &self.inputs, self.project_shasum, keys);
        let here = self.tasks.len();
        upstreams.iter().for_each(|upstream| self.tasks[*upstream].downstreams.push(here));
        self.positions.insert(task.name(), here);
        let shasum = shasum.finish();
        let tag = tag(self.project.tag_prefix(), task.name(), &shasum);
        self.tasks.push(PlannedTask { task, shasum, tag, upstreams, downstreams: Vec::new() });
        Ok(())
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

    /// Positions of the direct upstreams in the plan, sorted by name.
    pub fn upstreams(&self) -> &[usize] {
        &self.upstreams
    }

    /// Positions of the direct downstreams in the plan.
    pub fn downstreams(&self) -> &[usize] {
        &self.downstreams
    }
}

fn tag(prefix: &str, name: &str, shasum: &Digest) -> String {
    match prefix {
        "" => format!("{name}-{shasum}"),
        prefix => format!("{prefix}-{name}-{shasum}"),
    }
}
