//! The live display: on a terminal, one line for each running task with its step and its time, and one for the run.
//!
//! Lines that stay, such as the end of a task, scroll by above. A task gets its line when it does something that takes
//! time, so that a run with nothing to do shows nothing.

use std::collections::HashMap;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::{Event, Narrator, Outcome, SourceState, TaskRef};

const TICK: Duration = Duration::from_millis(100);
const SPINNER: &str = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏ ";
const NAME_WIDTH: usize = 16;

/// Shows a run on a terminal.
pub(super) struct Live {
    screen: MultiProgress,
    narrator: Narrator,
    tasks: HashMap<TaskRef, ProgressBar>,
    run: Option<ProgressBar>,
    total: usize,
    finished: usize,
    failed: usize,
}

impl Live {
    pub(super) fn new(screen: &MultiProgress, narrator: Narrator) -> Self {
        let screen = screen.clone();
        Self { screen, narrator, tasks: HashMap::new(), run: None, total: 0, finished: 0, failed: 0 }
    }

    /// Shows an event.
    pub(super) fn show(&mut self, event: &Event) {
        for line in self.narrator.tell(event) {
            let _terminal_gone = self.screen.println(line);
        }
        match event {
            Event::RunStarted { tasks, .. } => self.total = *tasks,
            Event::Fetching { task, .. } => self.doing(task, "looking in the cache"),
            Event::SourceProgress { task, state: SourceState::Ready, .. } => self.doing(task, "source is ready"),
            Event::SourceProgress { task, state, .. } => self.doing(task, &format!("source: {state}")),
            Event::StepStarted { task, step, steps, title } => self.doing(task, &format!("[{step}/{steps}] {title}")),
            Event::TaskFinished { task, outcome, .. } => self.finished(task, outcome),
            Event::RunFinished { .. } => self.clear(),
            _ => {}
        }
    }

    fn doing(&mut self, task: &TaskRef, what: &str) {
        if self.run.is_none() {
            let run = self.screen.add(ProgressBar::new_spinner().with_style(style("{msg} {elapsed}")));
            run.enable_steady_tick(TICK);
            self.run = Some(run);
        }
        if !self.tasks.contains_key(task) {
            let line = self.line(task);
            self.tasks.insert(task.clone(), line);
        }
        if let Some(line) = self.tasks.get(task) {
            line.set_message(what.to_owned());
        }
        self.count();
    }

    /// A new line, above the run's.
    fn line(&mut self, task: &TaskRef) -> ProgressBar {
        let padding = " ".repeat(NAME_WIDTH.saturating_sub(task.chars().count()));
        let name = self.narrator.name(task) + &padding;
        let line = ProgressBar::new_spinner().with_style(style("{spinner} {prefix} {wide_msg} {elapsed:>4}"));
        let line = self.screen.insert_from_back(1, line.with_prefix(name));
        line.enable_steady_tick(TICK);
        line
    }

    fn finished(&mut self, task: &TaskRef, outcome: &Outcome) {
        self.finished += 1;
        self.failed += usize::from(matches!(outcome, Outcome::Failed { .. }));
        if let Some(line) = self.tasks.remove(task) {
            line.finish_and_clear();
            self.screen.remove(&line);
        }
        self.count();
    }

    fn count(&self) {
        let Some(run) = &self.run else { return };
        let failed = match self.failed {
            0 => String::new(),
            failed => format!(", {failed} failed"),
        };
        run.set_message(format!("{} of {} done, {} running{failed},", self.finished, self.total, self.tasks.len()));
    }

    fn clear(&mut self) {
        self.tasks.clear();
        if let Some(run) = self.run.take() {
            run.finish_and_clear();
        }
        let _terminal_gone = self.screen.clear();
    }
}

fn style(template: &str) -> ProgressStyle {
    // A template that is wrong would be wrong on every run, and the default is readable.
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner());
    style.tick_chars(SPINNER)
}
