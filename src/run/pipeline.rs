//! The pipeline: the life of one task. Up to date, from a tree, from the cache, or built.

use super::action::{Action, Decision, Facts, decide};
use super::event::{Event, Outcome, TaskRef};
use super::history::History;
use super::licenses;
use super::shared::Shared;
use crate::cache::{CacheMode, CachePolicy, Look, Lookup, Miss, Restored, Tree, TreeState};
use crate::error::{Error, Result};
use crate::host::listing::Listing;
use crate::plan::PlannedTask;

/// How often a task waits for someone else who builds the same, and looks again, before it is built here.
const ROUNDS: usize = 3;

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
            (_, None) => {
                if self.stages(task) {
                    self.exchange.pass_over(&|remark| self.remark(name, remark));
                }
                self.build(task, name, self.recaches()).map(|()| Outcome::Built)
            }
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
        let Some(mut miss) = self.restore(task, name)? else { return Ok(Outcome::Restored) };
        let waiting = |holder: &str| self.tell(Event::Waiting { task: name.clone(), holder: holder.to_owned() });
        let remark = |remark| self.remark(name, remark);
        let mut turn = None;
        for round in 0..ROUNDS {
            turn = self.exchange.claim(task.tag(), round, &waiting, &remark);
            self.cancel.check()?;
            if turn.is_some() {
                break;
            }
            match self.restore(task, name)? {
                Some(another) => miss = another,
                None => return Ok(Outcome::Restored),
            }
        }
        // What is there is of no use to anyone, and most caches keep what they have. An artifact that is not signed
        // either would be no better than one that nobody trusts.
        let replace = miss.replaces() && (self.settings.trust.signs() || !matches!(miss, Miss::Untrusted(_)));
        let built = self.build(task, name, replace);
        drop(turn);
        built.map(|()| Outcome::Built)
    }

    /// Asks the cache for a task and installs what it has; why it has to be built, if it has to.
    fn restore(&self, task: &PlannedTask<'_>, name: &TaskRef) -> Result<Option<Miss>> {
        self.tell(Event::Fetching { task: name.clone(), tag: task.tag().to_owned() });
        let remark = |remark| self.remark(name, remark);
        let miss = match self.exchange.fetch(task.name(), task.tag(), &self.dir.restore(), &remark) {
            Lookup::Cancelled => return Err(Error::Interrupted),
            Lookup::Miss(miss) => miss,
            Lookup::Hit(restored) => match self.accept(task, &restored)? {
                Ok(tree) => {
                    self.hit(task, name);
                    return self.install(task, &tree).map(|()| None);
                }
                Err(why) => Miss::Corrupt(why),
            },
        };
        self.missed(task, name, miss.clone())?;
        Ok(Some(miss))
    }

    fn hit(&self, task: &PlannedTask<'_>, name: &TaskRef) {
        self.count(|cache| cache.hits += 1);
        let found = self.traffic().of(name).and_then(|traffic| traffic.looks.last().cloned());
        if let Some(look) = found {
            let (task, tag) = (name.clone(), task.tag().to_owned());
            self.tell(Event::Hit { task, tag, tier: look.tier, size: look.bytes });
        }
    }

    /// Makes a restored artifact the task's tree, unless it lacks what every build of the task has, or has what none
    /// may have.
    fn accept(&self, task: &PlannedTask<'_>, restored: &Restored) -> Result<Result<Tree, String>> {
        let dir = restored.room.path();
        if let Some(file) = licenses::missing(task.task(), self.project(), dir) {
            return Ok(Err(format!("it lacks the license file `{}`", file.display())));
        }
        if let Err(error) = self.installer.admit(task.name(), &Listing::of(dir)?.entries) {
            return Ok(Err(error.to_string()));
        }
        let draft = self.trees.adopt(dir, task.tag())?;
        let tree = draft.seal(self.project().source_date_epoch, Some(restored.digest))?;
        self.state().set_artifact(task.tag(), &restored.digest)?;
        Ok(Ok(tree))
    }

    fn missed(&self, task: &PlannedTask<'_>, name: &TaskRef, miss: Miss) -> Result<()> {
        let failure = miss.is_failure();
        self.count(|cache| if failure { cache.failed_fetches += 1 } else { cache.misses += 1 });
        self.tell(Event::Missed { task: name.clone(), tag: task.tag().to_owned(), miss: miss.clone() });
        let fatal = {
            let mut traffic = self.traffic();
            traffic.disown(name, &miss);
            traffic.of(name).is_some_and(|traffic| traffic.looks.iter().any(Look::is_fatal))
        };
        if fatal || (!miss.is_certain() && self.settings.cache_policy.requires_read()) {
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
        if let Err(error) = History::of(self.plan, task).write(&self.dir.history(task.name())) {
            self.warn(&task.name().into(), error.to_string());
        }
    }
}
