//! The narrator: tells a run to people, as lines, while it happens.
//!
//! It decides what is worth a line and what the line says; where lines go, and what a terminal shows in between, is the
//! business of whoever listens.

use std::collections::{HashMap, VecDeque};
use std::path::Path;
use std::time::Duration;

use super::outcome::Kind;
use super::paint::{Ink, Paint};
use super::printable::{LAYOUT, printable, tame};
use crate::cache::SOLE_TIER;
use crate::run::{Event, Outcome, SourceState, TaskRef, tier_left};
use crate::text;

/// How many lines of a failed task's output are shown again.
const TAIL: usize = 40;

/// How much is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Detail {
    /// Failures and warnings.
    Quiet,
    /// And how each task ended that was not up to date.
    Brief,
    /// And every step and all output, each line with its task's name.
    #[default]
    Full,
}

/// Turns events into lines for people.
///
/// ```
/// use cortado::{Detail, Narrator, Paint};
///
/// let mut narrator = Narrator::new(Detail::Full, Paint::Never);
/// let observer = move |event: &cortado::Event| narrator.tell(event).iter().for_each(|line| eprintln!("{line}"));
/// # let _ = observer;
/// ```
#[derive(Debug)]
pub struct Narrator {
    detail: Detail,
    paint: Paint,
    tasks: HashMap<TaskRef, Voice>,
}

/// What is known of a task that has said something.
#[derive(Debug)]
struct Voice {
    number: usize,
    /// The end of its output, unless all of it was told.
    tail: VecDeque<String>,
}

impl Narrator {
    /// A narrator at the beginning of a run.
    pub fn new(detail: Detail, paint: Paint) -> Self {
        Self { detail, paint, tasks: HashMap::new() }
    }

    /// The lines, without newlines, that an event is worth; often none.
    pub fn tell(&mut self, event: &Event) -> Vec<String> {
        match event {
            Event::Output { task, line, error } => self.output(task, line, *error),
            Event::Warning { task, text } => vec![self.warning(task.as_ref(), text)],
            Event::TierLeft { tier, reason } => vec![self.warning(None, &tier_left(tier, reason))],
            Event::TaskFinished { task, outcome, duration } => self.finished(task, outcome, *duration),
            Event::Missed { task, miss, .. } if miss.is_failure() && self.detail > Detail::Quiet => {
                vec![self.says(task, Ink::Warn, &tame(&miss.to_string(), LAYOUT))]
            }
            Event::Stored { task, result: Err(reason), .. } if self.detail > Detail::Quiet => {
                vec![self.says(task, Ink::Warn, &format!("could not be cached: {}", tame(reason, LAYOUT)))]
            }
            Event::Waiting { task, holder } if self.detail > Detail::Quiet => {
                vec![self.says(task, Ink::Faint, &format!("waiting for {holder}, who builds the same"))]
            }
            _ if self.detail < Detail::Full => Vec::new(),
            event => self.in_full(event),
        }
    }

    /// What a task's name looks like.
    pub fn name(&mut self, task: &TaskRef) -> String {
        let number = self.voice(task).number;
        self.paint.text(Ink::Task(number), task).into_owned()
    }

    fn in_full(&mut self, event: &Event) -> Vec<String> {
        match event {
            Event::Fetching { task, .. } => vec![self.says(task, Ink::Faint, "looking in the cache")],
            // Where there is but one place, that it was restored says it all.
            Event::Fetched { task, tier, size, .. } if &**tier != SOLE_TIER => {
                vec![self.says(task, Ink::Faint, &format!("found in `{tier}`, {}", text::bytes(*size)))]
            }
            Event::Missed { task, miss, .. } => vec![self.says(task, Ink::Faint, &miss.to_string())],
            Event::SourceProgress { state: SourceState::Received { .. }, .. } => Vec::new(),
            Event::SourceProgress { task, from, state } => {
                vec![self.says(task, Ink::Faint, &format!("source {from}: {state}"))]
            }
            Event::StepStarted { task, step, steps, title } => {
                vec![self.says(task, Ink::Bold, &format!("[{step}/{steps}] {title}"))]
            }
            Event::Stored { task, size, result: Ok(true), .. } => {
                vec![self.says(task, Ink::Faint, &format!("cached, {}", text::bytes(*size)))]
            }
            _ => Vec::new(),
        }
    }

    fn output(&mut self, task: &TaskRef, line: &str, error: bool) -> Vec<String> {
        let line = printable(line, self.paint);
        if self.detail == Detail::Full {
            let ink = if error { Ink::Bad } else { Ink::Plain };
            return vec![self.says(task, ink, &line)];
        }
        let tail = &mut self.voice(task).tail;
        if tail.len() == TAIL {
            tail.pop_front();
        }
        tail.push_back(line);
        Vec::new()
    }

    fn warning(&mut self, task: Option<&TaskRef>, text: &str) -> String {
        let (warning, text) = (self.paint.text(Ink::Warn, "warning:").into_owned(), tame(text, LAYOUT));
        match task {
            Some(task) => format!("{} {warning} {text}", self.prefix(task)),
            None => format!("{warning} {text}"),
        }
    }

    fn finished(&mut self, task: &TaskRef, outcome: &Outcome, duration: Duration) -> Vec<String> {
        if *outcome == Outcome::UpToDate {
            return Vec::new();
        }
        let time = text::duration(duration);
        match outcome {
            Outcome::UpToDate => Vec::new(),
            Outcome::Failed { error, log } => self.failed(task, error, log.as_deref(), &time),
            _ if self.detail == Detail::Quiet => Vec::new(),
            Outcome::Cancelled | Outcome::Skipped { .. } if self.detail == Detail::Brief => Vec::new(),
            Outcome::Skipped { .. } => vec![self.says(task, Ink::Warn, &outcome.to_string())],
            outcome => {
                let ink = Kind::of(outcome).map_or(Ink::Plain, |kind| kind.ink);
                vec![self.says(task, ink, &format!("{outcome} ({time})"))]
            }
        }
    }

    fn failed(&mut self, task: &TaskRef, error: &str, log: Option<&Path>, time: &str) -> Vec<String> {
        let tail = std::mem::take(&mut self.voice(task).tail);
        let mut lines: Vec<_> = tail.iter().map(|line| self.says(task, Ink::Plain, line)).collect();
        lines.push(self.says(task, Ink::Bad, &format!("failed after {time}: {}", tame(error, LAYOUT))));
        lines.extend(log.map(|log| self.says(task, Ink::Plain, &format!("full log: {}", log.display()))));
        lines
    }

    fn says(&mut self, task: &TaskRef, ink: Ink, text: &str) -> String {
        let text = self.paint.text(ink, text).into_owned();
        format!("{} {text}", self.prefix(task)).trim_end().to_owned()
    }

    fn prefix(&mut self, task: &TaskRef) -> String {
        let number = self.voice(task).number;
        self.paint.text(Ink::Task(number), &format!("{task}>")).into_owned()
    }

    fn voice(&mut self, task: &TaskRef) -> &mut Voice {
        let number = self.tasks.len();
        self.tasks.entry(task.clone()).or_insert_with(|| Voice { number, tail: VecDeque::new() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::Miss;

    fn failed() -> Event {
        let outcome = Outcome::Failed { error: "`make` exited with code 2".into(), log: Some("/w/zlib.log".into()) };
        Event::TaskFinished { task: "zlib".into(), outcome, duration: Duration::from_millis(1500) }
    }

    fn output(line: &str) -> Event {
        Event::Output { task: "zlib".into(), line: line.into(), error: false }
    }

    #[test]
    fn a_brief_narrator_shows_the_end_of_what_a_failed_task_said() {
        let mut narrator = Narrator::new(Detail::Brief, Paint::Never);
        for number in 1..=TAIL + 2 {
            assert_eq!(narrator.tell(&output(&number.to_string())), [""; 0]);
        }
        let lines = narrator.tell(&failed());
        assert_eq!((lines.first().unwrap().as_str(), lines.len()), ("zlib> 3", TAIL + 2));
        assert_eq!(
            lines[TAIL..],
            ["zlib> failed after 1.5 s: `make` exited with code 2", "zlib> full log: /w/zlib.log"]
        );
    }

    #[test]
    fn a_full_narrator_does_not_say_a_line_twice() {
        let mut narrator = Narrator::new(Detail::Full, Paint::Never);
        assert_eq!(narrator.tell(&output("10 %\r20 %\r")), ["zlib> 20 %"]);
        assert_eq!(narrator.tell(&failed()).len(), 2);
    }

    #[test]
    fn a_miss_is_no_trouble_and_trouble_is_said() {
        let missed = |miss| Event::Missed { task: "zlib".into(), tag: "t".into(), miss };
        let mut narrator = Narrator::new(Detail::Brief, Paint::Never);
        assert_eq!(narrator.tell(&missed(Miss::Absent)), [""; 0]);
        assert_eq!(narrator.tell(&missed(Miss::TimedOut)), ["zlib> the cache did not answer in time"]);
        let mut full = Narrator::new(Detail::Full, Paint::Always);
        assert_eq!(full.tell(&missed(Miss::Absent)), ["\x1b[36mzlib>\x1b[0m \x1b[2mnot in the cache\x1b[0m"]);
    }

    #[test]
    fn tasks_have_colours_of_their_own_and_errors_are_red() {
        let mut narrator = Narrator::new(Detail::Full, Paint::Always);
        narrator.tell(&output("x"));
        let event = Event::Output { task: "app".into(), line: "bad".into(), error: true };
        assert_eq!(narrator.tell(&event), ["\x1b[32mapp>\x1b[0m \x1b[31mbad\x1b[0m"]);
    }

    #[test]
    fn what_is_up_to_date_is_not_worth_a_line() {
        let event = Event::TaskFinished { task: "a".into(), outcome: Outcome::UpToDate, duration: Duration::default() };
        assert_eq!(Narrator::new(Detail::Full, Paint::Never).tell(&event), [""; 0]);
    }
}
