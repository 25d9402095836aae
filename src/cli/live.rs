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
    /// Shows a line that stays.
    line: Box<dyn FnMut(&str) + Send>,
    narrator: Narrator,
    tasks: HashMap<TaskRef, ProgressBar>,
    run: Option<ProgressBar>,
    total: usize,
    finished: usize,
    failed: usize,
}

impl Live {
    pub(super) fn new(screen: &MultiProgress, line: impl FnMut(&str) + Send + 'static, narrator: Narrator) -> Self {
        let screen = screen.clone();
        Self {
            screen,
            line: Box::new(line),
            narrator,
            tasks: HashMap::new(),
            run: None,
            total: 0,
            finished: 0,
            failed: 0,
        }
    }

    /// Shows an event.
    pub(super) fn show(&mut self, event: &Event) {
        let lines = self.narrator.tell(event);
        if !lines.is_empty() {
            self.screen.suspend(|| lines.iter().for_each(|line| (self.line)(line)));
        }
        match event {
            Event::RunStarted { tasks, .. } => self.total = *tasks,
            Event::Fetching { task, .. } => self.doing(task, "looking in the cache"),
            Event::Waiting { task, holder } => self.doing(task, &format!("waiting for {holder}")),
            Event::Fetched { task, .. } | Event::Missed { task, .. } => self.rests(task),
            Event::SourceProgress { task, state: SourceState::Ready, .. } => self.doing(task, "source is ready"),
            Event::SourceProgress { task, state, .. } => self.doing(task, &format!("source: {state}")),
            Event::StepStarted { task, step, steps, title } => self.doing(task, &format!("[{step}/{steps}] {title}")),
            Event::TaskFinished { task, outcome, .. } => self.finished(task, outcome),
            Event::Draining { .. } => self.run().set_message(format!("{event},")),
            Event::RunFinished { .. } => self.clear(),
            _ => {}
        }
    }

    fn doing(&mut self, task: &TaskRef, what: &str) {
        self.run();
        if !self.tasks.contains_key(task) {
            let line = self.task(task);
            self.tasks.insert(task.clone(), line);
        }
        if let Some(line) = self.tasks.get(task) {
            line.set_message(what.to_owned());
        }
        self.count();
    }

    /// The run's line, which is made when there is something to show.
    fn run(&mut self) -> &ProgressBar {
        let screen = &self.screen;
        self.run.get_or_insert_with(|| {
            let run = screen.add(ProgressBar::new_spinner().with_style(style("{msg} {elapsed}")));
            run.enable_steady_tick(TICK);
            run
        })
    }

    /// A new line, above the run's.
    fn task(&mut self, task: &TaskRef) -> ProgressBar {
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
        self.rests(task);
    }

    /// Nothing is done for a task at the moment.
    fn rests(&mut self, task: &TaskRef) {
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

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use indicatif::{ProgressDrawTarget, TermLike};

    use super::*;
    use crate::{Detail, Paint};

    /// A terminal that writes down all that it is told.
    #[derive(Debug, Clone, Default)]
    struct Paper {
        text: Arc<Mutex<String>>,
    }

    impl Paper {
        fn take(&self) -> String {
            std::mem::take(&mut self.text.lock().unwrap())
        }
    }

    impl TermLike for Paper {
        fn width(&self) -> u16 {
            80
        }

        fn move_cursor_up(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn move_cursor_down(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn move_cursor_right(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn move_cursor_left(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn write_line(&self, text: &str) -> io::Result<()> {
            self.write_str(&format!("{text}\n"))
        }

        fn write_str(&self, text: &str) -> io::Result<()> {
            self.text.lock().unwrap().push_str(text);
            Ok(())
        }

        fn clear_line(&self) -> io::Result<()> {
            Ok(())
        }

        fn flush(&self) -> io::Result<()> {
            Ok(())
        }
    }

    fn live() -> (Live, Paper) {
        let paper = Paper::default();
        let screen = MultiProgress::with_draw_target(ProgressDrawTarget::term_like(Box::new(paper.clone())));
        let lines = paper.clone();
        let line = move |line: &str| lines.write_line(line).unwrap();
        (Live::new(&screen, line, Narrator::new(Detail::Brief, Paint::Never)), paper)
    }

    fn finished(outcome: Outcome) -> Event {
        Event::TaskFinished { task: "zlib".into(), outcome, duration: Duration::from_millis(1500) }
    }

    #[test]
    fn a_running_task_has_a_line_and_so_has_the_run() {
        let (mut live, paper) = live();
        live.show(&Event::RunStarted { tasks: 3, jobs: 2 });
        live.show(&Event::StepStarted { task: "zlib".into(), step: 2, steps: 3, title: "make".into() });
        live.screen.suspend(|| ()); // draws at once
        let shown = paper.take();
        assert!(shown.contains("zlib             [2/3] make"), "{shown:?}");
        assert!(shown.contains("0 of 3 done, 1 running"), "{shown:?}");
        live.show(&finished(Outcome::Built));
        live.screen.suspend(|| ());
        let shown = paper.take();
        assert!(shown.contains("zlib> built (1.5 s)\n"), "{shown:?}");
        assert!(shown.contains("1 of 3 done, 0 running"), "{shown:?}");
    }

    #[test]
    fn a_run_with_nothing_to_do_shows_nothing() {
        let (mut live, paper) = live();
        live.show(&Event::RunStarted { tasks: 1, jobs: 1 });
        live.show(&Event::TaskStarted { task: "zlib".into() });
        live.show(&finished(Outcome::UpToDate));
        live.show(&Event::RunFinished { success: true, duration: Duration::ZERO });
        assert_eq!(paper.take().trim(), "");
    }

    #[test]
    fn what_is_fetched_ahead_has_a_line_while_it_is_on_its_way() {
        let (mut live, paper) = live();
        live.show(&Event::RunStarted { tasks: 2, jobs: 1 });
        live.show(&Event::Fetching { task: "zlib".into(), tag: "shop-zlib-0".into() });
        live.screen.suspend(|| ());
        assert!(paper.take().contains("zlib             looking in the cache"));
        let (task, tag) = ("zlib".into(), "shop-zlib-0".into());
        live.show(&Event::Fetched { task, tag, tier: "cache".into(), size: 1 });
        paper.take(); // lines are drawn by the clock, too
        live.screen.suspend(|| ());
        let shown = paper.take();
        assert!(shown.contains("0 of 2 done, 0 running") && !shown.contains("looking"), "{shown:?}");
    }

    #[test]
    fn the_end_of_a_run_shows_what_is_still_to_be_kept() {
        let (mut live, paper) = live();
        live.show(&Event::RunStarted { tasks: 1, jobs: 1 });
        live.show(&finished(Outcome::Built));
        live.show(&Event::Draining { artifacts: 3, bytes: 12_000_000 });
        live.screen.suspend(|| ());
        let shown = paper.take();
        assert!(shown.contains("keeping 3 artifacts (11.4 MiB), 0s"), "{shown:?}");
    }
}
