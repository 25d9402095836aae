//! The explanation: why a task would be built, as the difference between what counts now and what counted last time.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Serialize;

use super::JSON_FORMAT;
use super::difference::{Change, difference};
use super::paint::{Ink, Paint};
use crate::error::Result;
use crate::model::Digest;
use crate::plan::{Outline, PlannedTask};
use crate::run::{Action, Decision, History, Preview};
use crate::text;

/// What would be done with a task, and what changed since it was last built or restored here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Explanation {
    /// [`JSON_FORMAT`].
    pub format: u32,
    /// The project.
    pub project: String,
    /// The task.
    pub task: String,
    /// Its tag now.
    pub tag: String,
    /// Its key now.
    pub shasum: Digest,
    /// What would be done, and why.
    #[serde(flatten)]
    pub decision: Decision,
    /// The last time; `None` if this machine has neither built nor restored the task.
    pub last: Option<LastTime>,
    /// What changed since, except the keys of upstreams.
    pub changes: Vec<Change>,
    /// The upstreams whose keys changed, that came, or that went.
    pub upstreams: Vec<String>,
    /// How many fields are as they were.
    pub unchanged: usize,
    /// The tiers that are to get the artifact that was built here and could not be kept, none where nobody knows which;
    /// `None` if nothing is owed.
    pub owed: Option<Vec<String>>,
}

/// When a task was last built or restored, and as what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LastTime {
    /// Its tag then.
    pub tag: String,
    /// Its key then.
    pub shasum: Digest,
    /// When, in seconds since 1970.
    pub time: u64,
}

/// The digest of the project's fields, which stand in the outline themselves.
const DERIVED: &str = "task/project";
const UPSTREAMS: &str = "task/upstreams/";

impl Explanation {
    /// Explains a task of a preview; `None` for one that is not in it.
    ///
    /// # Errors
    /// A record of the last time that cannot be read.
    pub fn of(preview: &Preview<'_>, task: &str) -> Result<Option<Self>> {
        let Some((task, decision)) = preview.tasks().find(|(planned, _)| planned.name() == task) else {
            return Ok(None);
        };
        let outline = without_derived(preview.plan().outline(task));
        let history = preview.history(task)?;
        let mut explanation = Self::plain(preview, task, decision);
        explanation.owed = preview.owed(task)?;
        if let Some(history) = history {
            explanation.compare(history, &outline);
        }
        Ok(Some(explanation))
    }

    fn plain(preview: &Preview<'_>, task: &PlannedTask<'_>, decision: &Decision) -> Self {
        Self {
            format: JSON_FORMAT,
            project: preview.plan().project().name().to_owned(),
            task: task.name().to_owned(),
            tag: task.tag().to_owned(),
            shasum: task.shasum(),
            decision: decision.clone(),
            last: None,
            changes: Vec::new(),
            upstreams: Vec::new(),
            unchanged: 0,
            owed: None,
        }
    }

    fn compare(&mut self, history: History, now: &Outline) {
        let changes = difference(&without_derived(history.fields), now);
        let touched = changes.iter().filter(|change| !matches!(change, Change::Removed { .. })).count();
        self.unchanged = now.fields.len() - touched;
        for change in changes {
            match change.label().strip_prefix(UPSTREAMS) {
                Some(upstream) => self.upstreams.push(upstream.to_owned()),
                None => self.changes.push(change),
            }
        }
        self.last = Some(LastTime { tag: history.tag, shasum: history.shasum, time: history.time });
    }

    /// The explanation for people; `now` is what the age of the last build is counted from.
    pub fn text(&self, now: SystemTime, paint: Paint) -> String {
        let task = paint.text(Ink::Bold, &self.task);
        let mut text = format!("{task}: {}, because {}\n", act(self.decision.action), self.decision.reason);
        let Some(last) = &self.last else {
            return text + "it was neither built nor restored in this work directory before\n";
        };
        text.push_str(&format!("last built or restored {} ago, as {}\n", age(last.time, now), last.shasum.short()));
        self.changes.iter().for_each(|change| text.push_str(&shown(change, paint)));
        for upstream in &self.upstreams {
            text.push_str(&format!("upstream `{upstream}` changed: see `cortado why {upstream}`\n"));
        }
        text + &self.rest() + &self.debt()
    }

    fn debt(&self) -> String {
        let Some(tiers) = &self.owed else { return String::new() };
        let tiers: Vec<_> = tiers.iter().map(|tier| format!("`{tier}`")).collect();
        let who = if tiers.is_empty() { "the cache".to_owned() } else { tiers.join(", ") };
        format!("{who} could not keep its artifact: the next run that may write offers it again\n")
    }

    fn rest(&self) -> String {
        match (self.changes.is_empty() && self.upstreams.is_empty(), self.unchanged) {
            (true, _) => "nothing that counts has changed since\n".to_owned(),
            (_, 1) => "1 field is as it was\n".to_owned(),
            (_, count) => format!("{count} fields are as they were\n"),
        }
    }
}

fn without_derived(mut outline: Outline) -> Outline {
    outline.fields.retain(|field| field.label != DERIVED);
    outline
}

fn act(action: Action) -> &'static str {
    match action {
        Action::UpToDate => "nothing to do",
        Action::Install => "will be installed from its tree",
        Action::RestoreOrBuild => "will be restored or built",
        Action::Build => "will be built",
    }
}

fn age(time: u64, now: SystemTime) -> String {
    let then = UNIX_EPOCH + Duration::from_secs(time);
    text::duration(now.duration_since(then).unwrap_or_default())
}

fn shown(change: &Change, paint: Paint) -> String {
    let (word, ink, before, after) = match change {
        Change::Added { after, .. } => ("added", Ink::Good, None, Some(after)),
        Change::Removed { before, .. } => ("removed", Ink::Bad, Some(before), None),
        Change::Changed { before, after, .. } => ("changed", Ink::Warn, Some(before), Some(after)),
    };
    let (before, after) = shorten(before.map(String::as_str), after.map(String::as_str));
    let mut text = format!("  {} {}\n", paint.text(ink, word), change.label());
    for (sign, ink, value) in [('-', Ink::Bad, before), ('+', Ink::Good, after)] {
        let line = value.map(|value| format!("{sign} {value}"));
        line.iter().for_each(|line| text.push_str(&format!("    {}\n", paint.text(ink, line))));
    }
    text
}

/// Two values, each as one line that shows where they differ.
fn shorten(before: Option<&str>, after: Option<&str>) -> (Option<String>, Option<String>) {
    let (Some(before), Some(after)) = (before, after) else {
        return (before.map(|value| window(value, 0)), after.map(|value| window(value, 0)));
    };
    let same = before.lines().zip(after.lines()).take_while(|(old, new)| old == new).count();
    let line = |value: &str| value.lines().nth(same).unwrap_or_default().to_owned();
    let (old, new) = (line(before), line(after));
    let common = old.chars().zip(new.chars()).take_while(|(old, new)| old == new).count();
    (Some(window(&old, common)), Some(window(&new, common)))
}

/// The first line of a value, or as much of it as fits around the character at `place`.
fn window(value: &str, place: usize) -> String {
    const WIDTH: usize = 72;
    const LEAD: usize = 24;
    let line = value.lines().next().unwrap_or_default();
    let more = value.lines().nth(1).is_some();
    if line.len() == 64 && line.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return format!("{}…", line.split_at(12).0);
    }
    let start = if line.chars().count() <= WIDTH { 0 } else { place.saturating_sub(LEAD) };
    let cut = line.chars().count() > start + WIDTH;
    let shown: String = line.chars().skip(start).take(WIDTH).collect();
    let lead = if start > 0 { "…" } else { "" };
    let tail = if cut || more { "…" } else { "" };
    format!("{lead}{shown}{tail}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn explanation(changes: Vec<Change>) -> Explanation {
        Explanation {
            format: JSON_FORMAT,
            project: "shop".into(),
            task: "app".into(),
            tag: "shop-app-0".into(),
            shasum: Digest::of("now"),
            decision: Decision { action: Action::Build, reason: "it is not installed".into() },
            last: Some(LastTime { tag: "shop-app-1".into(), shasum: Digest::of("then"), time: 1000 }),
            changes,
            upstreams: vec!["zlib".into()],
            unchanged: 31,
            owed: None,
        }
    }

    #[test]
    fn an_explanation_reads_from_the_act_to_its_causes() {
        let changed = Change::Changed { label: "task/version".into(), before: "1".into(), after: "2".into() };
        let added = Change::Added { label: "task/build/2/command/line".into(), after: "make\nmake check".into() };
        let text = explanation(vec![changed, added]).text(UNIX_EPOCH + Duration::from_secs(1125), Paint::Never);
        let expected = format!(
            "app: will be built, because it is not installed
last built or restored 2 min 5 s ago, as {}
  changed task/version
    - 1
    + 2
  added task/build/2/command/line
    + make…
upstream `zlib` changed: see `cortado why zlib`
31 fields are as they were
",
            Digest::of("then").short()
        );
        assert_eq!(text, expected);
    }

    #[test]
    fn what_the_cache_lacks_is_said_last() {
        let last = |tiers: &[&str]| {
            let owed = Some(tiers.iter().map(|tier| (*tier).to_owned()).collect());
            let text = Explanation { owed, ..explanation(Vec::new()) }.text(UNIX_EPOCH, Paint::Never);
            text.lines().last().unwrap().to_owned()
        };
        let end = "could not keep its artifact: the next run that may write offers it again";
        assert_eq!(last(&[]), format!("the cache {end}"));
        assert_eq!(last(&["team", "far"]), format!("`team`, `far` {end}"));
    }

    #[test]
    fn long_values_are_shown_where_they_differ() {
        let (before, after) = (format!("{}old", "x".repeat(200)), format!("{}new", "x".repeat(200)));
        let (before, after) = shorten(Some(&before), Some(&after));
        assert_eq!(before.unwrap(), format!("…{}old", "x".repeat(24)));
        assert_eq!(after.unwrap(), format!("…{}new", "x".repeat(24)));
        let lines = shorten(Some("same\nold"), Some("same\nnew"));
        assert_eq!(lines, (Some("old".into()), Some("new".into())));
    }

    #[test]
    fn digests_are_cut() {
        let digest = Digest::of("x").to_string();
        assert_eq!(window(&digest, 3), format!("{}…", &digest[..12]));
    }
}
