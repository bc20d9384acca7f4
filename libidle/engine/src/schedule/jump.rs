//! A jump: the clock moves to the earliest deadline when all are blocked, and the thread that waits
//! for it is woken.

use crate::region::layout::ClockMode;
use crate::region::state::Kind;
use crate::region::wait_kind::WaitKind;
use crate::schedule::advance::Reason;
use crate::schedule::busy::Busy;
use crate::schedule::decide::Outcome;
use crate::schedule::engine::Engine;
use crate::schedule::hold_lock::Held;
use crate::schedule::next::{Key, next};
use crate::sync::{Relaxed, SeqCst};
use posix::time::NEVER;

impl Engine {
    /// All were blocked when `first` was the earliest deadline. Moves the clock to it, or to one
    /// that is earlier by now, and wakes the threads that wait for it. `own` is a deadline of the
    /// caller that is not posted, `real` the caller's reading of the real clock
    /// ([`crate::schedule::engine::Moment`]). Lock's holder only.
    pub(crate) fn jump(
        &self,
        held: Held,
        first: Option<Key>,
        own: Option<Key>,
        real: u64,
    ) -> Outcome {
        let page = self.page;
        page.drain_mail(held.arena);
        let waiting = [first, own, page.goal(held.arena).filter(|_| first.or(own).is_some())];
        let Some(target) = next(waiting) else { return Outcome::NoDeadline };
        let (frozen, mine) = (page.mode() == ClockMode::Frozen, own == Some(target));
        let before = if mine { 0 } else { page.header.jumps.load(Relaxed) };
        if !self.advance(held, page.ends(target.deadline), real, Reason::Jump) {
            return Outcome::NotIdle(Busy::LockTaken);
        }
        if frozen && mine {
            return Outcome::Mine;
        }
        let now = page.now(|| real);
        let mine = mine || !frozen && own.is_some_and(|key| key.deadline <= now);
        if frozen && page.header.jumps.load(Relaxed) != before {
            let first = page.earliest(held.arena);
            first.into_iter().for_each(|(slot, _)| self.note_back_off(slot));
        }
        let (left, fired) = self.expire_due(held, now);
        self.arm_by(left, now, real);
        match (mine, fired) {
            (true, _) => Outcome::Mine,
            (false, true) => Outcome::Fired,
            (false, false) => Outcome::Woke,
        }
    }

    /// Frozen mode: the clock has jumped for the wait of `slot`. Says so if that is a back-off: for
    /// others that spin nothing has happened then.
    pub(crate) fn note_back_off(&self, slot: usize) {
        if self.page.slots[slot].is_for(WaitKind::Spin) {
            self.page.header.back_offs.fetch_add(1, Relaxed);
        }
    }

    /// Wakes the threads whose wait is over at `now`, in order. In frozen mode it wakes only
    /// the first of them, and the next when all are at rest again. Returns the earliest deadline
    /// left, and whether a timer descriptor was among them. Lock's holder only.
    pub(crate) fn expire_due(&self, held: Held, now: u64) -> (u64, bool) {
        let page = self.page;
        let mut fired = false;
        while let Some((slot, key)) = page.earliest(held.arena) {
            if page.ends(key.deadline) > now {
                return (key.deadline, fired);
            }
            page.drop_earliest(held.arena, slot);
            let s = &page.slots[slot];
            // Read the state first: a deadline read after it is never that of an earlier wait.
            let seen = s.state.load();
            if seen.kind() == Kind::Timer {
                fired |= self.fire(slot, now, held.token.owner() == crate::region::lock::KEEPER);
                if fired && page.mode() == ClockMode::Frozen {
                    return (key.deadline, true);
                }
                continue;
            }
            let due = page.ends(s.deadline.load(SeqCst)) <= now;
            if !due || !self.expire(slot, seen) {
                // The thread may have gone on to a later deadline, and may have relied on the entry
                // that is out now. If it is still on its way out of its wait, it will find no entry
                // and post the next deadline itself.
                if !due {
                    page.enter(held.arena, slot);
                }
                continue;
            }
            if page.mode() == ClockMode::Frozen && !s.is_runtime_tick() {
                return (key.deadline, fired);
            }
        }
        (NEVER, fired)
    }

    /// Elapsed mode: a running thread is about to look at timer descriptors. Those that are due by
    /// real time must be ready by then.
    pub fn expire_now(&self, me: usize) {
        if self.page.mode() == ClockMode::Elapsed {
            self.expire_by_real_time(me);
        }
    }

    /// Ends the waits that are due by real time, though other threads are busy. Returns the next
    /// deadline, or `None` when the lock is taken. For slot `me`, or the keeper.
    pub(crate) fn expire_by_real_time(&self, me: usize) -> Option<u64> {
        let held = self.lock(me, (self.real_now)())?;
        self.page.drain_mail(held.arena);
        let (next, _) = self.expire_due(held, self.now());
        self.unlock(held);
        Some(next)
    }

    /// Elapsed mode, after a jump: `deadline` is nearer now than its waiter told the kernel, and
    /// will come by real time too. The same holds for a timer descriptor, which no thread waits
    /// for. The keeper must be awake by then.
    pub fn arm(&self, deadline: u64, now: u64) {
        if self.page.mode() == ClockMode::Elapsed && deadline != NEVER {
            self.arm_by(deadline, now, (self.real_now)());
        }
    }

    /// The same for a caller that has read the real clock.
    fn arm_by(&self, deadline: u64, now: u64, real: u64) {
        if self.page.mode() == ClockMode::Elapsed && deadline != NEVER {
            let real = real.saturating_add(deadline.saturating_sub(now));
            if real < self.page.header.keeper_wakes.load(SeqCst) {
                self.kick_keeper();
            }
        }
    }
}
