//! What a watched thread does: it stops at all its calls, and is interrupted where it makes none.
//!
//! A call that got nothing, and coming to the vDSO, where clocks are read, is *asking*; so is a
//! loop that repeats ([`super::repeating_loop`]). A call that got something done ends the watch,
//! and so does being met elsewhere too often: the thread computes. A thread that asks and does
//! nothing else spins, and backs off from then on ([`super::back_off`]): it stays stopped, and its
//! slot says *kernel* with a deadline of its own. Between two back-offs it asks some more.

use super::call_outcome::outcome;
use super::repeating_loop::{Ahead, look_ahead};
use super::spinners::{Spinners, has_spun};
use crate::session::real_now;
use crate::tracer::policy::thread::Doing;
use crate::tracer::policy::tracees::Tracees;
use crate::tracer::ptrace::failed::Failed;
use crate::tracer::ptrace::maps::Range;
use crate::tracer::ptrace::thread_status::deliverable;
use crate::tracer::ptrace::wait::Stopped;
use crate::virtual_clock::SessionClocks;
use engine::patience::LONGEST_BACK_OFF;
use engine::region::sizes::SLOTS;
use libc::pid_t;
use posix::clock::Clocks;
use posix::spin_rule::{self, COMPUTES, ELSEWHERE, Outcome, READ, Verdict, WEIGHT};
use posix::time::{Instant, NEVER, Span};
use std::sync::atomic::Ordering::SeqCst;

/// Instructions to look ahead: some loops have a loop of pauses in them.
const AHEAD: u64 = 1024;
/// The same for a thread that may just not have gone on since it was met before, on a busy machine:
/// twice as many each time.
const SHORT: u64 = 16;
/// The same from one clock reading that stops to the next.
const TIGHT: u64 = 128;

impl Spinners {
    /// Watches the thread that the keeper suspects, and interrupts or wakes the threads whose time
    /// has come. Real time at which to look again, if anybody is watched.
    pub fn oversee(&mut self, tracees: &mut Tracees) -> Option<u64> {
        match tracees.engine.page.header.suspect.swap(0, SeqCst) {
            0 => {}
            index => self.suspect(tracees, (index as usize - 1) % SLOTS),
        }
        if self.0.is_empty() {
            return None;
        }
        let now = real_now();
        for tid in self.0.iter().map(|spinner| spinner.tid).collect::<Vec<_>>() {
            let thread = tracees.threads.get(&tid).filter(|thread| thread.watched);
            let Some((thread, me)) = thread.and_then(|thread| Some((thread, thread.slot?))) else {
                self.look_away(tracees, tid);
                continue;
            };
            let Some(spinner) = self.get(tid) else { continue };
            if spinner.back_off.is_some() {
                if spinner.until <= now || !tracees.slot(me).state.load().waits() {
                    let _ = self.end_back_off(tracees, tid, me);
                }
            } else if spinner.until <= now
                && let Some(running) = &thread.running
            {
                // Any other stop takes the place of this one.
                spinner.until = now + LONGEST_BACK_OFF.ns();
                // A wait that is over before it begins, again and again, is seen when it is done.
                if matches!(thread.doing, Doing::Runs) {
                    let _ = running.interrupt();
                }
            }
        }
        self.0.iter().map(|spinner| spinner.until).min().filter(|&until| until != NEVER)
    }

    /// A thread has been interrupted: where was it?
    pub fn interrupted(&mut self, tracees: &mut Tracees, stopped: Stopped) -> Result<(), Failed> {
        let tid = stopped.tid();
        let runs = tracees.threads.get(&tid).is_some_and(|t| matches!(t.doing, Doing::Runs));
        let clocks = tracees.process_of(tid).and_then(|process| process.space);
        let clocks = clocks.map(|space| space.clocks).filter(|_| runs);
        let (Some(spinner), Some(clocks)) = (self.get(tid), clocks) else {
            return tracees.go(stopped, 0);
        };
        let mut regs = stopped.registers()?;
        if regs.is_in_call() {
            // In a call that began before it was watched.
            spinner.rule.does(ELSEWHERE);
            if regs.answer() == -(libc::EINTR as i64) && deliverable(tid) == 0 {
                regs.make_call_again();
                stopped.set_registers(&regs)?;
            }
            return self.goes_on(tracees, stopped);
        }
        let reads = clocks.contains(regs.instruction_pointer());
        let mut most = AHEAD;
        if !reads && !spinner.rule.is_spinning() {
            // A thread that computes is hardly ever met with the same registers again, and is not
            // held up.
            let times = spinner.met.entry(regs.state()).or_default();
            *times += 1;
            if *times == 1 {
                spinner.rule.does(ELSEWHERE);
                return self.goes_on(tracees, stopped);
            }
            most = AHEAD.min(SHORT << (*times).min(16));
        }
        let (stopped, found) = steps_ahead(tracees, stopped, clocks, most)?;
        match found {
            Ahead::Repeats => spinner.rule.repeats(),
            // Those of a frozen clock are counted.
            Ahead::Reads => spinner.asks(if tracees.engine.frozen() { 0 } else { READ }, WEIGHT),
            Ahead::Calls => spinner.rule.does(1),
            Ahead::Computes => spinner.rule.does(ELSEWHERE.max((most / SHORT) as u32)),
        }
        self.goes_on(tracees, stopped)
    }

    /// A thread that may be watched has come to a call, or to the end of one.
    pub fn at_call(&mut self, tracees: &mut Tracees, stopped: Stopped) -> Result<(), Failed> {
        let tid = stopped.tid();
        let Some(spinner) = self.get(tid) else { return tracees.go(stopped, 0) };
        let mut regs = stopped.registers()?;
        let answer = regs.answer();
        if answer == -(libc::ENOSYS as i64) {
            // Before the call, which may block: it is left alone until it is done.
            spinner.until = NEVER;
            return tracees.go(stopped, 0);
        }
        if answer == -(libc::EINTR as i64) && regs.is_in_call() && deliverable(tid) == 0 {
            // By the tracer alone.
            regs.make_call_again();
            stopped.set_registers(&regs)?;
            return tracees.go(stopped, 0);
        }
        let reads = std::mem::take(&mut spinner.reads);
        match outcome(&regs) {
            Outcome::Nothing if reads => return self.has_read(tracees, stopped),
            Outcome::Nothing => {
                spinner.asks(1, WEIGHT);
                if let Some(thread) = tracees.threads.get(&tid) {
                    spinner.instants.found_nothing(tracees, tid, thread);
                }
            }
            Outcome::Something => {
                if regs.number() != libc::SYS_futex {
                    has_spun(tracees, tid, 0);
                }
                return self.let_alone(tracees, stopped);
            }
            Outcome::Neither => spinner.rule.does(1),
        }
        self.goes_on(tracees, stopped)
    }

    /// The thread has read a clock by a call that stops.
    fn has_read(&mut self, tracees: &mut Tracees, stopped: Stopped) -> Result<(), Failed> {
        let tid = stopped.tid();
        let (stopped, found) = if tracees.engine.frozen() {
            // These are counted.
            (stopped, None)
        } else {
            let nowhere = Range { start: 0, end: 0 };
            let (stopped, found) = steps_ahead(tracees, stopped, nowhere, TIGHT)?;
            (stopped, Some(found))
        };
        if let Some(spinner) = self.get(tid) {
            spinner.instants.reads += 1;
            match found {
                Some(Ahead::Calls) => spinner.asks(READ, WEIGHT),
                Some(_) => spinner.rule.does(COMPUTES),
                None => {}
            }
        }
        self.goes_on(tracees, stopped)
    }

    /// The thread goes on asking, its poll iteration is over, or it is let alone.
    fn goes_on(&mut self, tracees: &mut Tracees, stopped: Stopped) -> Result<(), Failed> {
        let tid = stopped.tid();
        let slot = tracees.threads.get(&tid).and_then(|thread| thread.slot);
        let (Some(spinner), Some(me)) = (self.get(tid), slot) else {
            return tracees.go(stopped, 0);
        };
        match spinner.rule.verdict() {
            Verdict::Computes => self.let_alone(tracees, stopped),
            Verdict::Undecided => {
                spinner.until = spinner.next_look();
                tracees.go(stopped, 0)
            }
            Verdict::IterationOver => self.iteration_over(tracees, stopped, me),
            Verdict::Spins => {
                let (since, iterations) =
                    tracees.process_of(tid).map_or((Instant::ZERO, 0), |process| process.spun);
                let passed = SessionClocks(&tracees.engine).now() - since;
                let goes_on = passed <= spin_rule::back_off(iterations, Span::ZERO);
                spinner.rule.spins(if goes_on { iterations } else { 0 });
                self.next_iteration(tracees, stopped, me)
            }
        }
    }
}

/// What is the thread about to do?
fn steps_ahead(
    tracees: &mut Tracees,
    stopped: Stopped,
    clocks: Range,
    most: u64,
) -> Result<(Stopped, Ahead), Failed> {
    let tid: pid_t = stopped.tid();
    let (stopped, found, steps) = look_ahead(stopped, clocks, most)?;
    if let Some(thread) = tracees.threads.get_mut(&tid) {
        thread.switches += steps;
    }
    Ok((stopped, found))
}
