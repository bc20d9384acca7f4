//! How to read virtual now. [`crate::schedule::advance`] moves the clock.

use crate::region::layout::{ClockMode, Page};
use crate::sync::{Relaxed, SeqCst};
use posix::clock::{is_time_of_day, is_virtual};
use posix::time::{Span, Spec};

impl Page {
    /// Virtual `CLOCK_MONOTONIC`, ns. `real` is read only in elapsed mode.
    #[inline]
    pub fn now(&self, real: impl FnOnce() -> u64) -> u64 {
        match self.mode() {
            // Read the offset before the real time. If a jump comes between the two reads, the sum
            // lags behind by that jump: it is late, never early. In the other order the sum would
            // be a time to which no deadline has brought the clock.
            ClockMode::Elapsed => {
                let offset = self.header.clock.value();
                real().saturating_add(offset)
            }
            ClockMode::Frozen => self.header.clock.value(),
            ClockMode::Real => real(),
        }
    }

    /// The instant at which a wait until `deadline` ends, if nothing else ends it (absolute virtual
    /// ns). By a frozen clock that is a slack later, as natively a wait takes longer than was asked
    /// for: the same in every run, and for all of them, so their order is that of their deadlines.
    #[inline]
    pub fn ends(&self, deadline: u64) -> u64 {
        deadline.saturating_add(self.header.slack.load(Relaxed) as u64)
    }

    /// How often the clock has jumped for other waits than the back-offs of threads that spin.
    #[inline]
    pub fn jumps_for_waits(&self) -> u64 {
        self.header.jumps.load(Relaxed).wrapping_sub(self.header.back_offs.load(Relaxed))
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
        let base = Spec { sec: h.base_sec[id].load(Relaxed), nsec: h.base_nsec[id].load(Relaxed) };
        // The clock may have been set to a date before the machine was started.
        self.set_ahead(id as i32, base.plus(Span::from_ns(h.clock.value())))
    }

    /// What clock `id` reads in the session. `real` reads the machine's clock, which a frozen clock
    /// does not need.
    #[inline(always)]
    pub fn reads<E>(&self, id: i32, real: impl FnOnce() -> Result<Spec, E>) -> Result<Spec, E> {
        if !is_virtual(id) {
            return real();
        }
        if self.mode() == ClockMode::Frozen && self.has_clock(id) {
            return Ok(self.frozen(id as usize));
        }
        // Read the offset before the clock: if a jump comes in between, the sum is late by that
        // jump, never early.
        let offset = Span::from_ns(self.header.clock.value());
        Ok(self.set_ahead(id, real()?.plus(offset)))
    }

    /// By how much the session has set CLOCK_REALTIME ahead, ns.
    pub fn shift(&self) -> i64 {
        self.header.realtime_shift.load(SeqCst)
    }

    /// Adds to `now`, a reading of clock `id`, what `clock_settime(2)` has set that clock ahead by.
    #[inline(always)]
    fn set_ahead(&self, id: i32, now: Spec) -> Spec {
        let shift = self.header.realtime_shift.load(Relaxed);
        if shift != 0 && is_time_of_day(id) { now.shifted(shift) } else { now }
    }
}
