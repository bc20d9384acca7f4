//! Tracees that may spin: threads in a loop that asks again and again for what a sleeping thread
//! will do. In a program with the library the hooks count what a loop asks for. Here nobody sees
//! that. So the keeper names a thread that burns the processor while others wait for an
//! instant, and the tracer watches that thread for a moment ([`super::observe`]).
//!
//! This file is the bottom of the floor: which threads are watched, and what is known of each.

use super::instants::Instants;
use super::poll_iteration::PollIteration;
use crate::patience::{SUSPECT, TOO_LATE};
use crate::session::real_now;
use crate::tracer::arch::registers::State;
use crate::tracer::policy::thread::Doing;
use crate::tracer::policy::tracees::Tracees;
use crate::tracer::ptrace::failed::Failed;
use crate::tracer::ptrace::wait::Stopped;
use crate::virtual_clock::SessionClocks;
use libc::pid_t;
use posix::clock::Clocks;
use posix::spin_rule::{ASKS, Watched};
use posix::time::NEVER;
use std::collections::HashMap;
use std::sync::atomic::Ordering::SeqCst;

/// A thread that is watched.
#[derive(Default)]
pub(super) struct Spinner {
    pub tid: pid_t,
    /// What it has asked for.
    pub rule: Watched,
    /// With which registers it has been met, and how often, while it was not known to spin.
    pub met: HashMap<State, u32>,
    /// The poll iteration that it is in.
    pub iteration: PollIteration,
    /// Real time at which to interrupt it or to end its back-off.
    pub until: u64,
    /// The call that it is in reads a clock.
    pub reads: bool,
    /// It has last asked by reading a frozen clock, which is counted: it is not interrupted for
    /// that.
    pub counted: bool,
    /// It has done so since the keeper last named it.
    counts: bool,
    /// Whether an instant has passed.
    pub instants: Instants,
    /// It is kept stopped.
    pub back_off: Option<BackOff>,
}

/// A back-off: the thread is kept stopped, and waits for a deadline.
pub(super) struct BackOff {
    pub stopped: Stopped,
    /// It ends at its own deadline and at nobody else's.
    pub own: bool,
    /// It counts as blocked.
    pub quiet: bool,
    /// Jumps before.
    pub jumps: u64,
}

impl Spinner {
    /// The thread has asked so often, in a poll iteration that stands for so many of the hooks.
    pub fn asks(&mut self, times: u32, weight: u64) {
        self.rule.asks(times, weight);
        self.counted = false;
    }

    /// When it is to be interrupted if it makes no calls, real ns.
    pub fn next_look(&self) -> u64 {
        match (self.counted, self.rule.is_spinning()) {
            (true, _) => NEVER,
            // It takes a while to go on, and is to be met elsewhere the next time.
            (false, false) => real_now() + 4 * SUSPECT.ns(),
            (false, true) => real_now() + SUSPECT.ns(),
        }
    }
}

/// The threads that are watched, in the order in which that began.
#[derive(Default)]
pub struct Spinners(pub(super) Vec<Spinner>);

impl Spinners {
    pub(super) fn get(&mut self, tid: pid_t) -> Option<&mut Spinner> {
        self.0.iter_mut().find(|spinner| spinner.tid == tid)
    }

    /// Thread `tid` is watched from now on.
    fn watch(&mut self, tracees: &mut Tracees, tid: pid_t) {
        if let Some(thread) = tracees.threads.get_mut(&tid).filter(|thread| !thread.watched) {
            thread.watched = true;
            self.0.push(Spinner { tid, ..Spinner::default() });
        }
    }

    /// Thread `tid` is not watched any more.
    pub fn look_away(&mut self, tracees: &mut Tracees, tid: pid_t) {
        let Some(at) = self.0.iter().position(|spinner| spinner.tid == tid) else { return };
        self.0.remove(at);
        if let Some(thread) = tracees.threads.get_mut(&tid) {
            thread.watched = false;
            if let Some(slot) = thread.slot.map(|me| tracees.slot(me)) {
                slot.thread().spin.store(0, SeqCst);
                slot.thread().what.store(0, SeqCst);
            }
        }
    }

    /// The same, and the thread goes on.
    pub(super) fn let_alone(
        &mut self,
        tracees: &mut Tracees,
        stopped: Stopped,
    ) -> Result<(), Failed> {
        self.look_away(tracees, stopped.tid());
        tracees.go(stopped, 0)
    }

    /// The keeper suspects the thread of slot `index`.
    pub(super) fn suspect(&mut self, tracees: &mut Tracees, index: usize) {
        let tid = tracees.slot(index).tid.load(SeqCst) as pid_t;
        let Some(thread) = tracees.threads.get(&tid) else { return };
        let watchable =
            thread.slot == Some(index) && matches!(thread.doing, Doing::Runs | Doing::Waits(_));
        let Some(spinner) = self.get(tid) else {
            if watchable {
                self.watch(tracees, tid);
            }
            return;
        };
        // What was counted may be something else by now.
        let counted = spinner.counted && spinner.back_off.is_none();
        if counted && !std::mem::take(&mut spinner.counts) {
            (spinner.counted, spinner.until) = (false, 0);
        }
    }

    /// Thread `tid` begins a wait: is that over already? A thread that makes one such wait after
    /// the other is watched.
    pub fn waits_too_late(&mut self, tracees: &mut Tracees, tid: pid_t, over: bool) {
        let Some(thread) = tracees.threads.get_mut(&tid) else { return };
        thread.late = if over { thread.late.saturating_add(1) } else { 0 };
        if let Some(me) = thread.slot.filter(|_| thread.late == TOO_LATE) {
            thread.late = 0;
            self.suspect(tracees, me);
        }
    }

    /// Thread `tid` reads a clock by a call that stops. How long it computes between two of those
    /// cannot be told, so such a reading is nothing.
    pub fn reads_clock(&mut self, tid: pid_t) {
        if let Some(spinner) = self.get(tid) {
            spinner.reads = true;
        }
    }

    /// Thread `tid` has read a frozen clock as often as in that many poll iterations of the hooks.
    pub(super) fn reads_again(&mut self, tracees: &mut Tracees, tid: pid_t, iterations: u64) {
        self.watch(tracees, tid);
        if let Some(spinner) = self.get(tid) {
            spinner.asks(ASKS, iterations);
            (spinner.counted, spinner.counts, spinner.reads) = (true, true, true);
            spinner.until = NEVER;
        }
    }
}

/// Thread `tid` has spun for so many poll iterations by now. Go moves what spins from thread to
/// thread, and stops it to collect garbage.
pub(super) fn has_spun(tracees: &mut Tracees, tid: pid_t, iterations: u64) {
    let now = SessionClocks(&tracees.engine).now();
    if let Some(process) = tracees.process_of_mut(tid).filter(|process| process.go) {
        process.spun = (now, iterations);
    }
}
