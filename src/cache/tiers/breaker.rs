//! The breaker: knows whether a tier is worth asking, and bounds what asking it in vain may cost a run.
//!
//! ```text
//!            failures in a row, or silence                 cool-down is over
//!   closed ---------------------------------> open ------------------------------> probing
//!     ^  \                                     ^  \                                   |  |
//!     |   `--- budget used up ---> spent <-----|---'                                  |  |
//!     |                                        `------------ no answer ---------------'  |
//!     `--------------------------------------- an answer --------------------------------'
//! ```
//!
//! Nobody waits for a probe: it runs on a thread of its own while tasks pass the tier by.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::fault::Fault;
use super::tier::TierSettings;
use super::wait::Wait;

/// Whether a tier is worth asking.
#[derive(Debug)]
pub(super) struct Breaker {
    failures: u32,
    cool_down: Duration,
    timeout: Option<Duration>,
    budget: Duration,
    pace: u64,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    phase: Phase,
    /// Failures since the last success.
    failures: u32,
    /// How often it was opened without an answer in between.
    openings: u32,
    /// Grows when all operations that are under way have to be given up.
    epoch: u64,
    /// When the tier last gave a sign of life.
    heard: Option<Instant>,
    /// What the run has lost so far, and the moment up to which that was counted: several may wait at the same time.
    spent: Duration,
    counted: Option<Instant>,
    told: bool,
}

/// Where a breaker stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// The tier is asked.
    Closed,
    /// It is passed by until then.
    Open(Instant),
    /// It is passed by while one question finds out whether it answers.
    Probing,
    /// It has cost the run all that it may, and is passed by until the run ends.
    Spent,
}

/// Whether an operation may begin.
pub(super) enum Admission {
    Granted(Pass),
    /// Not yet; the caller begins a probe, and passes the tier by.
    Probe,
    Left,
}

/// The right to one operation.
#[derive(Debug)]
pub(super) struct Pass {
    breaker: Arc<Breaker>,
    epoch: u64,
    limit: Option<Duration>,
}

impl Breaker {
    pub(super) fn new(settings: &TierSettings) -> Self {
        let twice = settings.timeout.map(|timeout| timeout.saturating_mul(2));
        Self {
            failures: settings.failures.max(1),
            cool_down: settings.cool_down,
            timeout: settings.timeout,
            budget: settings.budget.or(twice).unwrap_or_default(),
            pace: settings.pace.max(1),
            state: Mutex::new(State::new(0)),
        }
    }

    /// A new run begins: whatever happened before, the tier gets a new chance and a new budget.
    pub(super) fn renew(&self) {
        let mut state = self.state();
        *state = State::new(state.epoch);
    }

    pub(super) fn admit(self: &Arc<Self>) -> Admission {
        let mut state = self.state();
        match state.phase {
            Phase::Closed => {
                let left = self.budget.saturating_sub(state.spent);
                let limit = self.timeout.map(|timeout| timeout.min(left));
                Admission::Granted(Pass { breaker: self.clone(), epoch: state.epoch, limit })
            }
            Phase::Open(until) if Instant::now() >= until => {
                state.phase = Phase::Probing;
                Admission::Probe
            }
            Phase::Open(_) | Phase::Probing | Phase::Spent => Admission::Left,
        }
    }

    /// Whether the tier is asked at present.
    pub(super) fn is_closed(&self) -> bool {
        self.state().phase == Phase::Closed
    }

    /// A probe has ended.
    pub(super) fn probed(&self, answered: bool) {
        let mut state = self.state();
        if state.phase != Phase::Probing {
            return; // another run has begun meanwhile
        }
        match answered {
            true => {
                state.phase = Phase::Closed;
                // On approval: the next failure opens it again.
                state.failures = self.failures - 1;
                state.heard = Some(Instant::now());
            }
            false => self.open(&mut state),
        }
    }

    fn open(&self, state: &mut State) {
        let wait = self.cool_down.saturating_mul(1 << state.openings.min(5));
        state.openings += 1;
        let now = Instant::now();
        state.phase = Phase::Open(now.checked_add(wait).unwrap_or(now));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn new(epoch: u64) -> Self {
        Self {
            phase: Phase::Closed,
            failures: 0,
            openings: 0,
            epoch,
            heard: None,
            spent: Duration::ZERO,
            counted: None,
            told: false,
        }
    }

    /// Counts time that was lost up to now; what others have lost in the same time counts once.
    fn spend(&mut self, waited: Duration) {
        let now = Instant::now();
        let start = now.checked_sub(waited).unwrap_or(now);
        let start = self.counted.map_or(start, |counted| start.max(counted));
        self.spent += now.saturating_duration_since(start);
        self.counted = Some(now);
    }
}

impl Pass {
    /// How long the tier may be silent; `None` for ever.
    pub(super) fn limit(&self) -> Option<Duration> {
        self.limit
    }

    /// The tier gave a sign of life.
    pub(super) fn hear(&self) {
        self.breaker.state().heard = Some(Instant::now());
    }

    /// Whether an operation that has waited so long goes on waiting.
    pub(super) fn bear(&self, wait: &Wait) -> Result<(), Fault> {
        let Some(limit) = self.limit else { return Ok(()) };
        if self.breaker.state().epoch != self.epoch {
            return Err(Fault::Left);
        }
        let fair = Duration::from_millis(wait.bytes.saturating_mul(1000) / self.breaker.pace);
        match wait.idle >= limit || wait.waited >= limit.saturating_add(fair) {
            true => Err(Fault::TimedOut(limit)),
            false => Ok(()),
        }
    }

    /// The operation was answered, if only by `no`.
    pub(super) fn succeed(&self) {
        let mut state = self.breaker.state();
        (state.failures, state.openings, state.heard) = (0, 0, Some(Instant::now()));
    }

    /// The operation came to nothing. Why the tier is left alone from now on, if this is what it took and nobody was
    /// told yet in this run.
    pub(super) fn fail(&self, fault: &Fault, wait: &Wait) -> Option<String> {
        let mut state = self.breaker.state();
        if self.limit.is_some() {
            state.spend(wait.waited);
        }
        let quiet_since = Instant::now().checked_sub(wait.idle);
        let silent = matches!(fault, Fault::TimedOut(_)) && state.heard <= quiet_since;
        state.failures = state.failures.saturating_add(1);
        if self.limit.is_some() && state.spent >= self.breaker.budget {
            state.phase = Phase::Spent;
            state.epoch += 1;
        } else if state.phase == Phase::Closed && (silent || state.failures >= self.breaker.failures) {
            self.breaker.open(&mut state);
            // Whoever waits for a tier that says nothing waits in vain; one that fails may still answer others.
            state.epoch += u64::from(silent);
        }
        let tells = state.phase != Phase::Closed && !state.told;
        state.told |= tells;
        tells.then(|| fault.to_string())
    }
}

#[cfg(test)]
mod tests;
