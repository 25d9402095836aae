//! Limits on what Lua may use, so that a recipe with a mistake ends with a message instead of hanging the build.

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use mlua::{HookTriggers, Lua, VmState};

use super::mistake::Mistake;

/// What one call into Lua may use.
#[derive(Debug, Clone)]
pub(super) struct Limits {
    /// Instructions of Lua's machine, checked once in a while.
    pub(super) instructions: u64,
    /// Bytes of the whole state.
    pub(super) memory: usize,
    /// Time on the clock, for calls that wait for nothing else.
    pub(super) time: Option<Duration>,
}

/// How many instructions pass between two looks at the budget.
const STEP: u32 = 1000;

impl Limits {
    /// The same limits for a call that may wait for programs or the network.
    pub(super) fn without_time(&self) -> Self {
        Self { time: None, ..self.clone() }
    }

    /// Gives `lua` a fresh budget.
    pub(super) fn start(&self, lua: &Lua) -> mlua::Result<()> {
        lua.set_memory_limit(self.memory)?;
        let spent = Rc::new(Cell::new(0));
        let (limits, began) = (self.clone(), Instant::now());
        lua.set_global_hook(every(STEP), move |lua, frame| {
            spent.set(spent.get() + u64::from(STEP));
            match limits.exceeded(spent.get(), began) {
                None => Ok(VmState::Continue),
                Some(mistake) => {
                    let chunk = frame.source().short_src.unwrap_or_default().into_owned();
                    let mistake = mistake.noticed(&chunk, frame.current_line().unwrap_or(0));
                    stop(lua, mistake.clone())?;
                    Err(mistake.into())
                }
            }
        })
    }

    /// What to say of a state that ran out of memory.
    pub(super) fn out_of_memory(&self) -> Mistake {
        let memory = crate::text::bytes(self.memory as u64);
        Mistake::new(format!("needs more than {memory} of memory"))
            .hint("look for a table or string that grows for ever")
    }

    fn exceeded(&self, spent: u64, began: Instant) -> Option<Mistake> {
        let hint = "look for a loop that never ends";
        if spent > self.instructions {
            let problem = format!("has not ended after {} million instructions", self.instructions / 1_000_000);
            return Some(Mistake::new(problem).hint(hint));
        }
        let limit = self.time.filter(|limit| began.elapsed() > *limit)?;
        Some(Mistake::new(format!("has not ended after {}", crate::text::duration(limit))).hint(hint))
    }
}

/// Fails every further instruction: otherwise a loop of `pcall`s would catch the failure and go on.
fn stop(lua: &Lua, mistake: Mistake) -> mlua::Result<()> {
    lua.set_global_hook(every(1), move |_, _| Err(mistake.clone().into()))
}

fn every(instructions: u32) -> HookTriggers {
    HookTriggers::new().every_nth_instruction(instructions)
}
