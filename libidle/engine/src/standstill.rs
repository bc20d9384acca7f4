//! A frozen clock that stands still because somebody runs: the keeper's last resort.
//!
//! With a clock that runs, a loop on plain memory ends when real time has passed. A frozen clock would never move, for the
//! thread that the loop waits for sleeps until it does. No hook is called in such a loop, so it looks like a computation;
//! what can be seen is that the processor is burnt and nothing else happens. Three rules, from the mildest on:
//!
//! 1. Of several waiters due at the same instant one is woken at a time. If the first neither blocks nor gets anything
//!    done, it may wait for the next: that one is woken too, after [`PEERS`].
//! 2. Nothing in the session has changed while a thread burnt [`PATIENCE`] of processor time, and the earliest deadline is one
//!    of its own process, whose memory it may be looking at: the clock moves in steps, first small, each twice the one before.
//!    A computation that lasts a second or two sees little of it; an hour is over in [`PATIENCE`] and 22 [`PACE`]s.
//! 3. Otherwise the clock goes as real time does from some time on until it jumps again: where nothing in the session has
//!    changed for [`FOLLOW`] (threads whose memory has nothing to do with who waits), or there was no jump for [`LAST`]
//!    (threads that do things and never rest; the machine may as well be busy with others).

use crate::lock::KEEPER;
use crate::quiescence::Engine;
use crate::sync::{Relaxed, SeqCst};
use crate::time::NEVER;

/// Processor time, ns.
const PEERS: u64 = 5_000_000;
/// Processor time, ns.
const PATIENCE: u64 = 500_000_000;
/// Processor time from one step to the next, ns.
const PACE: u64 = 100_000_000;
/// First step, virtual ns.
const STEP: u64 = 1_000_000;
/// Real time, ns.
const FOLLOW: u64 = 3_000_000_000;
/// Real time, ns.
const LAST: u64 = 15_000_000_000;
/// Deadlines that are passed at one go at most.
const STEPS: u32 = 100;
/// The keeper may be kicked more often than it makes sense to look, real ns.
const INTERVAL: u64 = 1_000_000;

/// What the keeper remembers of the time since the clock last moved by itself.
#[derive(Default)]
pub struct Standstill {
    /// Jumps, own steps included.
    jumps: u64,
    /// Real ns: the last jump or rest, and the last look.
    since: u64,
    looked: u64,
    /// What the slots' words were, and the processor time that the busy thread had used when they were first so.
    words: u32,
    burnt: u64,
    /// Real ns when they were.
    same_since: u64,
    /// Steps made since.
    steps: u32,
    /// Rule 3 applies until the next jump.
    follows: bool,
}

impl Standstill {
    /// Everybody is blocked, or the clock has jumped.
    pub fn moves(&mut self, real: u64) {
        (self.since, self.looked, self.same_since, self.follows) = (real, real, real, false);
    }

    /// Slot `busy` runs and has used `burnt` ns of processor time, if that is known.
    pub fn stands(&mut self, engine: &Engine, busy: usize, burnt: Option<u64>) {
        let page = engine.page;
        let real = (engine.real_now)();
        if page.header.jumps.load(Relaxed) != self.jumps || self.since == 0 {
            self.jumps = page.header.jumps.load(Relaxed);
            self.moves(real);
        }
        let passed = real.saturating_sub(self.looked);
        if passed < INTERVAL {
            return;
        }
        self.looked = real;
        let words = page.words();
        let burnt = burnt.unwrap_or(0);
        if words != self.words || burnt < self.burnt {
            (self.words, self.burnt, self.same_since, self.steps) = (words, burnt, real, 0);
        }
        let Some((waiter, due)) = engine.next_waiter(KEEPER) else { return };
        if due == NEVER {
            return;
        }
        let spent = burnt - self.burnt;
        self.follows |= real.saturating_sub(self.same_since) >= FOLLOW || real.saturating_sub(self.since) >= LAST;
        let pid = |slot: usize| page.slots[slot].pid.load(SeqCst);
        if due <= engine.now() {
            if spent >= PEERS || self.follows {
                engine.creep(KEEPER, 0);
                self.burnt = burnt;
            }
        } else if pid(waiter) == pid(busy) && spent >= PATIENCE + self.steps as u64 * PACE {
            engine.creep(KEEPER, STEP << self.steps.min(40));
            self.steps += 1;
        } else if self.follows {
            // As if the clock ran: who is due in that time is woken, and does not hold up the rest of it.
            let until = engine.now().saturating_add(passed);
            for _ in 0..STEPS {
                let now = engine.now();
                if now >= until {
                    break;
                }
                engine.creep(KEEPER, until - now);
            }
        }
        self.jumps = page.header.jumps.load(Relaxed);
    }
}

impl Engine {
    /// The slot that waits for the earliest deadline in the session, and that deadline ([`NEVER`] if nobody waits); `None`
    /// if it can't be told now. `me` is busy.
    pub fn next_waiter(&self, me: usize) -> Option<(usize, u64)> {
        let page = self.page;
        let held = self.lock(me, (self.real_now)())?;
        page.drain_mail(held.arena);
        let next = page.earliest(held.arena).map_or((0, NEVER), |(slot, key)| (slot, key.deadline));
        self.unlock(held);
        Some(next)
    }

    /// Moves the clock on by at most `step` ns, and not past a deadline, although not everybody is blocked: somebody spins.
    /// Costs repeatability, so it is counted.
    pub fn creep(&self, me: usize, step: u64) {
        let page = self.page;
        if page.abandoned() {
            return page.header.clock.raise(self.now().saturating_add(step));
        }
        let Some(held) = self.lock(me, step) else { return };
        page.drain_mail(held.arena);
        let now = self.now();
        let due = page.earliest(held.arena).map_or(NEVER, |(_, key)| key.deadline);
        if page.advance(held.token, due.min(now.saturating_add(step)), 0) {
            self.count_creep();
            let now = self.now();
            self.expire_due(held, now);
        }
        self.unlock(held);
    }

    /// The clock has moved on for the sake of a thread that spins.
    pub fn count_creep(&self) {
        self.page.header.creeps.fetch_add(1, Relaxed);
    }
}
