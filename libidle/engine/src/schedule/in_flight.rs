//! All are blocked, and the kernel works for one of them on real time: nobody jumps. With a running
//! clock that time passes by itself. A frozen clock moves by it, in whole milliseconds, so what
//! takes less leaves no trace.

use crate::schedule::advance::Reason;
use crate::schedule::busy::Busy;
use crate::schedule::decide::Outcome;
use crate::schedule::engine::Engine;
use crate::schedule::hold_lock::Held;
use crate::schedule::next::{Key, next};
use crate::sync::Relaxed;

impl Engine {
    /// A survey has found `busy`, and `took` ns of real time have passed with it that nobody has
    /// reckoned yet. The clock does not pass the earliest deadline; whose that is wakes. `own` is a
    /// deadline that the caller alone knows of. Lock's holder only.
    pub(crate) fn kernel_works(
        &self,
        held: Held,
        busy: Busy,
        took: u64,
        own: Option<Key>,
    ) -> Outcome {
        let h = &self.page.header;
        h.kernel_worked.store(h.kernel_worked.load(Relaxed).saturating_add(took), Relaxed);
        if took == 0 || !self.frozen() {
            return Outcome::NotIdle(busy);
        }
        let to = self.now().saturating_add(took);
        self.carry(held, to, own, Reason::KernelWorks).unwrap_or(Outcome::NotIdle(busy))
    }

    /// Frozen mode: real time has passed, so the clock moves on to `to`, but not past the earliest
    /// deadline; whose that is wakes. `None` if the clock is at `to` and nobody was due. `own` is a
    /// deadline that the caller alone knows of. Lock's holder only.
    pub(crate) fn carry(
        &self,
        held: Held,
        to: u64,
        own: Option<Key>,
        reason: Reason,
    ) -> Option<Outcome> {
        let page = self.page;
        page.drain_mail(held.arena);
        let due = next([page.goal(held.arena), own]).filter(|key| page.ends(key.deadline) <= to);
        let to = due.map_or(to, |key| page.ends(key.deadline));
        if !self.advance(held, to, 0, reason) {
            return Some(Outcome::NotIdle(Busy::LockTaken));
        }
        Some(match due? {
            key if own == Some(key) => Outcome::Mine,
            _ if self.expire_due(held, to).1 => Outcome::Fired,
            _ => Outcome::Woke,
        })
    }
}
