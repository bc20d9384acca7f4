//! How a thread becomes runnable. No other file makes one runnable.
//!
//! A wake-up is one act of three steps. The waker *promises*: it changes the sleeper's state word
//! from a wait to busy, by compare-and-swap. Then it sets the sleeper's bit in the busy set. Then
//! it wakes the sleeper. The waker is itself busy until all three are done.
//!
//! No wake-up is lost. The sleeper sleeps on the very word that the promise changes, so it sees the
//! promise before it sleeps, or the wake-up finds it asleep. No decider takes the sleeper for
//! blocked in between: until the bit is set the waker is busy, and after that the bit leads to a
//! word that says busy. A promise for an earlier wait fails, because it names the number of that
//! wait.

use crate::region::state::{Kind, Reason, State};
use crate::region::tracer_word::{KEEPS_TIME, owned};
use crate::region::wait_kind::{SETTABLE, WaitKind};
use crate::schedule::engine::Engine;
use crate::sync::{Relaxed, SeqCst};
use crate::sys;

/// A wait that was promised its end, and whose thread is not woken yet.
#[must_use = "a thread that was promised its wake-up must be woken"]
#[derive(Clone, Copy)]
pub struct Promised {
    slot: u32,
    was: State,
}

impl Promised {
    /// Wakes the thread of an exact wait. Threads in other states are not asleep yet.
    #[inline]
    pub fn deliver(self, engine: &Engine) {
        engine.page.awake();
        let slot = &engine.page.slots[self.slot as usize];
        if self.was.kind() != Kind::Parked {
            return;
        }
        if slot.tracer.load(SeqCst) == KEEPS_TIME {
            engine.page.wake_tracer();
        } else {
            sys::futex_wake(&slot.state.0, 1, self.was.local());
        }
    }
}

impl Engine {
    /// Ends wait `seq` of `slot` for `reason`. False if the wait was promised before or is over.
    pub fn wake(&self, slot: usize, seq: u32, reason: Reason) -> bool {
        self.wake_later(slot, seq, reason).map(|promised| promised.deliver(self)).is_some()
    }

    /// The same without the last step, for a waker that holds a lock which the woken thread would
    /// want.
    #[inline]
    pub fn wake_later(&self, slot: usize, seq: u32, reason: Reason) -> Option<Promised> {
        let was = self.page.slots[slot].state.promise(seq, reason)?;
        self.page.set_busy(slot);
        Some(Promised { slot: slot as u32, was })
    }

    /// Ends the wait `seen` of `slot` because its deadline has come. False if the wait was promised
    /// before or is over.
    pub(crate) fn expire(&self, slot: usize, seen: State) -> bool {
        let was = self.page.slots[slot].state.expire(seen);
        if let Some(was) = was {
            self.page.set_busy(slot);
            self.page.awake();
            if was.kind() != Kind::Prep {
                self.deliver(slot, was.kind());
            }
        }
        was.is_some()
    }

    /// Ends the kernel wait `seen` of `slot`, reason *cancelled*. The futex call of that wait also
    /// waits for the state word. False if the wait is over.
    pub fn cancel_kernel_wait(&self, slot: usize, seen: State) -> bool {
        let word = &self.page.slots[slot].state;
        let cancelled = word.interrupt(seen, Reason::Cancelled);
        if cancelled {
            self.page.set_busy(slot);
            self.page.awake();
            sys::futex_wake(&word.0, 1, false);
        }
        cancelled
    }

    /// The thread of slot `me` ends its own wait `seq`, in which it does not sleep. False if
    /// somebody else has ended it.
    #[inline]
    pub fn end_own(&self, me: usize, seq: u32, reason: Reason) -> bool {
        let ended = self.page.slots[me].state.promise(seq, reason).is_some();
        if ended {
            self.page.set_busy(me);
        }
        ended
    }

    /// The same for a wait whose deadline has come.
    pub(crate) fn expire_own(&self, me: usize, seen: State) {
        if self.page.slots[me].state.expire(seen).is_some() {
            self.page.set_busy(me);
        }
    }

    /// The last step of a wake-up. The thread's wait, of kind `was`, has been promised its end.
    /// Wakes its futex, writes to its wake fd, signals it, or leaves it to the tracer.
    fn deliver(&self, slot: usize, was: Kind) {
        let s = &self.page.slots[slot];
        /// In the place of a wake fd: the session's signal ends the wait.
        const SIGNAL: i32 = -1;
        let wake_fd = s.thread().wake_fd.load(SeqCst);
        let tracer = s.tracer.load(SeqCst);
        if tracer == KEEPS_TIME || was == Kind::Kernel && owned(tracer) {
            self.page.wake_tracer();
        } else if was == Kind::Kernel && wake_fd == SIGNAL {
            if !self.reach.signal(slot, s.pid.load(Relaxed), s.tid.load(Relaxed)) {
                self.kick_keeper();
            }
        } else if was == Kind::Parked || wake_fd <= 0 {
            sys::futex_wake(&s.state.0, 1, false);
        } else if !self.reach.ring(s.pid.load(Relaxed), wake_fd) {
            self.kick_keeper();
        }
    }

    /// Wakes a thread once more that sleeps though it was promised long ago. Its waker died before
    /// it woke the thread, or was not allowed to write to its wake fd. If it is not so, this is a
    /// spurious wake-up, and harmless.
    pub fn deliver_again(&self, slot: usize) {
        self.deliver(slot, Kind::Parked);
        self.deliver(slot, Kind::Kernel);
    }

    /// A clock was set. Ends the waits for an instant of it as if that instant had come. Their
    /// threads look whether it has, and wait again if not. The caller is busy, and has set the
    /// clock before.
    ///
    /// None is missed. The waiter reads first what the clock has been set by, then the clock. Then
    /// it prepares its wait, and then it looks whether the clock has been set meanwhile. Either the
    /// waiter sees that the clock was set, or this function sees the wait.
    pub(crate) fn end_settable_waits(&self) {
        for (index, slot) in self.page.slots[..self.page.high()].iter().enumerate() {
            // Read the state first: a mark read after it is never that of an earlier wait.
            let seen = slot.state.load();
            if seen.waits() && slot.thread().what.load(SeqCst) & SETTABLE != 0 {
                self.expire(index, seen);
            } else if seen.kind() == Kind::Parked && slot.is_for(WaitKind::Timer) {
                // A thread that serves timers works out anew which is the earliest.
                self.wake(index, seen.seq(), Reason::Woken);
            }
        }
    }

    /// The same for the wait that `slot` is in, if the clock is not set ahead by `shift` any more.
    pub fn end_if_set(&self, slot: usize, shift: i64) {
        if shift != self.page.shift() {
            self.expire(slot, self.page.slots[slot].state.load());
        }
    }
}
