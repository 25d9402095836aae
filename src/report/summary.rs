//! The summary at the end of a run: what was built, restored and left as it was, and the time that saved.

use std::time::Duration;

use super::outcome::{KINDS, Kind};
use super::paint::{Ink, Paint};
use super::table::{Cell, table};
use crate::run::{Outcome, Report, TaskReport};
use crate::text;

/// How many tasks a line names.
const NAMED: usize = 8;

/// The end of a run in a few lines, each with its newline: the tasks by outcome, and one line about the whole. A run
/// that had nothing to do gets that line alone.
pub fn summary(report: &Report, paint: Paint) -> String {
    let unchanged = |task: &TaskReport| task.outcome == Outcome::UpToDate;
    if report.success() && report.tasks.iter().all(unchanged) {
        return nothing(report);
    }
    let rows: Vec<_> = KINDS.into_iter().filter_map(|kind| row(kind, report)).collect();
    table(&rows, paint) + &total(report, paint)
}

fn nothing(report: &Report) -> String {
    let work = match report.cache.stored {
        0 => "nothing to do".to_owned(),
        stored => format!("nothing to build, {} kept that the cache lacked", text::count(stored, "artifact")),
    };
    let state = match report.tasks.len() {
        0 => "it has no tasks".to_owned(),
        1 => "its task is up to date".to_owned(),
        count => format!("all {count} tasks are up to date"),
    };
    let trouble = trouble(report);
    format!("{}: {work}, {state} ({}){trouble}\n", report.project, text::duration(report.duration))
}

fn row(kind: Kind, report: &Report) -> Option<Vec<Cell>> {
    let tasks = kind.tasks(report);
    if tasks.is_empty() {
        return None;
    }
    let timed = kind.word == "built";
    let named: Vec<_> = tasks.iter().take(NAMED).map(|task| name(task, timed)).collect();
    let more = match tasks.len() - named.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let count = tasks.len().to_string();
    Some(vec![(format!("  {}", kind.word), kind.ink), (count, Ink::Plain), (named.join(", ") + &more, Ink::Plain)])
}

fn name(task: &TaskReport, timed: bool) -> String {
    match timed {
        true => format!("{} ({})", task.name, text::duration(task.duration)),
        false => task.name.clone(),
    }
}

fn total(report: &Report, paint: Paint) -> String {
    let (word, ink) = match (report.interrupted, report.success()) {
        (true, _) => ("interrupted", Ink::Warn),
        (_, true) => ("finished", Ink::Good),
        _ => ("failed", Ink::Bad),
    };
    let saved = match report.saved() {
        Duration::ZERO => String::new(),
        saved => format!(", {} saved", text::duration(saved)),
    };
    let end = format!("{word} after {}", text::duration(report.duration));
    format!("{}: {}{saved}{}\n", report.project, paint.text(ink, &end), trouble(report))
}

/// What the cache could not do, which is never silent.
fn trouble(report: &Report) -> String {
    let failed = match report.cache.failed_fetches + report.cache.failed_updates {
        0 => String::new(),
        1 => "; the cache failed once".to_owned(),
        failures => format!("; the cache failed {failures} times"),
    };
    let owed = match report.cache.owed {
        0 => String::new(),
        owed => format!("; {} left for a later run to offer again", text::count(owed, "artifact")),
    };
    let failed = failed + &owed;
    let left = report.cache.tiers.iter().filter_map(|tier| Some((&tier.name, tier.left.as_ref()?)));
    left.fold(failed, |text, (tier, reason)| format!("{text}; `{tier}` was left alone: {reason}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Digest;
    use crate::run::CacheReport;

    fn task(name: &str, outcome: Outcome, saved: u64) -> TaskReport {
        TaskReport {
            name: name.into(),
            tag: String::new(),
            shasum: Digest::of(""),
            outcome,
            duration: Duration::from_millis(1200),
            saved: Duration::from_secs(saved),
            error: None,
            log: None,
            looks: Vec::new(),
            offers: Vec::new(),
        }
    }

    fn report(tasks: Vec<TaskReport>) -> Report {
        let cache = CacheReport::default();
        Report { project: "shop".into(), tasks, cache, duration: Duration::from_millis(4100), interrupted: false }
    }

    #[test]
    fn a_run_with_nothing_to_do_says_so() {
        let report = report(vec![task("a", Outcome::UpToDate, 3), task("b", Outcome::UpToDate, 3)]);
        assert_eq!(summary(&report, Paint::Never), "shop: nothing to do, all 2 tasks are up to date (4.1 s)\n");
    }

    #[test]
    fn tasks_are_named_by_what_became_of_them() {
        let mut tasks: Vec<_> = (1..=10).map(|n| task(&format!("t{n}"), Outcome::UpToDate, 1)).collect();
        tasks.extend([task("app", Outcome::Built, 0), task("zlib", Outcome::Restored, 90)]);
        let expected = "  built      1   app (1.2 s)
  restored   1   zlib
  unchanged  10  t1, t2, t3, t4, t5, t6, t7, t8 and 2 more
shop: finished after 4.1 s, 1 min 40 s saved
";
        assert_eq!(summary(&report(tasks), Paint::Never), expected);
    }

    #[test]
    fn trouble_with_the_cache_is_in_the_last_line() {
        let mut report = report(vec![task("app", Outcome::Built, 0)]);
        report.cache.failed_updates = 1;
        let text = summary(&report, Paint::Never);
        assert!(text.ends_with("shop: finished after 4.1 s; the cache failed once\n"), "{text}");
        report.cache.owed = 1;
        let text = summary(&report, Paint::Never);
        assert!(text.ends_with("; the cache failed once; 1 artifact left for a later run to offer again\n"), "{text}");
    }

    #[test]
    fn what_is_kept_of_earlier_runs_is_said() {
        let mut report = report(vec![task("app", Outcome::UpToDate, 0)]);
        (report.cache.stored, report.cache.owed) = (1, 2);
        let expected = "shop: nothing to build, 1 artifact kept that the cache lacked, its task is up to date (4.1 s); \
                        2 artifacts left for a later run to offer again\n";
        assert_eq!(summary(&report, Paint::Never), expected);
    }
}
