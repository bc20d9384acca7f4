//! A frozen clock that stands still because a thread computes: the keeper's last resort.
//!
//! With a clock that runs, a loop on plain memory ends when real time has passed. A frozen clock
//! would never move, for the thread that the loop waits for sleeps until it does. No hook is called
//! in such a loop, so it looks like a computation; all that can be seen is that processor time is
//! used and nothing else happens. How long a computation takes must decide nothing in a frozen
//! session, so each rule here is a *rescue*: it costs repeatability, and the keeper says so when it
//! happens for the first time.
//!
//! 1. Nothing in the session has changed while a thread used [`UNCHANGED`] of processor time, and
//!    the earliest deadline is one of its own process, whose memory it may be looking at: the clock
//!    moves in steps, first small, each twice the one before. A computation that lasts a second or
//!    two sees little of it; an hour is over in [`UNCHANGED`] and 22 [`PACE`]s.
//! 2. The clock goes as real time does from some time on until all are at rest again: when rule 1
//!    has moved it (the thread may wait for one short while after the other: an interpreter's
//!    thread, which gives its lock away when it is asked to, is asked after 5 ms); where nothing in
//!    the session has changed for [`FOLLOW`] of processor time (threads whose memory has nothing to
//!    do with who waits), or the session has used [`LAST`] of it without having been at rest
//!    (threads that do things and never rest: they may do so until some time has passed).
//! 3. Of several waiters due at the same instant one is woken, and the next when all are at rest,
//!    however long the first computes (invariant: *equals run in one order*). Where rule 2 applies,
//!    the next is woken too: the first may be waiting for it on plain memory. After the first
//!    rescue the order is not repeatable any more, so [`PEERS`] are enough then.
//!
//! Processor time is counted, because a machine may be busy with others: that of the thread that
//! was seen busy, or that of all processes of the session, where others may be busy at the next
//! look.

use crate::patience::{FOLLOW, INTERVAL, LAST, PACE, PEERS, SAMPLE, UNCHANGED};
use crate::region::lock::KEEPER;
use crate::schedule::advance::Reason;
use crate::schedule::engine::Engine;
use crate::schedule::look::Look;
use crate::schedule::next::Key;
use crate::sync::{Relaxed, SeqCst};
use posix::time::NEVER;

/// How long an instant lasts, virtual ns. Seconds since 1970 in a double, as many languages have
/// them, tell microseconds apart.
const INSTANT: u64 = 1_000;
/// First step, virtual ns.
const STEP: u64 = 1_000_000;
/// The most deadlines that one step passes.
const STEPS: u32 = 100;

/// What the keeper remembers of the time since the clock last moved by itself.
#[derive(Default)]
pub struct FrozenProgress {
    spent: Spent,
    /// Steps made since something has changed.
    steps: u32,
    /// Rule 2 applies until all are at rest.
    follows: bool,
    /// There was a rescue: the run is not repeatable any more.
    rescued: bool,
}

/// No slot: the thread seen busy next had used some of its processor time before.
const NOBODY: usize = usize::MAX;

/// The processor time that busy threads have used, ns.
#[derive(Default)]
struct Spent {
    /// Real ns: the last look.
    looked: u64,
    /// The busy thread's slot then, and the processor time that the thread had used since it was
    /// born.
    busy: usize,
    burnt: u64,
    /// Number of jumps, own steps included, and what the slots' words were.
    jumps: u64,
    words: u32,
    /// Since the words changed.
    unchanged: u64,
    /// Real ns: since when the session's use is sampled; what the session had used by then, once
    /// that has been asked.
    sampled: u64,
    session: Option<u64>,
    /// What the session has used since the last jump.
    at_this_instant: u64,
}

impl Spent {
    /// Slot `busy` runs and has used `burnt` ns of processor time. If that is unknown, real time
    /// stands in for it. Of one thread at a time only its use from look to look counts: no more
    /// than passes in real time.
    fn looks(&mut self, real: u64, busy: usize, burnt: Option<u64>, words: u32) {
        let used = match burnt {
            Some(burnt) if busy == self.busy => burnt.saturating_sub(self.burnt),
            Some(_) => 0,
            None => real - self.looked,
        };
        (self.looked, self.busy, self.burnt) = (real, busy, burnt.unwrap_or(0));
        if words == self.words {
            self.unchanged += used;
        } else {
            (self.words, self.unchanged) = (words, 0);
        }
    }

    /// All processes of the session together have `used` so much, ns; that is asked now and then.
    /// No more than has passed in real time counts, however many processors they have.
    fn samples(&mut self, real: u64, used: impl FnOnce() -> u64) {
        let passed = real.saturating_sub(self.sampled);
        if passed < SAMPLE.ns() {
            return;
        }
        let used = used();
        let before = self.session.replace(used);
        self.at_this_instant += before.map_or(0, |before| used.saturating_sub(before).min(passed));
        self.sampled = real;
    }

    /// The clock has moved.
    fn jumped(&mut self, real: u64, jumps: u64) {
        let (looked, sampled) = (real, real);
        *self =
            Spent { looked, sampled, busy: NOBODY, jumps, words: self.words, ..Spent::default() };
    }
}

impl FrozenProgress {
    /// All are blocked, or the clock has jumped.
    pub fn moves(&mut self, engine: &Engine) {
        self.spent.jumped((engine.real_now)(), engine.page.header.jumps.load(Relaxed));
        self.follows = false;
    }

    /// Slot `busy` runs. Whether it has used processor time is known unless it is `forced` busy: it
    /// may be asleep. No hook sees what it does if it is `unseen`. True at the first rescue of the
    /// session.
    pub fn stands<L: Look>(
        &mut self,
        engine: &Engine,
        look: &mut L,
        busy: usize,
        (forced, unseen): (bool, bool),
    ) -> bool {
        let page = engine.page;
        let real = (engine.real_now)();
        if page.header.jumps.load(Relaxed) != self.spent.jumps || self.spent.looked == 0 {
            self.moves(engine);
        }
        let passed = real.saturating_sub(self.spent.looked);
        if passed < INTERVAL.ns() {
            return false;
        }
        let burnt = if forced { None } else { look.burnt(page, busy) };
        let slept = if unseen { look.slept(page, busy) } else { 0 };
        self.spent.looks(real, busy, burnt, page.words() ^ slept);
        self.spent.samples(real, || look.used(page));
        if self.spent.unchanged == 0 {
            self.steps = 0;
        }
        let Some((waiter, due)) = engine.next_waiter(KEEPER).filter(|&(_, due)| due != NEVER)
        else {
            return false;
        };
        let spent = self.spent.unchanged;
        self.follows |= spent >= FOLLOW.ns() || self.spent.at_this_instant >= LAST.ns();
        let pid = |slot: usize| page.slots[slot].pid.load(SeqCst);
        if page.ends(due) <= engine.now() {
            if !(self.follows || self.rescued && spent >= PEERS.ns()) {
                return false;
            }
            engine.creep(KEEPER, 0);
            self.spent.unchanged = 0;
        } else if pid(waiter) == pid(busy)
            && spent >= UNCHANGED.ns() + self.steps as u64 * PACE.ns()
        {
            engine.creep(KEEPER, STEP << self.steps.min(40));
            self.steps += 1;
            self.follows = true;
        } else if self.follows {
            self.follow(engine, passed);
        } else {
            return false;
        }
        self.spent.jumps = page.header.jumps.load(Relaxed);
        !std::mem::replace(&mut self.rescued, true)
    }

    /// Moves the clock on by `passed` ns, as if it ran. A thread that is due in that time is woken,
    /// and does not hold up the rest of the move.
    fn follow(&self, engine: &Engine, passed: u64) {
        let until = engine.now().saturating_add(passed);
        for _ in 0..STEPS {
            let now = engine.now();
            if now >= until {
                break;
            }
            engine.creep_because(KEEPER, until - now, Reason::Follows);
        }
    }
}

impl Engine {
    /// The slot that waits for the earliest deadline in the session, runtime ticks apart, and that
    /// deadline ([`NEVER`] if nobody waits); `None` if another thread holds the lock. `me` is busy.
    pub fn next_waiter(&self, me: usize) -> Option<(usize, u64)> {
        self.next_of(me, |arena| self.page.earliest_but_ticks(arena))
    }

    /// The same for a thread that is about to back off, back-offs of others apart: those end before
    /// its own, or after it, and neither changes anything for the other.
    pub fn next_sleeper(&self, me: usize) -> Option<u64> {
        Some(self.next_of(me, |arena| self.page.earliest_sleeper(arena))?.1)
    }

    fn next_of(
        &self,
        me: usize,
        earliest: impl FnOnce(usize) -> Option<(usize, Key)>,
    ) -> Option<(usize, u64)> {
        let held = self.lock(me, (self.real_now)())?;
        self.page.drain_mail(held.arena);
        let next = earliest(held.arena).map_or((0, NEVER), |(slot, key)| (slot, key.deadline));
        self.unlock(held);
        Some(next)
    }

    /// Moves the clock on by at most `step` ns, and not past a deadline, although not all are
    /// blocked: a thread spins. Costs repeatability, so it is counted.
    pub fn creep(&self, me: usize, step: u64) {
        self.creep_because(me, step, Reason::Creep);
    }

    fn creep_because(&self, me: usize, step: u64, reason: Reason) {
        let page = self.page;
        if page.abandoned() {
            return self.advance_abandoned(self.now().saturating_add(step));
        }
        let Some(held) = self.lock(me, step) else { return };
        page.drain_mail(held.arena);
        let now = self.now();
        let due = page.earliest_but_ticks(held.arena).map_or(NEVER, |(_, key)| key.deadline);
        if self.advance(held, page.ends(due).min(now.saturating_add(step)), 0, reason) {
            let now = self.now();
            self.expire_due(held, now);
        }
        self.unlock(held);
    }

    /// Frozen mode: the thread of slot `me` asks whether an instant that has come is over. This
    /// makes it over, unless another thread is due by then. Nobody else has to know: it is no jump.
    /// False if another thread holds the lock: try again.
    pub fn pass_instant(&self, me: usize) -> bool {
        let page = self.page;
        let Some(held) = self.lock(me, INSTANT) else { return page.abandoned() };
        page.drain_mail(held.arena);
        let now = self.now();
        let due = page
            .earliest(held.arena)
            .is_some_and(|(_, key)| page.ends(key.deadline) <= now.saturating_add(INSTANT));
        if !due {
            self.advance(held, now.saturating_add(INSTANT), 0, Reason::InstantIsOver);
        }
        self.unlock(held);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    #[test]
    fn only_the_processor_time_of_who_stays_busy_counts() {
        let mut spent = Spent::default();
        spent.jumped(1000 * MS, 1);
        spent.looks(2000 * MS, 5, Some(700 * MS), 77);
        assert_eq!(spent.unchanged / MS, 0, "it may have used that before the jump");
        spent.looks(9000 * MS, 5, Some(710 * MS), 77);
        assert_eq!(spent.unchanged / MS, 10, "others had the processor for 7 s");
        spent.looks(9100 * MS, 6, Some(5000 * MS), 77);
        assert_eq!(spent.unchanged / MS, 10, "another thread, which has lived for long");
        spent.looks(9200 * MS, 6, Some(5100 * MS), 78);
        assert_eq!(spent.unchanged / MS, 0, "something happened");
        spent.looks(9300 * MS, 6, Some(5150 * MS), 78);
        assert_eq!(spent.unchanged / MS, 50);
        spent.jumped(9300 * MS, 2);
        assert_eq!(spent.unchanged / MS, 0);
    }

    #[test]
    fn real_time_stands_in_for_what_cannot_be_told() {
        let mut spent = Spent::default();
        spent.jumped(1000 * MS, 1);
        spent.looks(1100 * MS, 5, None, 77);
        spent.looks(1300 * MS, 5, None, 77);
        assert_eq!(spent.unchanged / MS, 200);
    }

    #[test]
    fn what_the_session_uses_at_one_instant_counts_up_to_what_passes() {
        let mut spent = Spent::default();
        spent.jumped(1000 * MS, 1);
        spent.samples(1100 * MS, || unreachable!("that soon"));
        let used = [(2000, 7000, 0), (3000, 7010, 10), (4000, 9999, 1010), (5000, 0, 1010)];
        for (real, used, in_all) in used {
            spent.samples(real * MS, || used * MS);
            assert_eq!(spent.at_this_instant / MS, in_all);
        }
        spent.jumped(5000 * MS, 2);
        spent.samples(6000 * MS, || 50 * MS);
        assert_eq!(spent.at_this_instant, 0);
    }
}
