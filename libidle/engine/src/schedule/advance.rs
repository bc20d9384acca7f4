//! The only mover of the clock.
//!
//! The clock moves by a compare-and-swap of its word together with the lock's
//! ([`crate::region::lock`]), so a holder that has lost the lock moves nothing. When the launcher
//! is dead, nobody gets the lock any more and nobody jumps. Then the waits of a frozen session
//! carry the clock to their own deadlines.

use crate::region::layout::ClockMode;
use crate::schedule::engine::Engine;
use crate::schedule::hold_lock::Held;
use crate::sync::{Relaxed, SeqCst};
use posix::clock::Shift;

/// Why the clock moves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Reason {
    /// All are blocked, and this is the earliest deadline. Counted as a jump.
    Jump,
    /// A thread spins, and time would stand still. Counted as a jump, and as a *creep* too, because
    /// it costs repeatability.
    Creep,
    /// Frozen mode: the clock follows real time, because somebody works on and on. No jump: a
    /// thread that counts how long it has asked in vain would begin anew each time.
    Follows,
    /// Frozen mode: the kernel works for the session on real time, and that is what has passed.
    KernelWorks,
    /// Frozen mode: somebody holds the clock, or has held it, and that is what has passed.
    Hold,
    /// A thread asks whether an instant that has come is over. Nobody else has to know: no jump.
    InstantIsOver,
}

impl Engine {
    /// Moves virtual time on to `to`, if that is ahead; `real` is the real clock, ns. False if the
    /// lock was lost: then nothing has happened, and the caller must not go on as a decider.
    pub(crate) fn advance(&self, held: Held, to: u64, real: u64, reason: Reason) -> bool {
        let h = &self.page.header;
        let old = h.clock.value();
        let (new, ahead) = match self.page.mode() {
            ClockMode::Elapsed => {
                (to.saturating_sub(real), to.saturating_sub(real.saturating_add(old)))
            }
            ClockMode::Frozen => (to, to.saturating_sub(old)),
            ClockMode::Real => return false,
        };
        // With nothing to move, only the holder may go on.
        let new = if ahead == 0 { old } else { new };
        if !h.clock.commit(held.token, old, new) {
            return false;
        }
        if ahead != 0 && matches!(reason, Reason::Jump | Reason::Creep) {
            h.jumps.store(h.jumps.load(Relaxed) + 1, Relaxed);
        }
        h.jumped.store(h.jumped.load(Relaxed).saturating_add(ahead), Relaxed);
        if matches!(reason, Reason::Creep | Reason::Follows | Reason::InstantIsOver) {
            self.count_creep();
        }
        true
    }

    /// The launcher is dead: carries a frozen clock on to `to`. A holder from before fails with its
    /// own move.
    pub(crate) fn advance_abandoned(&self, to: u64) {
        self.page.header.clock.raise(to);
    }

    /// Sets `CLOCK_REALTIME` ahead by `by` more (clock_settime(2)). Ends the waits for an instant
    /// of it; their threads look whether it has come. Moves the timer descriptors that are set to
    /// such an instant. The caller is busy; `tid` is its thread, and all its signals are blocked.
    pub fn set_clock(&self, by: Shift, tid: u32) {
        let h = &self.page.header;
        if by == Shift::default() {
            return;
        }
        h.realtime_shift.fetch_add(by.0, SeqCst);
        if h.timers.load(SeqCst) != 0 {
            self.clock_was_set(by, tid);
        }
        self.end_settable_waits();
    }

    /// Counts that the clock has moved on for the sake of a spinning thread.
    pub fn count_creep(&self) {
        self.page.header.creeps.fetch_add(1, Relaxed);
    }
}
