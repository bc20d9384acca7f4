//! Waiting for rest: a thread that wants to know when all others are blocked, before time goes on.
//!
//! The waiter is blocked itself. Instead of jumping, a decider that finds all at rest wakes those
//! who wait for that.
//!
//! No wake-up is lost. The waiter sets the bit ([`AT_REST`]) when its wait is prepared and not yet
//! published, so whoever decides before that finds it busy, and whoever decides after that sees the
//! bit. It asks for a decision after it has published the wait, like every thread that blocks. The
//! wake-up is a promise on the word that the waiter sleeps on, and the decider takes the bit back
//! before it looks for waiters: who is not asleep yet then makes it set the bit again.

use crate::region::holds::AT_REST;
use crate::region::state::{Kind, Reason};
use crate::region::wait_kind::WaitKind;
use crate::schedule::engine::Engine;
use crate::sync::SeqCst;
use crate::sys::{self, Timespec};
use posix::time::{NEVER, RealSpan};

impl Engine {
    /// Waits in `seq` (from [`Engine::begin_wait`], for [`WaitKind::Rest`]) until all other threads
    /// of the session are blocked, or until `limit` of real time is over: [`Reason::TimedOut`].
    pub fn await_rest(&self, me: usize, seq: u32, limit: Option<RealSpan>) -> Reason {
        const FAR: u64 = NEVER >> 1;
        let until = limit.map(|limit| (self.real_now)().saturating_add(limit.ns()));
        self.page.hold(AT_REST);
        if let Err(reason) = self.begin_park(me, seq, NEVER, false, None) {
            return reason;
        }
        let slot = &self.page.slots[me];
        loop {
            let now = slot.state.load();
            if now.kind() != Kind::Parked || now.seq() != seq {
                return now.reason();
            }
            let left = until.map(|until| until.saturating_sub((self.real_now)()));
            let over = left == Some(0);
            if over && self.end_own(me, seq, Reason::TimedOut) {
                self.page.awake_as(me);
                return Reason::TimedOut;
            }
            // A handler ends only a wait that has a time-out: see [`Timespec`].
            let timeout = Timespec::of(RealSpan::from_ns(left.unwrap_or(FAR)));
            let ended = sys::futex_wait(&slot.state.0, now.0, Some(&timeout), false);
            if self.forked() {
                return Reason::Interrupted;
            }
            if ended == sys::EINTR && self.end_own(me, seq, Reason::Interrupted) {
                self.page.awake_as(me);
                return Reason::Interrupted;
            }
        }
    }

    /// All are blocked. Wakes those who wait for that; false if there is nobody. Lock's holder
    /// only.
    pub(crate) fn tell_of_rest(&self) -> bool {
        let page = self.page;
        page.header.hold.fetch_and(!AT_REST, SeqCst);
        let mut told = false;
        for (index, slot) in page.slots[..page.high()].iter().enumerate() {
            let seen = slot.state.load();
            if !slot.is_for(WaitKind::Rest) {
                continue;
            }
            if seen.kind() == Kind::Parked {
                told |= self.wake(index, seen.seq(), Reason::Woken);
            } else if seen.kind() == Kind::Prep {
                page.hold(AT_REST);
            }
        }
        told
    }
}
