//! The action: what a run would do with a task, and why. Decided from facts; nothing is done here.

use serde::Serialize;

use super::install::Verdict;

/// What a run does with a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Action {
    /// It is installed as planned: nothing.
    UpToDate,
    /// Install it from the tree that is still on this machine.
    Install,
    /// Ask the cache for it; if it is not there, build it.
    RestoreOrBuild,
    /// Build it.
    Build,
}

/// An action with the reason for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Decision {
    /// What to do.
    pub action: Action,
    /// Why, as a sentence without a full stop.
    pub reason: String,
}

/// What is known about a task before it is worked on.
#[derive(Debug)]
pub(crate) struct Facts {
    /// Whether the task is staged, so that it can be a tree and an artifact.
    pub(crate) staged: bool,
    /// Whether everything is to be built anew.
    pub(crate) recache: bool,
    /// Whether artifacts are fetched.
    pub(crate) fetches: bool,
    /// How its installed files stand.
    pub(crate) installed: Verdict,
    /// Whether its tree is on this machine, intact.
    pub(crate) tree: bool,
}

/// Decides.
pub(crate) fn decide(facts: &Facts) -> Decision {
    let why = match &facts.installed {
        Verdict::Intact => "it is installed".to_owned(),
        Verdict::Absent => "it is not installed".to_owned(),
        Verdict::OtherTag(_) => "something that counts into it has changed".to_owned(),
        Verdict::Damaged { path, why } => format!("`{}` {why}", path.display()),
    };
    let action = match (&facts.installed, facts.recache) {
        (_, true) => return Decision { action: Action::Build, reason: "everything is built anew".into() },
        (Verdict::Intact, _) => Action::UpToDate,
        _ if facts.tree => Action::Install,
        _ if facts.staged && facts.fetches => Action::RestoreOrBuild,
        _ => Action::Build,
    };
    Decision { action, reason: why }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> Facts {
        Facts { staged: true, recache: false, fetches: true, installed: Verdict::Absent, tree: false }
    }

    #[test]
    fn the_nearest_way_is_taken() {
        let action = |facts: Facts| decide(&facts).action;
        assert_eq!(action(facts()), Action::RestoreOrBuild);
        assert_eq!(action(Facts { fetches: false, ..facts() }), Action::Build);
        assert_eq!(action(Facts { staged: false, ..facts() }), Action::Build);
        assert_eq!(action(Facts { tree: true, ..facts() }), Action::Install);
        assert_eq!(action(Facts { installed: Verdict::Intact, tree: true, ..facts() }), Action::UpToDate);
        assert_eq!(action(Facts { installed: Verdict::Intact, recache: true, ..facts() }), Action::Build);
    }

    #[test]
    fn a_decision_says_why() {
        let damaged = Verdict::Damaged { path: "/opt/shop/bin/x".into(), why: "is gone" };
        assert_eq!(decide(&Facts { installed: damaged, ..facts() }).reason, "`/opt/shop/bin/x` is gone");
        let other = Verdict::OtherTag("shop-x-0".into());
        assert_eq!(decide(&Facts { installed: other, ..facts() }).reason, "something that counts into it has changed");
    }
}
