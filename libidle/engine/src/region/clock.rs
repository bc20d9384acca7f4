//! Virtual now, and how it moves.

use crate::region::layout::{ClockMode, Page};
use crate::region::lock::Token;
use crate::sync::{Relaxed, SeqCst};
use posix::clock::is_time_of_day;
use posix::time::{Span, Spec};

impl Page {
    /// Virtual `CLOCK_MONOTONIC`, ns. `real` is read only in elapsed mode.
    #[inline]
    pub fn now(&self, real: impl FnOnce() -> u64) -> u64 {
        match self.mode() {
            // The offset is read first: an offset read after the real time could have jumped
            // meanwhile, and the sum would be a time that nobody has reached yet by its own
            // deadline, only late, never early.
            ClockMode::Elapsed => {
                let offset = self.header.clock.value();
                real().saturating_add(offset)
            }
            ClockMode::Frozen => self.header.clock.value(),
            ClockMode::Real => real(),
        }
    }

    /// Does the machine have clock `id`?
    #[inline]
    pub fn has_clock(&self, id: i32) -> bool {
        self.header.clocks.load(Relaxed) >> id & 1 != 0
    }

    /// Frozen time of clock `id` (a `clockid_t` below [`crate::region::layout::CLOCKS`]).
    #[inline]
    pub fn frozen(&self, id: usize) -> Spec {
        let h = &self.header;
        let mut ns = h.clock.value();
        if is_time_of_day(id as i32) {
            ns = ns.saturating_add_signed(h.realtime_shift.load(Relaxed));
        }
        Spec { sec: h.base_sec[id].load(Relaxed), nsec: h.base_nsec[id].load(Relaxed) }
            .plus(Span::from_ns(ns))
    }

    /// What CLOCK_REALTIME has been set ahead by, ns.
    pub fn shift(&self) -> i64 {
        self.header.realtime_shift.load(SeqCst)
    }

    /// What `clock_settime(2)` has done to clock `id`, which would read `now` without it.
    #[inline(always)]
    pub fn set_ahead(&self, id: i32, now: Spec) -> Spec {
        let shift = self.header.realtime_shift.load(Relaxed);
        if shift != 0 && is_time_of_day(id) { now.shifted(shift) } else { now }
    }

    /// Moves a frozen clock on by `ns`, so little that it is no jump. Lock's holder only; false if
    /// the lock was lost.
    pub(crate) fn pass(&self, token: Token, ns: u64) -> bool {
        let h = &self.header;
        let old = h.clock.value();
        let passed = h.clock.commit(token, old, old.saturating_add(ns));
        if passed {
            h.jumped.store(h.jumped.load(Relaxed).saturating_add(ns), Relaxed);
        }
        passed
    }

    /// Moves virtual time on to `target`, if it is ahead. Lock's holder only; false if the lock was
    /// lost.
    pub(crate) fn advance(&self, token: Token, target: u64, real: u64) -> bool {
        let h = &self.header;
        let old = h.clock.value();
        let (new, ahead) = match self.mode() {
            ClockMode::Elapsed => {
                (target.saturating_sub(real), target.saturating_sub(real.saturating_add(old)))
            }
            ClockMode::Frozen => (target, target.saturating_sub(old)),
            ClockMode::Real => return false,
        };
        if ahead == 0 {
            // Nothing to move, but only the holder may go on.
            return h.clock.commit(token, old, old);
        }
        if !h.clock.commit(token, old, new) {
            return false;
        }
        h.jumps.store(h.jumps.load(Relaxed) + 1, Relaxed);
        h.jumped.store(h.jumped.load(Relaxed).saturating_add(ahead), Relaxed);
        true
    }
}
