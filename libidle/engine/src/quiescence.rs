//! "Everyone is blocked": the only place that decides it, and the only caller of what idleness triggers.
//!
//! NOTE [At rest]. The decider holds the clock's lock. It makes two passes over the busy set.
//! First pass: for each set bit the slot's state word is read. At rest: the bit is cleared and the word read again; if
//! it has changed, the bit is set again and the answer is *busy*. In a kernel wait: the slot is looked at, and the look
//! is remembered. Second pass: no other bit may have appeared, and each remembered look is confirmed (the thread has
//! not run since).
//! Why that is exact: let t be the end of the first pass, and suppose that some slot is busy at t. Take the one that
//! has been busy longest without a break. Its waker stored the state word, then set the bit, and was itself busy until
//! the bit was set; so either the bit is set at t, or the waker is busy at t and has been so for longer, which it was
//! not by assumption. A bit that is set at t is seen by the second pass, because nobody but the decider clears bits,
//! and the decider clears one only before it reads the word again. Kernel waits: asleep at the first look and not run
//! since at the second means asleep at t.
//! Failed ideas: one counter of busy threads (a killed process leaves it wrong for ever, and all cores fight over it);
//! parkers that clear their own bit (a promise between the clearing and the publishing is invisible for a moment).
//!
//! NOTE [Nobody looks away]. A thread that blocks and finds another one busy goes to sleep: that other one will block
//! in turn and decide then. If it finds the lock taken it sets `rerun` and tries once more; the holder reads `rerun`
//! after releasing, so one of the two decides. If all others are at rest or in the kernel it kicks the keeper, which
//! repeats the look until it succeeds or finds a busy thread.

use crate::deadlines::Key;
use crate::forced::Forced;
use crate::lock::Token;
pub use crate::looking::{Found, Look, NoLook};
use crate::page::{ClockMode, PER_WORD, Page, SLOTS};
use crate::state::{Kind, State};
use crate::sync::{Relaxed, SeqCst};
use crate::time::NEVER;

/// The answer of a survey.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Survey {
    /// Everybody (but the asker) is blocked.
    AtRest,
    /// This slot is busy.
    Busy(usize),
    /// Somebody is in the kernel, and the asker cannot look.
    Unknown,
    /// Start over.
    Changed,
}

/// What came of a try to jump.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// The asker's own deadline came first, or one of those that it alone knows of, and the clock is there.
    Mine,
    /// Somebody was woken.
    Woke,
    /// A timer descriptor was made readable. Who waits for it runs, but perhaps nobody does.
    Fired,
    /// Everybody is blocked and nobody has a deadline.
    NoDeadline,
    /// Not everybody is blocked.
    NotIdle(Survey),
    /// Somebody else holds the lock, or took it away.
    LockBusy,
}

/// Holding the lock: the token, and the arena that the deadlines are in.
#[derive(Clone, Copy)]
pub(crate) struct Held {
    pub(crate) token: Token,
    pub(crate) arena: usize,
}

/// The engine as one process sees it: the page, its own process id, and how to read the real clock.
#[derive(Clone, Copy)]
pub struct Engine {
    /// The session's region.
    pub page: &'static Page,
    /// This process.
    pub pid: u32,
    /// Real `CLOCK_MONOTONIC`, ns.
    pub real_now: fn() -> u64,
    /// This process as it is now: another than `pid` in a child that a signal handler forked during a wait. The frames of
    /// that wait are the parent's business.
    pub process: fn() -> u32,
}

impl Engine {
    /// Virtual now, ns.
    #[inline]
    pub fn now(&self) -> u64 {
        self.page.now(self.real_now)
    }

    /// Is anybody but `me` busy, as far as the words alone tell? Changes nothing, so the answer *at rest* is only a
    /// reason to ask again under the lock.
    pub fn glance(&self, me: usize) -> Survey {
        /// Kernel waits passed before giving up the search for a busy thread: bounds the cost of a block.
        const PATIENCE: u32 = 64;
        let (mut unknown, mut answer) = (0, Survey::AtRest);
        for w in self.page.busy_words() {
            let mut bits = self.page.busy[w].load(SeqCst);
            while bits != 0 {
                let index = w * PER_WORD + bits.trailing_zeros() as usize;
                bits &= bits - 1;
                let slot = &self.page.slots[index];
                let seen = slot.state.load();
                let forced = self.page.forced(index);
                if forced == Some(Forced::Busy) {
                    return Survey::Busy(index);
                }
                if index == me || forced.is_some() || seen.rests() {
                    continue;
                }
                if seen.busy() && slot.covered.load(Relaxed) == 0 {
                    return Survey::Busy(index);
                }
                answer = Survey::Unknown;
                unknown += 1;
                if unknown >= PATIENCE {
                    return answer;
                }
            }
        }
        answer
    }

    /// NOTE [At rest] as code. The busy set has a second level, a bit for each word that is not zero, kept by the same
    /// rule: set after the word, by somebody busy; cleared by the decider alone, who then reads the word again. `me` counts as blocked. Lock's holder only.
    pub fn survey<L: Look>(&self, me: usize, look: &mut L) -> Survey {
        self.first_pass(me, look).unwrap_or_else(|| self.second_pass(me, look))
    }

    /// A survey, and the earliest deadline at the instant that it speaks of. Who wakes by himself right after it, because a
    /// nap has lasted or somebody outside has written to him, takes his deadline with him, and time must not pass that.
    fn survey_deadlines<L: Look>(&self, held: Held, me: usize, look: &mut L) -> (Survey, Option<Key>) {
        if let Some(answer) = self.first_pass(me, look) {
            return (answer, None);
        }
        self.page.drain_mail(held.arena);
        let first = self.page.earliest(held.arena).map(|(_, key)| key);
        (self.second_pass(me, look), first)
    }

    /// `None` if nobody was found running.
    fn first_pass<L: Look>(&self, me: usize, look: &mut L) -> Option<Survey> {
        let page = self.page;
        // Of a thousand threads that have ended all are given back in one pass, not one in each.
        let mut changed = false;
        for w in page.busy_words() {
            let word = &page.busy[w];
            let mut bits = word.load(SeqCst);
            while bits != 0 {
                let bit = bits & bits.wrapping_neg();
                bits ^= bit;
                let index = w * PER_WORD + bit.trailing_zeros() as usize;
                match page.forced(index) {
                    Some(Forced::Busy) if look.ended(page, index) => return Some(Survey::Changed),
                    Some(Forced::Busy) => return Some(Survey::Busy(index)),
                    Some(Forced::Idle) => continue,
                    None => {}
                }
                if index == me {
                    continue;
                }
                let slot = &page.slots[index];
                let seen = slot.state.load();
                if slot.covered.load(SeqCst) != 0 {
                    continue;
                }
                if seen.rests() && !(look.parked_too() && seen.kind() == Kind::Parked) {
                    word.fetch_and(!bit, SeqCst);
                    if !slot.state.load().rests() {
                        word.fetch_or(bit, SeqCst);
                        return Some(Survey::Busy(index));
                    }
                    continue;
                }
                if self.looks_again(index, seen) {
                    return Some(Survey::Busy(index));
                }
                match look.first(page, index, seen) {
                    Found::Asleep => {}
                    Found::Running => return Some(Survey::Busy(index)),
                    Found::Changed => changed = true,
                    Found::Unknown => return Some(Survey::Unknown),
                }
            }
            page.settle_word(w);
        }
        changed.then_some(Survey::Changed)
    }

    /// Has nobody run since the first pass?
    fn second_pass<L: Look>(&self, me: usize, look: &mut L) -> Survey {
        let page = self.page;
        for w in page.busy_words() {
            let mut bits = page.busy[w].load(SeqCst);
            while bits != 0 {
                let index = w * PER_WORD + bits.trailing_zeros() as usize;
                bits &= bits - 1;
                let slot = &page.slots[index];
                if index == me || slot.covered.load(SeqCst) != 0 || page.forced(index) == Some(Forced::Idle) {
                    continue;
                }
                let seen = slot.state.load();
                if self.looks_again(index, seen) || !look.confirm(page, index, seen) {
                    return Survey::Busy(index);
                }
            }
        }
        if !look.at_rest(page) || page.header.signals_sent.load(SeqCst) != page.header.signals_seen.load(SeqCst) {
            return Survey::Unknown;
        }
        Survey::AtRest
    }

    /// Does slot `index`'s thread spin, and has anything changed since it last asked? Then it counts as running, though it
    /// naps: it would have seen the change at once, and no time passes before it has.
    fn looks_again(&self, index: usize, seen: State) -> bool {
        let asked = self.page.slots[index].spins(seen);
        asked != 0 && !seen.busy() && asked != self.page.words()
    }

    /// A busy thread with deadline `own` is about to block: if everybody else is blocked, moves the clock itself.
    /// `still` is asked last: is there really nothing to do for the caller?
    /// `Mine` means that the deadline has come and the caller need not block.
    pub fn solo(&self, me: usize, own: Key, still: impl FnOnce() -> bool) -> Outcome {
        self.solo_looking(me, own, &mut NoLook, still)
    }

    /// The same for a decider that can look at kernel waits.
    pub fn solo_looking<L: Look>(&self, me: usize, own: Key, look: &mut L, still: impl FnOnce() -> bool) -> Outcome {
        let Some(held) = self.lock(me, own.parked ^ own.deadline) else { return Outcome::LockBusy };
        let outcome = match self.survey_deadlines(held, me, look) {
            (Survey::AtRest, first) if still() => self.jump(held, first, Some(own)),
            (other, _) => Outcome::NotIdle(other),
        };
        self.unlock(held);
        outcome
    }

    /// The same for a thread without a deadline of its own, which a timer descriptor may wake.
    pub fn turn(&self, me: usize, still: impl FnOnce() -> bool) -> Outcome {
        let Some(held) = self.lock(me, self.page.header.clock.value()) else { return Outcome::LockBusy };
        let outcome = match self.survey_deadlines(held, me, &mut NoLook) {
            (Survey::AtRest, first) if still() => self.jump(held, first, None),
            (other, _) => Outcome::NotIdle(other),
        };
        self.unlock(held);
        outcome
    }

    /// Takes the lock if it is free, or if this very thread holds it further down its stack: then a signal handler has
    /// interrupted it there, and waits (or has left it by `longjmp`). That frame can't move the clock any more, and
    /// writes to an arena that nobody reads.
    ///
    /// Without a keeper nobody gets it: half of what jumps need is missing, so the session goes on in real time.
    pub(crate) fn lock(&self, me: usize, stamp: u64) -> Option<Held> {
        let h = &self.page.header;
        if self.page.abandoned() {
            return None;
        }
        if let Some(token) = h.clock.try_lock(me, stamp) {
            return Some(Held { token, arena: self.page.arena() });
        }
        let holder = h.clock.holder().filter(|t| t.owner() < SLOTS && me < SLOTS)?;
        let id = |index: usize| {
            let slot = &self.page.slots[index];
            (slot.pid.load(Relaxed), slot.tid.load(Relaxed))
        };
        (id(holder.owner()) == id(me)).then(|| self.take_over(holder, me, stamp)).flatten()
    }

    /// Breaks the lock of `holder`. The heap has to be made anew, in the other arena.
    pub(crate) fn take_over(&self, holder: Token, me: usize, stamp: u64) -> Option<Held> {
        let h = &self.page.header;
        let token = h.clock.take_over(holder, me, stamp)?;
        h.arena.fetch_add(1, SeqCst);
        h.heap_lost.store(1, SeqCst);
        // The old holder may have died between a promise and its mark in the busy set.
        let busy = |i: &usize| self.page.slots[*i].state.load().busy();
        (0..self.page.high()).filter(busy).for_each(|i| self.page.set_busy(i));
        Some(Held { token, arena: self.page.arena() })
    }

    /// A frame of slot `me`'s thread that held the lock is gone (`longjmp`): nobody else would free it.
    pub fn abandon_lock(&self, me: usize) {
        let held = self.page.header.clock.holder().filter(|t| t.owner() == me);
        if let Some(held) = held.and_then(|t| self.take_over(t, me, (self.real_now)())) {
            self.unlock(held);
        }
    }

    /// Releases the lock. Who set `rerun` meanwhile has left the decision to us: everybody who does has blocked, and
    /// the caller is either busy itself (it will decide when it blocks) or calls [`Engine::settle`] in a loop.
    pub(crate) fn unlock(&self, held: Held) {
        if !self.page.header.clock.unlock(held.token) {
            // The lock was broken: what this thread took out of the mail meanwhile is in no heap.
            self.page.header.heap_lost.store(1, SeqCst);
        }
    }

    /// A thread has just published that it is blocked (or the keeper looks): decides, until nobody left a note.
    /// `me` is the slot that counts as blocked whatever its word says; the keeper passes [`crate::lock::KEEPER`].
    pub fn settle<L: Look>(&self, me: usize, look: &mut L) -> Outcome {
        let h = &self.page.header;
        loop {
            let stamp = h.jumps.load(Relaxed) ^ (self.real_now)();
            let held = self.lock(me, stamp).or_else(|| {
                h.rerun.store(1, SeqCst);
                self.lock(me, stamp)
            });
            let Some(held) = held else { return Outcome::LockBusy };
            h.rerun.store(0, SeqCst);
            let outcome = match self.survey_deadlines(held, crate::lock::KEEPER, look) {
                (Survey::AtRest, first) => match self.jump(held, first, look.unseen(self.page)) {
                    Outcome::NoDeadline if h.hold.load(SeqCst) == 0 => self.come_to_rest(look),
                    outcome => outcome,
                },
                (other, _) => Outcome::NotIdle(other),
            };
            self.unlock(held);
            if outcome == Outcome::Fired {
                // Nobody may have been woken who would decide again.
                self.kick_keeper();
            }
            if h.rerun.load(SeqCst) == 0 {
                return outcome;
            }
        }
    }

    /// Everybody was blocked when `first` was the earliest deadline: on to it, or to one that is earlier by now, and wakes
    /// whoever waits for it. `own` is the deadline of a caller that has not been posted. Lock's holder only.
    fn jump(&self, held: Held, first: Option<Key>, own: Option<Key>) -> Outcome {
        let page = self.page;
        page.drain_mail(held.arena);
        if page.header.hold.load(SeqCst) != 0 {
            return Outcome::NoDeadline;
        }
        let Some(target) = first.into_iter().chain(own).min() else { return Outcome::NoDeadline };
        let target = page.earliest(held.arena).map_or(target, |(_, key)| key.min(target));
        if target.deadline == NEVER {
            return Outcome::NoDeadline;
        }
        let real = (self.real_now)();
        if !page.advance(held.token, target.deadline, real) {
            return Outcome::LockBusy;
        }
        let now = page.now(|| real);
        let mine = own.is_some_and(|k| k == target || (k.deadline <= now && page.mode() == ClockMode::Elapsed));
        if mine && page.mode() == ClockMode::Frozen {
            return Outcome::Mine;
        }
        let (next, fired) = self.expire_due(held, now);
        self.arm(next, now);
        match (mine, fired) {
            (true, _) => Outcome::Mine,
            (false, true) => Outcome::Fired,
            (false, false) => Outcome::Woke,
        }
    }

    /// Wakes those whose deadline is not after `now`, in order; in frozen mode only the first of them, the next when
    /// everybody is at rest again. Returns the earliest deadline left, and whether a timer descriptor was among them.
    /// Lock's holder only.
    pub(crate) fn expire_due(&self, held: Held, now: u64) -> (u64, bool) {
        let page = self.page;
        let mut fired = false;
        while let Some((slot, key)) = page.earliest(held.arena) {
            if key.deadline > now {
                return (key.deadline, fired);
            }
            page.drop_earliest(held.arena, slot);
            let s = &page.slots[slot];
            // In this order: a deadline read after the state is never that of an earlier wait.
            let seen = s.state.load();
            if seen.kind() == Kind::Timer {
                fired |= self.fire(slot, now, held.token.owner() == crate::lock::KEEPER);
                if fired && page.mode() == ClockMode::Frozen {
                    return (key.deadline, true);
                }
                continue;
            }
            let due = s.deadline.load(SeqCst) <= now;
            let Some(was) = due.then(|| s.state.expire(seen)).flatten() else {
                // The thread may have gone on to a later deadline and have relied on the entry that is out now. If it
                // is still on its way out of its wait, it will find no entry and post the next one itself.
                if !due {
                    page.enter(held.arena, slot);
                }
                continue;
            };
            page.set_busy(slot);
            if was.kind() != Kind::Prep {
                self.deliver(slot, was.kind());
            }
            if page.mode() == ClockMode::Frozen {
                return (key.deadline, fired);
            }
        }
        (NEVER, fired)
    }

    /// Elapsed mode: a running thread is about to look at timer descriptors, and those whose time has come by real time
    /// must be ready by then.
    pub fn expire_now(&self, me: usize) {
        if self.page.mode() == ClockMode::Elapsed {
            self.expire_by_real_time(me);
        }
    }

    /// Ends the waits that are due by real time, though others are busy; returns the next deadline, or `None` when the lock
    /// is taken. For slot `me`, or the keeper.
    pub(crate) fn expire_by_real_time(&self, me: usize) -> Option<u64> {
        let held = self.lock(me, (self.real_now)())?;
        self.page.drain_mail(held.arena);
        let (next, _) = self.expire_due(held, self.now());
        self.unlock(held);
        Some(next)
    }

    /// Elapsed mode, after a jump: `deadline` has come nearer than the one that waits for it has told the kernel, and will
    /// come by real time too. So it is for a timer descriptor, which nobody waits for. The keeper must be awake by then.
    pub fn arm(&self, deadline: u64, now: u64) {
        if self.page.mode() == ClockMode::Elapsed {
            let real = (self.real_now)().saturating_add(deadline.saturating_sub(now));
            if deadline != NEVER && real < self.page.header.keeper_wakes.load(SeqCst) {
                self.kick_keeper();
            }
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::lock::KEEPER;

    /// Finds everybody asleep; then the thread of slot `wakes` wakes by itself.
    struct Wakes {
        wakes: usize,
    }

    impl Look for Wakes {
        fn first(&mut self, _: &Page, _: usize, _: State) -> Found {
            Found::Asleep
        }
        fn confirm(&mut self, _: &Page, _: usize, _: State) -> bool {
            true
        }
        fn at_rest(&mut self, page: &Page) -> bool {
            page.slots[self.wakes].deadline.store(NEVER, SeqCst);
            page.slots[self.wakes].state.resume(Kind::Busy);
            true
        }
    }

    #[test]
    fn no_jump_passes_the_deadline_of_who_has_just_woken_by_himself() {
        let page: &'static Page = Box::leak(Page::boxed());
        let engine = Engine { page, pid: std::process::id(), real_now: || 1, process: std::process::id };
        let [naps, other] = [10, 1_000_000].map(|ns| {
            let slot = page.claim(Kind::Busy, 1, 1, ns).expect("a free slot");
            let seq = page.slots[slot].state.prepare();
            page.post_deadline(slot, engine.now() + ns, engine.now());
            assert!(page.slots[slot].state.publish_kernel(seq));
            slot
        });
        let due = page.slots[naps].deadline.load(SeqCst);
        engine.settle(KEEPER, &mut Wakes { wakes: naps });
        assert!(engine.now() <= due, "{} > {due}", engine.now());
        assert_eq!(page.slots[other].state.load().kind(), Kind::Kernel);
    }
}
