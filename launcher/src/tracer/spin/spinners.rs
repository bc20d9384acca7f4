//! Loops of tracees that ask again and again for what a sleeping thread will do; see the hooks'
//! `spin.rs` for those of others, which count what they ask for. Here nobody sees that, so the
//! keeper names a thread that burns the processor while others wait for an instant, and the tracer
//! looks over its shoulder for a moment: it stops at all its calls, and is interrupted where it
//! makes none.
//!
//! A call that got nothing, and coming to the vDSO, where clocks are read, is *asking*; so is a
//! round that repeats ([`crate::tracer::spin::repeating_loop`]). A call that got something done ends the look, and so does
//! being met elsewhere too often: it computes. One that asks and does nothing else spins, and takes
//! naps from then on ([`crate::tracer::spin::back_off`]): it stays stopped, and its slot says *kernel* with a
//! deadline of its own. Between two naps it asks some more.

use crate::patience::{SUSPECT, TOO_LATE};
use crate::session::real_now;
use crate::tracer::calls::SYSCALL;
use crate::tracer::event_loop::{Tracer, deliverable};
use crate::tracer::policy::filter::Range;
use crate::tracer::policy::tracees::{Doing, Thread};
use crate::tracer::ptrace::stop::{Failed, Stopped};
use crate::tracer::spin::back_off::{Lap, Nap};
use crate::tracer::spin::call_outcome::{Call, judge};
use crate::tracer::spin::instants::Instants;
use crate::tracer::spin::repeating_loop::{Round, State, round, state};
use engine::patience::LONGEST_NAP;
use engine::schedule::back_off;
use libc::{c_long, pid_t};
use posix::time::NEVER;
use std::collections::HashMap;
use std::sync::atomic::Ordering::SeqCst;

/// What being met in the vDSO counts for, in calls: it has read the clock hundreds of times since.
const READ: u32 = 5;
/// Asking so many times in a row is spinning.
const PATIENCE: u32 = 60;
/// So many times are asked between two naps.
const LAP: u32 = 5;
/// How many laps of the hooks that stands for, which read less and take no stops.
const LAPS: u64 = 8;
/// What being met elsewhere counts for, in calls that neither get nothing nor anything done, and
/// how many of those are enough in that time: it does something else.
const ELSEWHERE: u32 = 4;
/// The same for a round in which it comes to nothing, which costs as much as all the others.
const COMPUTES: u32 = ENOUGH / 2;
/// Instructions in a round: some loops have a loop of pauses in them.
const ROUND: u64 = 1024;
/// The same for one that may just not have gone on since it was met before, on a busy machine:
/// twice as many each time.
const SHORT: u64 = 16;
/// The same from one clock reading that stops to the next.
const TIGHT: u64 = 128;
/// See [`ELSEWHERE`].
const ENOUGH: u32 = 128;

/// A thread that is looked at.
#[derive(Default)]
pub struct Asks {
    /// How often it has asked in this lap.
    pub asked: u32,
    /// What else it has done, see [`ELSEWHERE`].
    pub other: u32,
    /// Nothing but what others do to its memory ends the loop that it is in.
    pub repeats: bool,
    /// It spins: laps whose naps have moved the clock, as the hooks count them.
    pub laps: Option<u64>,
    /// How many of those this one stands for.
    pub weight: u64,
    /// With which registers it has been met, and how often, while it was not known to spin.
    met: HashMap<State, u32>,
    /// The lap that it is in.
    pub lap: Lap,
    /// Real time at which to interrupt it or to end its nap.
    pub until: u64,
    /// The call that it is in reads a clock.
    reads: bool,
    /// It has last asked by reading a frozen clock, which is counted: it is not interrupted for
    /// that.
    counted: bool,
    /// It has done so since the keeper last named it.
    counts: bool,
    /// Whether an instant has passed.
    pub instants: Instants,
    /// It naps.
    pub nap: Option<Nap>,
}

impl Asks {
    /// It has asked so often, in a lap that stands for so many of the hooks.
    fn asks(&mut self, times: u32, weight: u64) {
        self.asked += times;
        self.weight = weight;
        self.counted = false;
    }

    /// When it is to be interrupted if it makes no calls, real ns.
    pub fn next_look(&self) -> u64 {
        match (self.counted, self.laps) {
            (true, _) => NEVER,
            // It takes a while to go on, and is to be met elsewhere the next time.
            (false, None) => real_now() + 4 * SUSPECT.ns(),
            (false, Some(_)) => real_now() + SUSPECT.ns(),
        }
    }

    /// A clock is read by a call that stops. How long it computes between two of those cannot be
    /// told, so such a reading is nothing.
    pub fn reads_clock(&mut self) {
        self.reads = true;
    }
}

impl Tracer {
    /// Whom the keeper suspects, and whom to interrupt or to wake by now. Real time at which to
    /// look again, if anybody is looked at.
    pub(in crate::tracer) fn oversee(&mut self) -> Option<u64> {
        match self.engine.page.header.suspect.swap(0, SeqCst) {
            0 => {}
            index => self.suspect(index as usize - 1),
        }
        let now = real_now();
        for tid in std::mem::take(&mut self.asking) {
            let Some(thread) = self.threads.get_mut(&tid) else { continue };
            let (Some(asks), Some(me)) = (&mut thread.asks, thread.slot) else { continue };
            self.asking.push(tid);
            if asks.nap.is_some() {
                if asks.until <= now || !self.engine.page.slots[me].state.load().waits() {
                    let _ = self.wake(tid, me);
                }
            } else if asks.until <= now
                && let Some(running) = &thread.running
            {
                // Any other stop takes the place of this one.
                asks.until = now + LONGEST_NAP.ns();
                // A wait that is over before it begins, again and again, is seen when it is done.
                if matches!(thread.doing, Doing::Runs) {
                    let _ = running.interrupt();
                }
            }
        }
        let until = |tid: &pid_t| self.threads.get(tid)?.asks.as_ref().map(|asks| asks.until);
        self.asking.iter().filter_map(until).min().filter(|&until| until != NEVER)
    }

    fn suspect(&mut self, index: usize) {
        let tid = self.slot(index).tid.load(SeqCst) as pid_t;
        let Some(thread) = self.threads.get_mut(&tid) else { return };
        // Who was counted may do something else by now.
        if let Some(asks) = thread.asks.as_mut().filter(|asks| asks.counted && asks.nap.is_none())
            && !std::mem::take(&mut asks.counts)
        {
            (asks.counted, asks.until) = (false, 0);
        }
        if thread.slot == Some(index)
            && thread.asks.is_none()
            && matches!(thread.doing, Doing::Runs | Doing::Waits(_))
        {
            thread.asks = Some(Box::default());
            self.asking.push(tid);
        }
    }

    /// Thread `tid` begins a wait: is that over already? Who makes one such wait after the other is
    /// looked at.
    pub(in crate::tracer) fn waits_too_late(&mut self, tid: pid_t, over: bool) {
        let Some(thread) = self.threads.get_mut(&tid) else { return };
        thread.late = if over { thread.late.saturating_add(1) } else { 0 };
        if let Some(me) = thread.slot.filter(|_| thread.late == TOO_LATE) {
            thread.late = 0;
            self.suspect(me);
        }
    }

    /// Thread `tid` has read a frozen clock as often as in that many laps of the hooks.
    pub(in crate::tracer) fn reads_again(&mut self, tid: pid_t, laps: u64) {
        let Some(thread) = self.threads.get_mut(&tid) else { return };
        if thread.asks.is_none() {
            thread.asks = Some(Box::default());
            self.asking.push(tid);
        }
        if let Some(asks) = &mut thread.asks {
            asks.asks(PATIENCE, laps);
            (asks.counted, asks.counts, asks.reads, asks.until) = (true, true, true, NEVER);
        }
    }

    /// It is not looked at any more.
    pub(in crate::tracer) fn stop_looking(&self, thread: &mut Thread) {
        if thread.asks.take().is_some()
            && let Some(me) = thread.slot
        {
            let slot = self.slot(me);
            slot.spin().store(0, SeqCst);
            slot.what.store(0, SeqCst);
        }
    }

    /// The same for thread `tid`.
    pub(in crate::tracer) fn look_away(&mut self, tid: pid_t) {
        if let Some(mut thread) = self.threads.remove(&tid) {
            self.stop_looking(&mut thread);
            self.threads.insert(tid, thread);
        }
    }

    pub(in crate::tracer) fn let_alone(&mut self, stopped: Stopped) -> Result<(), Failed> {
        self.look_away(stopped.tid());
        self.go(stopped, 0)
    }

    /// A thread has been interrupted: where was it?
    pub(in crate::tracer) fn found(&mut self, stopped: Stopped) -> Result<(), Failed> {
        let tid = stopped.tid();
        let Some(thread) = self.threads.get_mut(&tid) else { return Ok(()) };
        let clocks = self
            .processes
            .get(&thread.process)
            .and_then(|process| process.space)
            .map(|space| space.clocks);
        let (Some(asks), Doing::Runs, Some(clocks)) = (&mut thread.asks, &thread.doing, clocks)
        else {
            return self.go(stopped, 0);
        };
        let mut regs = stopped.registers()?;
        if regs.orig_rax as i64 >= 0 {
            // In a call that began before it was looked at.
            asks.other += ELSEWHERE;
            if regs.rax as i64 == -(libc::EINTR as i64) && deliverable(tid) == 0 {
                (regs.rax, regs.rip) = (regs.orig_rax, regs.rip - SYSCALL);
                stopped.set_registers(&regs)?;
            }
            return self.goes_on(stopped);
        }
        let frozen = self.engine.frozen();
        let reads = clocks.start <= regs.rip && regs.rip < clocks.end;
        let mut most = ROUND;
        if !reads && asks.laps.is_none() {
            // Who computes is hardly ever met with the same registers again, and is not held up.
            let times = asks.met.entry(state(&regs)).or_default();
            *times += 1;
            if *times == 1 {
                asks.other += ELSEWHERE;
                return self.goes_on(stopped);
            }
            most = ROUND.min(SHORT << (*times).min(16));
        }
        let (stopped, found) = self.walks(stopped, clocks, most)?;
        if let Some(asks) = self.threads.get_mut(&tid).and_then(|thread| thread.asks.as_mut()) {
            match found {
                Round::Repeats => asks.repeats = true,
                // Those of a frozen clock are counted.
                Round::Reads => asks.asks(if frozen { 0 } else { READ }, LAPS),
                Round::Calls => asks.other += 1,
                Round::Computes => asks.other += ELSEWHERE.max((most / SHORT) as u32),
            }
        }
        self.goes_on(stopped)
    }

    /// What is the thread about to do?
    fn walks(
        &mut self,
        stopped: Stopped,
        clocks: Range,
        most: u64,
    ) -> Result<(Stopped, Round), Failed> {
        let (stopped, found, steps) = round(stopped, clocks, most)?;
        if let Some(thread) = self.threads.get_mut(&stopped.tid()) {
            thread.switches += steps;
        }
        Ok((stopped, found))
    }

    /// A thread that may be looked at has come to a call, or to the end of one.
    pub(in crate::tracer) fn has_asked(&mut self, stopped: Stopped) -> Result<(), Failed> {
        let Some(asks) =
            self.threads.get_mut(&stopped.tid()).and_then(|thread| thread.asks.as_mut())
        else {
            return self.go(stopped, 0);
        };
        let mut regs = stopped.registers()?;
        let answer = regs.rax as i64;
        if answer == -(libc::ENOSYS as i64) {
            // Before the call, which may block: it is left alone until it is done.
            asks.until = NEVER;
            return self.go(stopped, 0);
        }
        if answer == -(libc::EINTR as i64)
            && regs.orig_rax as i64 >= 0
            && deliverable(stopped.tid()) == 0
        {
            // By the tracer alone.
            (regs.rax, regs.rip) = (regs.orig_rax, regs.rip - SYSCALL);
            stopped.set_registers(&regs)?;
            return self.go(stopped, 0);
        }
        let reads = std::mem::take(&mut asks.reads);
        match judge(&regs) {
            Call::Futile if reads => return self.has_read(stopped),
            Call::Futile => {
                asks.asks(1, LAPS);
                self.asks_for_instant(stopped.tid());
            }
            Call::Done => {
                if regs.orig_rax as c_long != libc::SYS_futex {
                    self.has_spun(stopped.tid(), 0);
                }
                return self.let_alone(stopped);
            }
            Call::Nothing => asks.other += 1,
        }
        self.goes_on(stopped)
    }

    /// It has read a clock by a call that stops.
    fn has_read(&mut self, stopped: Stopped) -> Result<(), Failed> {
        let tid = stopped.tid();
        let (stopped, found) = if self.engine.frozen() {
            // These are counted.
            (stopped, None)
        } else {
            let (stopped, found) = self.walks(stopped, Range { start: 0, end: 0 }, TIGHT)?;
            (stopped, Some(found))
        };
        if let Some(asks) = self.threads.get_mut(&tid).and_then(|thread| thread.asks.as_mut()) {
            asks.instants.reads += 1;
            match found {
                Some(Round::Calls) => asks.asks(READ, LAPS),
                Some(_) => asks.other += COMPUTES,
                None => {}
            }
        }
        self.goes_on(stopped)
    }

    /// It goes on asking, its lap is over, or it is let alone.
    fn goes_on(&mut self, stopped: Stopped) -> Result<(), Failed> {
        let Some(thread) = self.threads.get_mut(&stopped.tid()) else { return Ok(()) };
        let (Some(asks), Some(me)) = (&mut thread.asks, thread.slot) else {
            return self.go(stopped, 0);
        };
        if asks.other >= ENOUGH {
            return self.let_alone(stopped);
        }
        let enough = if asks.laps.is_some() { LAP } else { PATIENCE };
        if asks.asked < enough && !asks.repeats {
            asks.until = asks.next_look();
            return self.go(stopped, 0);
        }
        if asks.laps.is_some() {
            return self.lap_over(stopped, me);
        }
        let now = self.engine.now();
        let before = self.processes.get(&thread.process).map_or((0, 0), |process| process.spun);
        let goes_on = now.saturating_sub(before.0) <= back_off::step(before.1, 0);
        asks.laps = Some(if goes_on { before.1 } else { 0 });
        self.next_lap(stopped, me)
    }
}
