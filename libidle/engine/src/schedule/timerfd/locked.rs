//! What the holder of a timer's lock does with the timer.

use super::lock::{Token, give_back};
use super::{ABSOLUTE, CANCEL_ON_SET, CANCELED, LOST, SHARED};
use crate::region::slot::Slot;
use crate::region::state::Kind;
use crate::schedule::engine::Engine;
use crate::schedule::timerfd::kernel::set_ticks;
use crate::sync::{Relaxed, SeqCst};
use crate::sys;
use posix::time::{Instant, NEVER, Span};
use posix::timer::{Expired, Setting, itimerspec};

/// A timer's slot, locked.
pub struct Locked<'a> {
    pub(super) engine: &'a Engine,
    /// Its index.
    pub index: usize,
    pub(super) token: Token,
}

impl Locked<'_> {
    /// The slot.
    pub fn slot(&self) -> &'static Slot {
        &self.engine.page.slots[self.index]
    }

    /// The first expiration that was not read, if there is one, or else the next.
    fn expired(&self) -> (Expired, bool) {
        let slot = self.slot();
        let (unread, next) = (slot.timer().expired.load(Relaxed), slot.deadline.load(Relaxed));
        let first = Instant::from_ns(if unread != 0 { unread } else { next });
        let interval = Span::from_ns(slot.timer().interval.load(Relaxed));
        (Expired { first, interval }, unread != 0)
    }

    /// Expirations up to `now`, as a read counts them; 0 if there was none. Starts the next
    /// interval.
    pub fn take_expirations(&self, now: Instant) -> u64 {
        let (expired, unread) = self.expired();
        if !unread {
            return 0;
        }
        let slot = self.slot();
        slot.timer().expired.store(0, SeqCst);
        if !expired.interval.is_zero() {
            slot.parked.store(now.ns(), Relaxed);
            slot.deadline.store(expired.next(now).ns(), SeqCst);
        }
        expired.missed(now) + 1
    }

    /// `struct itimerspec`, as `timerfd_gettime(2)` reports it: an interval goes on though nobody
    /// reads.
    pub fn gettime(&self, now: Instant) -> [i64; 4] {
        let (expired, unread) = self.expired();
        itimerspec(expired.left(now, unread), expired.interval)
    }

    /// Sets the timer, at `now`; `fd` is a descriptor of it in this process. `cancels`: a read must
    /// fail when the clock is set.
    pub fn set(&self, fd: i32, now: Instant, to: Setting, cancels: bool) -> Result<(), isize> {
        // The descriptor may have been closed meanwhile.
        self.engine.name_timer(fd, self.index)?;
        let slot = self.slot();
        let noted = match (to.settable, cancels) {
            (false, _) => 0,
            (true, false) => ABSOLUTE,
            (true, true) => ABSOLUTE | CANCEL_ON_SET,
        };
        slot.timer().flags.fetch_and(SHARED, SeqCst);
        slot.timer().flags.fetch_or(noted, SeqCst);
        slot.timer().interval.store(to.expired.interval.ns(), Relaxed);
        slot.timer().expired.store(0, Relaxed);
        slot.parked.store(now.ns(), Relaxed);
        slot.deadline.store(to.expired.first.ns(), SeqCst);
        self.engine.fire_if_due(self);
        Ok(())
    }

    /// Was the clock set, and does the program want to know? Answers yes once.
    pub fn take_canceled(&self) -> bool {
        self.slot().timer().flags.fetch_and(!CANCELED, SeqCst) & CANCELED != 0
    }

    /// Makes the descriptor readable and wakes its waiters, if it is within reach.
    pub fn tick(&self) -> bool {
        self.slot().timer().flags.fetch_and(!LOST, SeqCst);
        let (pid, fd) = (self.slot().pid.load(Relaxed), self.slot().timer().fd.load(Relaxed));
        if pid == self.engine.pid {
            return self.engine.timer_of(fd) == Ok(Some(self.index)) && set_ticks(fd);
        }
        let reached = || self.engine.reach.may_reach(pid);
        sys::with_reached(pid, fd, reached, |fd| {
            self.engine.timer_of(fd) == Ok(Some(self.index)) && set_ticks(fd)
        })
    }

    /// The last descriptor is closed: gives the slot back. The slot stays locked until its next
    /// owner takes it.
    pub fn release(self) {
        self.engine.page.release(self.index);
        std::mem::forget(self);
    }

    /// The deadline has come. False if the timer was not ticked: it is not due, or the launcher has
    /// to tick it.
    pub(super) fn expire(&self, now: u64, keeper: bool) -> bool {
        let slot = self.slot();
        let due = slot.deadline.load(SeqCst);
        if due > now {
            return false;
        }
        let before = slot.timer().expired.load(Relaxed);
        slot.deadline.store(NEVER, SeqCst);
        slot.timer().expired.store(if before == 0 { due.max(1) } else { before }, SeqCst);
        if self.tick() {
            return true;
        }
        if keeper {
            slot.timer().flags.fetch_or(LOST, SeqCst);
            self.engine.page.header.timers_lost.fetch_add(1, SeqCst);
            return true;
        }
        slot.timer().expired.store(before, SeqCst);
        slot.deadline.store(due, SeqCst);
        false
    }
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        let slot = self.slot();
        if !give_back(slot.timer_lock(), self.token) {
            // This process executes a program, and the new image counts this thread as dead.
            return;
        }
        // Also if the deadline has not changed: a decider that came to fire the timer meanwhile has
        // taken it out of the queue and left it to this thread.
        if slot.state.load().kind() == Kind::Timer {
            self.engine.page.post_deadline(
                self.index,
                slot.deadline.load(SeqCst),
                slot.parked.load(Relaxed),
            );
        }
    }
}
