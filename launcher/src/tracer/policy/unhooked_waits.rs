//! Waits that no hook has seen: a library's thread in a system call of its own, or in one that libc
//! makes behind the hooks.
//!
//! The keeper finds such a thread asleep and adopts it ([`engine::Kind::Foreign`]). If the call has
//! a time-out, this file knows when it is over in virtual time. The time counts from when the
//! thread was first seen in the call, so the end is never early. Nobody else needs to know: as long
//! as the thread's word does not say that it is at rest, the keeper alone decides on jumps, and it
//! learns the deadline in the very survey that finds the thread asleep. When the clock is there,
//! the keeper ends the call ([`super::inject_timeout`]).

use super::call::Call;
use super::inject_timeout::InjectedTimeout;
use super::wait::Wait;
use crate::budget;
use crate::patience::BY_ITSELF;
use crate::reach;
use crate::report::messages;
use crate::tracer::arch::registers::Registers;
use crate::tracer::ptrace::failed::Failed;
use crate::tracer::ptrace::memory::Memory;
use crate::tracer::ptrace::thread_status::numbers;
use engine::region::layout::Page;
use engine::region::state::State;
use engine::region::tracer_word::NONE;
use engine::schedule::busy::Busy;
use engine::schedule::look::{Found, Look};
use engine::schedule::next::Key;
use engine::statefile::file::StateFile;
use engine::{Engine, Kind};
use look::ProcLook;
use posix::time::NEVER;
use std::collections::HashMap;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};

/// What the word of a thread says that sleeps where no hook sees it; some do so at their end.
const OUTSIDE: [Kind; 3] = [Kind::Foreign, Kind::Ending, Kind::Leaving];

/// The keeper's look, and what it knows of such waits.
pub struct UnhookedWaits {
    /// The look at all threads.
    pub look: ProcLook,
    engine: Engine,
    may_trace: bool,
    budget: Option<usize>,
    /// By slot.
    waits: HashMap<usize, Met>,
    under_way: Vec<InjectedTimeout>,
    survey: u64,
}

/// A thread met asleep.
struct Met {
    state: State,
    runs: u64,
    /// How often it has given up the processor by itself.
    switched: u64,
    /// Virtual and real ns.
    since: (u64, u64),
    /// `None` if nothing but the kernel ends it.
    wait: Option<Wait>,
    survey: u64,
}

impl Met {
    fn key(&self, page: &Page, index: usize) -> Option<Key> {
        let birth = page.slots[index].birth.load(Relaxed);
        self.wait.as_ref().map(|wait| Key { deadline: wait.deadline, parked: self.since.0, birth })
    }

    /// Is the kernel about to end the wait, because so much real time has passed?
    fn ends_by_itself(&self, real: u64) -> bool {
        self.wait.as_ref().is_some_and(|wait| {
            let end = self.since.1 + wait.deadline.saturating_sub(self.since.0);
            !wait.means.until.is_settable()
                && end < real + BY_ITSELF.ns()
                && real < end + BY_ITSELF.ns()
        })
    }
}

impl UnhookedWaits {
    /// `may_trace`: may threads be traced? `budget` is the slot of [`budget::Budget`].
    pub fn new(
        engine: Engine,
        look: ProcLook,
        may_trace: bool,
        budget: Option<usize>,
    ) -> UnhookedWaits {
        UnhookedWaits {
            look,
            engine,
            may_trace,
            budget,
            waits: HashMap::new(),
            under_way: vec![],
            survey: 0,
        }
    }

    /// A survey begins; see [`ProcLook::begin`].
    pub fn begin(&mut self, thorough: bool) {
        self.survey += 1;
        self.look.begin(thorough);
    }

    /// The thread of slot `index` is asleep outside the hooks: is the kernel about to wake it?
    fn meet(&mut self, page: &Page, index: usize, state: State) -> bool {
        let slot = &page.slots[index];
        let of_process = slot.tid.load(SeqCst) == 0;
        if !self.may_trace || of_process || slot.tracer.load(SeqCst) != NONE {
            return false;
        }
        let Some((_, tid)) = self.look.numbers(index) else { return false };
        let (survey, real) = (self.survey, (self.engine.real_now)());
        let Some(runs) = self.look.asleep_since(index) else { return false };
        if let Some(met) =
            self.waits.get_mut(&index).filter(|met| (met.state, met.runs) == (state, runs))
        {
            met.survey = survey;
            return !self.engine.frozen() && met.ends_by_itself(real);
        }
        let [switched, tracer] = numbers(tid as i32, ["voluntary_ctxt_switches:", "TracerPid:"]);
        let Some(call) = self.look.call(index, runs) else { return false };
        let regs = registers(call);
        let before = self
            .waits
            .remove(&index)
            .filter(|met| met.wait.as_ref().is_some_and(|wait| wait.continues(&regs)));
        let met = match before {
            Some(met) => Met { state, runs, switched, survey, ..met },
            None => {
                let call = Call {
                    engine: &self.engine,
                    memory: Memory(tid as i32),
                    regs: &regs,
                    again: None,
                    beats: false,
                };
                let wait = call.begins().filter(|_| tracer == 0);
                Met { state, runs, switched, since: (self.engine.now(), real), wait, survey }
            }
        };
        self.waits.insert(index, met);
        false
    }

    /// Ends the wait of slot `index`, whose deadline has come, if its thread is still in it.
    fn end(&mut self, index: usize) {
        let Some((pid, tid)) = self.look.numbers(index) else { return };
        let ours = reach::is_our_thread(pid, tid);
        let (pid, tid) = (pid as i32, tid as i32);
        let Some(met) = self.waits.get_mut(&index) else { return };
        let still = self.look.call(index, met.runs).is_some();
        let by_itself = !self.engine.frozen() && met.ends_by_itself((self.engine.real_now)());
        if !still || by_itself || !ours {
            return;
        }
        let Some(wait) = met.wait.take() else { return };
        if wait.early(&self.engine) {
            // The clock was set back.
            let call = Call {
                engine: &self.engine,
                memory: Memory(tid),
                regs: &wait.before,
                again: None,
                beats: false,
            };
            met.wait = call.begins();
            return;
        }
        match InjectedTimeout::begin(self.engine, pid, tid, wait, met.switched) {
            Ok(injected) => {
                if !injected.finish() {
                    self.under_way.push(injected);
                }
            }
            Err(failed) if failed.died() => {}
            Err(failed) => self.refused(failed),
        }
    }

    /// The kernel refuses to trace: from now on such waits take real time.
    fn refused(&mut self, failed: Failed) {
        if std::mem::replace(&mut self.may_trace, false) {
            messages::verbose(1, || format!("{failed}; waits that no hook sees take real time"));
        }
        self.waits.clear();
    }
}

impl Look for UnhookedWaits {
    fn first(&mut self, page: &Page, index: usize, seen: State) -> Found {
        match self.look.first(page, index, seen) {
            Found::Asleep if OUTSIDE.contains(&seen.kind()) && self.meet(page, index, seen) => {
                Found::Running
            }
            found => found,
        }
    }

    fn confirm(&mut self, page: &Page, index: usize, seen: State) -> bool {
        self.look.confirm(page, index, seen)
    }

    fn parked_too(&self) -> bool {
        self.look.parked_too()
    }

    fn ended(&mut self, page: &Page, index: usize) -> bool {
        self.look.ended(page, index)
    }

    fn state_file(&self) -> Option<StateFile> {
        self.look.state_file()
    }

    fn watches(&self) -> bool {
        self.look.watches()
    }

    fn at_rest(&mut self, page: &Page) -> bool {
        self.look.at_rest(page) && !self.budget.is_some_and(|slot| budget::alone(page, slot))
    }

    fn in_flight(&mut self, page: &Page, holds: u32) -> Result<(), Busy> {
        self.look.in_flight(page, holds)
    }

    fn in_flight_for(&mut self, real: u64) -> u64 {
        self.look.in_flight_for(real)
    }

    fn holds_on(&mut self, page: &Page, index: usize) -> bool {
        self.look.holds_on(page, index)
    }

    fn unhooked(&mut self, page: &Page) -> Option<Key> {
        let found = |(&index, met): (&usize, &Met)| {
            let asleep = met.survey == self.survey && page.slots[index].state.load() == met.state;
            met.key(page, index).filter(|_| asleep)
        };
        self.waits.iter().filter_map(found).min()
    }

    fn end_unhooked(&mut self, page: &Page, now: u64) -> u64 {
        self.under_way.retain(|injected| !injected.over());
        self.waits.retain(|&index, met| page.slots[index].state.load() == met.state);
        let due = |(&index, met): (&usize, &Met)| {
            met.key(page, index).filter(|key| page.ends(key.deadline) <= now).zip(Some(index))
        };
        let mut due: Vec<_> = self.waits.iter().filter_map(due).collect();
        due.sort();
        due.into_iter().for_each(|(_, index)| self.end(index));
        let waits = || self.waits.values().filter_map(|met| met.wait.as_ref());
        page.header.unhooked.store(waits().count() as u32, Relaxed);
        waits().map(|wait| wait.deadline).min().unwrap_or(NEVER)
    }

    fn used(&mut self, page: &Page) -> u64 {
        self.look.used(page)
    }

    fn slept(&mut self, page: &Page, index: usize) -> u32 {
        self.look.slept(page, index)
    }

    fn burnt(&mut self, page: &Page, index: usize) -> Option<u64> {
        self.look.burnt(page, index)
    }
}

/// Of a thread in the call, as [`look::thread::Files::call`] gives it.
fn registers([number, args @ .., stack, instruction]: [u64; 9]) -> Registers {
    Registers::in_call(number, args, stack, instruction)
}
