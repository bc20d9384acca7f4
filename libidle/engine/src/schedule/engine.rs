//! The engine as one process sees it.

use crate::region::keeper_word;
use crate::region::layout::{ClockMode, Page};

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
}

impl Engine {
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
