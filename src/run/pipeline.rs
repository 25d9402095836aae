//! The pipeline: the life of one task. Up to date, from a tree, from the cache, or built. Transfer slots bring what it
//! needs, a worker leads it on from there.

use super::action::{Action, Facts, decide};
use super::event::{Event, Outcome, TaskRef};
use super::handover::Offer;
use super::history::History;
use super::install::Verdict;
use super::shared::Shared;
use super::source::Provision;
use super::{licenses, source};
use crate::cache::{CacheMode, CachePolicy, Guard, Look, Lookup, Miss, Restored, Tree, TreeState, Trees, Turn};
use crate::error::{Error, Result};
use crate::plan::{Errand, PlannedTask};

/// What transfer slots have brought for a task.
#[derive(Debug, Default)]
pub(crate) struct Brought {
    answer: Option<Result<Answer>>,
    source: Option<Result<Provision>>,
    /// How often the cache was asked again, since someone else had been building the same.
    rounds: usize,
}

/// One of the things that are brought.
#[derive(Debug)]
pub(crate) enum Load {
    Answer(Result<Answer>),
    Source(Result<Provision>),
}

impl Load {
    /// Whether it is missing because somebody stopped the errand.
    pub(crate) fn is_interrupted(&self) -> bool {
        matches!(self, Load::Answer(Err(Error::Interrupted)) | Load::Source(Err(Error::Interrupted)))
    }
}

impl Brought {
    /// Adds something, in place of what it had of that kind.
    pub(crate) fn add(&mut self, load: Load) {
        match load {
            Load::Answer(answer) => {
                if matches!(answer, Ok(Answer::Miss { useless: true, .. })) {
                    // That there is something will tell nothing from now on.
                    self.rounds = self.rounds.max(1);
                }
                self.answer = Some(answer);
            }
            Load::Source(source) => self.source = Some(source),
        }
    }
}

/// What the cache said.
#[derive(Debug)]
pub(crate) enum Answer {
    /// The artifact, unpacked, verified and sealed.
    Hit(Tree),
    /// It has none.
    Miss {
        /// Whether the new one takes the place of what it has.
        replace: bool,
        /// Whether it has something all the same, which is of no use here.
        useless: bool,
    },
}

/// How often a task waits for someone else who builds the same, and looks again, before it is built here.
const ROUNDS: usize = 3;

/// Where a worker has led a task.
#[derive(Debug)]
pub(crate) enum Led {
    /// To its end, where its artifact may be kept.
    Ended(Outcome, Option<Box<Offer>>),
    /// It needs something from afar first.
    Wants(Errand),
}

impl Shared<'_> {
    /// What a task needs from afar, as far as is known before its upstreams are done.
    pub(crate) fn foresee(&self, task: &PlannedTask<'_>) -> Option<Errand> {
        let source = || source::is_remote(task.task()).then_some(Errand::Source);
        if self.recaches() {
            return source();
        }
        let staged = self.stages(task);
        if staged && Trees::holds(&self.dir.trees(), task.tag()) || self.verify(task) == Verdict::Intact {
            return None;
        }
        if staged && self.exchange.reads() { Some(Errand::Artifact) } else { source() }
    }

    /// Leads a task to its end, or to where it needs something more than was brought for it.
    pub(crate) fn lead(&self, task: &PlannedTask<'_>, name: &TaskRef, brought: &mut Brought) -> Result<Led> {
        match (self.lead_on(task, name, brought)?, self.pressing.get(task.tag())) {
            (Led::Ended(outcome @ (Outcome::UpToDate | Outcome::Installed), None), Some(debt)) => {
                Ok(Led::Ended(outcome, self.pack_again(task, name, debt.clone())?.map(Box::new)))
            }
            (led, _) => Ok(led),
        }
    }

    fn lead_on(&self, task: &PlannedTask<'_>, name: &TaskRef, brought: &mut Brought) -> Result<Led> {
        self.cancel.check()?;
        let replace = match brought.answer.take().transpose()? {
            Some(Answer::Hit(tree)) => return self.put_in_place(task, &tree, Outcome::Restored),
            Some(Answer::Miss { replace, .. }) => replace,
            None => match self.decide(task, name)? {
                (Action::UpToDate, _) => return Ok(Led::Ended(Outcome::UpToDate, None)),
                (_, Some(tree)) => return self.put_in_place(task, &tree, Outcome::Installed),
                (Action::RestoreOrBuild, None) => return Ok(Led::Wants(Errand::Artifact)),
                (_, None) => {
                    self.pass_over(task, name);
                    self.recaches()
                }
            },
        };
        let source = match brought.source.take() {
            Some(source) => source,
            None if !source::is_remote(task.task()) => Ok(Provision::Here),
            None => {
                brought.answer = Some(Ok(Answer::Miss { replace, useless: false }));
                return Ok(Led::Wants(Errand::Source));
            }
        };
        self.check_install_dir()?;
        let turn = match brought.rounds {
            ROUNDS.. => None,
            round if self.stages(task) && self.exchange.reads() => match self.claim(task, name, round)? {
                Some(turn) => Some(turn),
                None => {
                    (brought.source, brought.rounds) = (Some(source), round + 1);
                    return Ok(Led::Wants(Errand::Artifact));
                }
            },
            _ => None,
        };
        self.build(task, name, source, replace, turn).map(|offer| Led::Ended(Outcome::Built, offer.map(Box::new)))
    }

    /// The right to build a task; `None` when someone else has been at it, and the cache may have its artifact now.
    fn claim(&self, task: &PlannedTask<'_>, name: &TaskRef, round: usize) -> Result<Option<Turn>> {
        let waiting = |holder: &str| self.tell(Event::Waiting { task: name.clone(), holder: holder.to_owned() });
        let turn = self.exchange.claim(task.tag(), round, &waiting, &|remark| self.remark(name, remark));
        self.cancel.check().map(|()| turn)
    }

    /// Counts what a task does not ask the cache, since the mode says so.
    fn pass_over(&self, task: &PlannedTask<'_>, name: &TaskRef) {
        if self.stages(task) {
            self.exchange.pass_over(&|remark| self.remark(name, remark));
        }
    }

    fn put_in_place(&self, task: &PlannedTask<'_>, tree: &Tree, outcome: Outcome) -> Result<Led> {
        self.check_install_dir()?;
        self.install(task, tree).map(|()| Led::Ended(outcome, None))
    }

    /// What to do with a task, with its tree if that is the way.
    fn decide(&self, task: &PlannedTask<'_>, name: &TaskRef) -> Result<(Action, Option<Tree>)> {
        let staged = self.stages(task);
        let mut facts = Facts {
            staged,
            recache: self.recaches(),
            fetches: self.exchange.reads(),
            installed: self.verify(task),
            tree: false,
        };
        let action = decide(&facts).action;
        if action == Action::UpToDate || facts.recache || !staged {
            return Ok((action, None));
        }
        let tree = self.tree(task, name)?;
        facts.tree = tree.is_some();
        Ok((decide(&facts).action, tree))
    }

    fn verify(&self, task: &PlannedTask<'_>) -> Verdict {
        self.installer.verify(task.name(), task.tag(), &task.task().particulars().overrides)
    }

    pub(super) fn tree(&self, task: &PlannedTask<'_>, name: &TaskRef) -> Result<Option<Tree>> {
        match self.trees.get(task.tag())? {
            TreeState::Present(tree) => Ok(Some(tree)),
            TreeState::Absent => Ok(None),
            TreeState::Damaged(what) => {
                self.warn(name, format!("its tree was changed by someone and is not used again: {what}"));
                Ok(None)
            }
        }
    }

    /// Asks the cache for the artifact of a task, and makes what it has the task's tree.
    pub(crate) fn fetch(&self, guard: &mut Guard, task: &PlannedTask<'_>, name: &TaskRef) -> Result<Answer> {
        self.check_install_dir()?;
        self.tell(Event::Fetching { task: name.clone(), tag: task.tag().to_owned() });
        let remark = |remark| self.remark(name, remark);
        let lookup = self.exchange.fetch(guard, task.name(), task.tag(), &self.dir.restore(), &remark);
        let miss = match lookup {
            Lookup::Cancelled => return Err(Error::Interrupted),
            Lookup::Miss(miss) => miss,
            Lookup::Hit(restored) => match self.accept(task, restored)? {
                Ok(tree) => {
                    self.hit(task, name);
                    self.forget(task, name);
                    return Ok(Answer::Hit(tree));
                }
                Err(why) => Miss::Corrupt(why),
            },
        };
        // Most caches keep what they have, though it is of no use to anyone.
        let (replace, useless) = match miss {
            Miss::Corrupt(_) => (true, true),
            // One that is not signed either would be no better.
            Miss::Untrusted(_) => (self.settings.trust.signs(), true),
            _ => (false, false),
        };
        self.missed(task, name, miss).map(|()| Answer::Miss { replace, useless })
    }

    fn hit(&self, task: &PlannedTask<'_>, name: &TaskRef) {
        self.count(|cache| cache.hits += 1);
        let found = self.traffic().of(name).and_then(|traffic| traffic.looks.last().cloned());
        if let Some(look) = found {
            let (task, tag) = (name.clone(), task.tag().to_owned());
            self.tell(Event::Fetched { task, tag, tier: look.tier, size: look.bytes });
        }
    }

    /// Brings the source of a task to this machine.
    pub(crate) fn fetch_source(&self, task: &PlannedTask<'_>) -> Result<Provision> {
        self.check_install_dir()?;
        let tell = |event| self.tell(event);
        source::fetch(task.task(), self.plan.inputs(), &self.supply, &self.exchange.cancel, &tell)
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
        self.artifacts.add(task.tag(), &restored.digest)?;
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
        self.installer.install(task.name(), task.tag(), tree, &task.task().particulars().overrides)?;
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
