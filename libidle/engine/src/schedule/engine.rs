//! The engine as one process sees it.

use crate::region::keeper_word;
use crate::region::layout::{ClockMode, Page};
use crate::schedule::reach::Reach;

/// The region, this process's number, and how to read the real clock.
#[derive(Clone, Copy)]
pub struct Engine {
    /// The session's region.
    pub page: &'static Page,
    /// This process.
    pub pid: u32,
    /// Real `CLOCK_MONOTONIC`, ns.
    pub real_now: fn() -> u64,
    /// The calling process's number now. It differs from `pid` in a child that a signal handler
    /// forked during a wait. The frames of that wait are the parent's business.
    pub process: fn() -> u32,
    /// What this process does to others.
    pub reach: &'static dyn Reach,
}

/// A reading of the clocks at one moment.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// Virtual now, ns.
    pub now: u64,
    /// The real clock, ns; not read where the clock is frozen.
    pub(crate) real: u64,
}

impl Engine {
    /// Reads the clocks, the real one at most once. A thread that begins a timed wait hands the
    /// reading on to all steps of the wait: one reading costs a third of a sleep that ends with a
    /// jump at once. The time from the reading to the jump counts as running time, as it does
    /// natively.
    #[inline]
    pub fn moment(&self) -> Moment {
        // Read the offset first: see [`Page::now`].
        let value = self.page.header.clock.value();
        match self.page.mode() {
            ClockMode::Frozen => Moment { now: value, real: 0 },
            ClockMode::Elapsed => {
                let real = (self.real_now)();
                Moment { now: real.saturating_add(value), real }
            }
            ClockMode::Real => {
                let real = (self.real_now)();
                Moment { now: real, real }
            }
        }
    }

    /// Virtual now, ns.
    #[inline]
    pub fn now(&self) -> u64 {
        self.page.now(self.real_now)
    }

    /// Is the session frozen?
    pub fn frozen(&self) -> bool {
        self.page.mode() == ClockMode::Frozen
    }

    /// Did a handler fork this process out of the wait?
    #[inline]
    pub fn forked(&self) -> bool {
        (self.process)() != self.pid
    }

    /// Wakes the keeper, unless it will look by itself soon.
    pub fn kick_keeper(&self) {
        keeper_word::kick(self.page);
    }
}
