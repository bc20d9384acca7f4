//! Promising a wait its end, and making its thread run.

use crate::programs::tracing::{KEEPS_TIME, owned};
use crate::region::state::{Kind, Reason, State};
use crate::region::wait_kind::SETTABLE;
use crate::schedule::survey::Engine;
use crate::sync::{Relaxed, SeqCst};
use crate::sys;

impl Engine {
    /// Makes a thread run whose wait `was` has been promised its end: wakes its futex, rings its
    /// bell, signals it, or leaves it to the tracer.
    pub(crate) fn deliver(&self, slot: usize, was: Kind) {
        let s = &self.page.slots[slot];
        /// In the place of a bell: the session's signal ends the wait.
        const SIGNAL: i32 = -1;
        let bell = s.bell.load(SeqCst);
        let tracer = s.tracer.load(SeqCst);
        if tracer == KEEPS_TIME || was == Kind::Kernel && owned(tracer) {
            self.wake_tracer();
        } else if was == Kind::Kernel && bell == SIGNAL {
            let (pid, tid) = (s.pid.load(Relaxed) as usize, s.tid.load(Relaxed) as usize);
            let number = self.page.header.signal.load(Relaxed) as usize;
            // SAFETY: plain numbers. Where it is refused, the thread looks up by itself.
            unsafe { sys::syscall6(234, pid, tid, number, 0, 0, 0) };
        } else if was == Kind::Parked || bell <= 0 {
            sys::futex_wake(&s.state.0, 1, false);
        } else if !sys::ring(self.pid, s.pid.load(Relaxed), bell) {
            self.kick_keeper();
        }
    }

    /// The same for a thread that sleeps though it was promised long ago: whoever promised died
    /// before delivering, or was not allowed to ring. Harmless when it is not so.
    pub fn deliver_again(&self, slot: usize) {
        self.deliver(slot, Kind::Parked);
        self.deliver(slot, Kind::Kernel);
    }

    /// A clock was set: ends the waits for an instant of it as if that had come. Their threads look
    /// whether it has, and wait again if not. The caller is busy, and has set the clock before.
    ///
    /// None is missed. A thread reads first what the clock has been set by, then the clock,
    /// prepares its wait, and then looks whether the clock has been set meanwhile: either that is
    /// seen there, or the wait is seen here.
    pub fn end_settable_waits(&self) {
        for (index, slot) in self.page.slots[..self.page.high()].iter().enumerate() {
            // In this order: a mark read after the state is never that of an earlier wait.
            let seen = slot.state.load();
            if seen.waits() && slot.what.load(SeqCst) & SETTABLE != 0 {
                self.end_now(index, seen);
            }
        }
    }

    /// The same for the wait that `slot` is in, if the clock is not set ahead by `shift` any more.
    pub fn end_if_set(&self, slot: usize, shift: i64) {
        if shift != self.page.shift() {
            self.end_now(slot, self.page.slots[slot].state.load());
        }
    }

    /// Ends wait `seen` as if its deadline had come.
    fn end_now(&self, slot: usize, seen: State) {
        if let Some(was) = self.page.slots[slot].state.expire(seen) {
            self.page.set_busy(slot);
            self.awake();
            if was.kind() != Kind::Prep {
                self.deliver(slot, was.kind());
            }
        }
    }

    /// Ends wait `seq` of `slot`: the promise, its mark in the busy set, and the wake-up. The
    /// caller is busy until all of it is done. False if the wait had been promised before or is
    /// over.
    pub fn unpark(&self, slot: usize, seq: u32, reason: Reason) -> bool {
        let s = &self.page.slots[slot];
        let Some(was) = s.state.promise(seq, reason) else { return false };
        self.page.set_busy(slot);
        self.awake();
        if was.kind() == Kind::Parked && s.tracer.load(SeqCst) == KEEPS_TIME {
            self.wake_tracer();
        } else if was.kind() == Kind::Parked {
            sys::futex_wake(&s.state.0, 1, was.local());
        }
        true
    }
}
