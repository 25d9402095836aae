//! The pipeline: the life of one task. Up to date, from a tree, from the cache, or built.

use super::action::{Action, Decision, Facts, decide};
use super::event::{Event, Outcome, TaskRef};
use super::history::History;
use super::licenses;
use super::shared::Shared;
use crate::cache::{CacheMode, CachePolicy, Lookup, Miss, Restored, Tree, TreeState};
use crate::error::{Error, Result};
use crate::plan::PlannedTask;

impl Shared<'_> {
    /// Leads a task to its end.
    pub(crate) fn lead(&self, task: &PlannedTask<'_>, name: &TaskRef) -> Result<Outcome> {
        self.cancel.check()?;
        let (decision, tree) = self.decide(task, name)?;
        if decision.action != Action::UpToDate {
            self.check_install_dir()?;
        }
        match (decision.action, tree) {
            (Action::UpToDate, _) => Ok(Outcome::UpToDate),
            (_, Some(tree)) => self.install(task, &tree).map(|()| Outcome::Installed),
            (Action::RestoreOrBuild, None) => self.restore_or_build(task, name),
            (_, None) => self.build(task, name, self.recaches()).map(|()| Outcome::Built),
        }
    }

    /// What to do with a task, with its tree if that is the way.
    fn decide(&self, task: &PlannedTask<'_>, name: &TaskRef) -> Result<(Decision, Option<Tree>)> {
        let staged = self.stages(task);
        let mut facts = Facts {
            staged,
            recache: self.recaches(),
            fetches: self.exchange.reads(),
            installed: self.installer.verify(task.name(), task.tag(), &task.task().overrides),
            tree: false,
        };
        let decision = decide(&facts);
        if decision.action == Action::UpToDate || facts.recache || !staged {
            return Ok((decision, None));
        }
        let tree = self.tree(task, name)?;
        facts.tree = tree.is_some();
        Ok((decide(&facts), tree))
    }

    fn tree(&self, task: &PlannedTask<'_>, name: &TaskRef) -> Result<Option<Tree>> {
        match self.trees.get(task.tag())? {
            TreeState::Present(tree) => Ok(Some(tree)),
            TreeState::Absent => Ok(None),
            TreeState::Damaged(what) => {
                self.warn(name, format!("its tree was changed by someone and is not used again: {what}"));
                Ok(None)
            }
        }
    }

    fn restore_or_build(&self, task: &PlannedTask<'_>, name: &TaskRef) -> Result<Outcome> {
        self.tell(Event::Fetching { task: name.clone(), tag: task.tag().to_owned() });
        let warn = |text| self.warn(name, text);
        let lookup = self.exchange.fetch(task.name(), task.tag(), &self.dir.restore(), &warn);
        let miss = match lookup {
            Lookup::Cancelled => return Err(Error::Interrupted),
            Lookup::Miss(miss) => miss,
            Lookup::Hit(restored) => match self.accept(task, restored)? {
                Ok(tree) => {
                    self.install(task, &tree)?;
                    self.count(|cache| cache.hits += 1);
                    return Ok(Outcome::Restored);
                }
                Err(why) => Miss::Corrupt(why),
            },
        };
        // What is there is of no use to anyone, and most caches keep what they have.
        let replace = match miss {
            Miss::Corrupt(_) => true,
            // One that is not signed either would be no better.
            Miss::Untrusted(_) => self.settings.trust.signs(),
            _ => false,
        };
        self.missed(task, name, miss)?;
        self.build(task, name, replace).map(|()| Outcome::Built)
    }

    /// Makes a restored artifact the task's tree, unless it lacks what every build of the task has, or has what none
    /// may have.
    fn accept(&self, task: &PlannedTask<'_>, restored: Restored) -> Result<Result<Tree, String>> {
        let dir = restored.room.path();
        if let Some(file) = licenses::missing(task.task(), self.project(), dir) {
            return Ok(Err(format!("it lacks the license file `{}`", file.display())));
        }
        if let Err(error) = self.installer.admit(task.name(), &restored.entries) {
            return Ok(Err(error.to_string()));
        }
        let draft = self.trees.adopt(dir, restored.entries, task.tag());
        let tree = draft.seal(self.project().source_date_epoch, Some(restored.digest))?;
        self.state().set_artifact(task.tag(), &restored.digest)?;
        Ok(Ok(tree))
    }

    fn missed(&self, task: &PlannedTask<'_>, name: &TaskRef, miss: Miss) -> Result<()> {
        let failure = miss.is_failure();
        self.count(|cache| if failure { cache.failed_fetches += 1 } else { cache.misses += 1 });
        self.tell(Event::Missed { task: name.clone(), tag: task.tag().to_owned(), miss: miss.clone() });
        if failure && self.settings.cache_policy.requires_read() {
            return Err(Error::Cache { operation: "fetch", tag: task.tag().to_owned(), reason: miss.to_string() });
        }
        if failure && self.settings.cache_policy == CachePolicy::Warn {
            self.warn(name, miss.to_string());
        }
        Ok(())
    }

    /// Whether everything is built anew, and kept in place of what was.
    fn recaches(&self) -> bool {
        self.settings.cache_mode == CacheMode::Recache
    }

    /// Installs a tree, and writes down what counted into it, for `why`.
    pub(super) fn install(&self, task: &PlannedTask<'_>, tree: &Tree) -> Result<()> {
        self.installer.install(task.name(), task.tag(), tree, &task.task().overrides)?;
        self.remember(task);
        Ok(())
    }

    /// Writes down what counted. Where that fails an explanation is lost, and no more.
    pub(super) fn remember(&self, task: &PlannedTask<'_>) {
        if let Err(error) = self.histories.add(&History::of(self.plan, task)) {
            self.warn(&task.name().into(), error.to_string());
        }
    }
}
