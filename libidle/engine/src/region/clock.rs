//! Virtual now, as it is read. What moves it: [`crate::schedule::advance`].

use crate::region::layout::{ClockMode, Page};
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

    /// Frozen time of clock `id` (a `clockid_t` below [`crate::region::sizes::CLOCKS`]).
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
}
