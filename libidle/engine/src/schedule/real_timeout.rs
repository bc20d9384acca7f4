//! How long a wait with a deadline sleeps in the kernel at most, and what it does if nobody has
//! ended it by then.
//!
//! A deadline comes by a jump. It comes by real time when nobody moves the clock, because a thread
//! computes or the launcher is dead. So each such wait gives the kernel what is left as a time-out,
//! and checks for itself when the time-out has passed.
//!
//! No wait ends early. It is over when virtual now has reached its deadline; in a frozen session
//! without a keeper, when as much real time has passed as was left. No wait is lost: the time-out
//! is in the very call that waits. And no jump comes while a wait ends: as long as the launcher
//! lives, the wait ends under the clock's lock, like a jump, and when the launcher is dead, nobody
//! jumps any more ([`crate::region::layout::Page::abandoned`]).

use crate::patience::{RECHECK, RECHECK_FROZEN};
use crate::region::keeper_word;
use crate::region::layout::ClockMode;
use crate::schedule::engine::Engine;
use crate::sys::Timespec;
use posix::time::RealSpan;

/// The end of one wait by the real clock.
#[derive(Clone, Copy, Debug)]
pub struct Limit {
    /// Absolute virtual ns.
    deadline: u64,
    /// Real `CLOCK_MONOTONIC` at which to look whether the deadline has come, ns.
    real: u64,
    /// How long to sleep when it has not, real ns.
    again: u64,
}

impl Limit {
    /// For a wait until `deadline` that begins `now` (absolute virtual ns).
    pub fn new(engine: &Engine, deadline: u64, now: u64) -> Limit {
        let left = deadline.saturating_sub(now);
        Limit {
            deadline,
            real: (engine.real_now)().saturating_add(left),
            again: RECHECK_FROZEN.ns(),
        }
    }

    /// The time-out, real ns from now.
    pub fn left(&self, engine: &Engine) -> u64 {
        self.real.saturating_sub((engine.real_now)()).min(RECHECK.ns())
    }

    /// The time-out for [`crate::sys::futex_wait`].
    pub fn timespec(&self, engine: &Engine) -> Timespec {
        Timespec::of(RealSpan::from_ns(self.left(engine)))
    }

    /// A time-out of the wait that slot `me` is in has passed. Is the wait over? If so, its state
    /// word says so. Owner only.
    pub fn passed(&mut self, engine: &Engine, me: usize) -> bool {
        let (page, slot) = (engine.page, &engine.page.slots[me]);
        let seen = slot.state.load();
        if !seen.waits() {
            return true;
        }
        let (real, frozen) = ((engine.real_now)(), page.mode() == ClockMode::Frozen);
        let now = page.now(|| real);
        let come = now >= page.ends(self.deadline);
        if page.abandoned() || page.real() {
            if come || (frozen && real >= self.real) {
                if frozen {
                    engine.advance_abandoned(page.ends(self.deadline));
                }
                engine.expire_own(me, seen);
                return true;
            }
        } else if frozen {
            // A jump brings its turn.
            if real >= self.real {
                self.real = real.saturating_add(self.again);
                self.again = (self.again * 2).min(RECHECK.ns());
            }
            return false;
        } else if come {
            if engine.expire_by_real_time(me).is_some() && !slot.state.load().waits() {
                return true;
            }
            // A decider is at work, and does not know that this wait is due. The keeper looks when
            // the decider is done.
            keeper_word::kick(page);
            self.real = real.saturating_add(RECHECK.ns());
            return false;
        }
        self.real = self.real.min(real.saturating_add(self.deadline - now.min(self.deadline)));
        false
    }
}
