//! "Everyone is blocked": the only place that decides it, and the only caller of what idleness
//! triggers.
//!
//! NOTE [At rest]. The decider holds the clock's lock. It makes two passes over the busy set. First
//! pass: for each set bit the slot's state word is read. At rest: the bit is cleared and the word
//! read again; if it has changed, the bit is set again and the answer is *busy*. In a kernel wait:
//! the slot is looked at, and the look is remembered. Second pass: no other bit may have appeared,
//! and each remembered look is confirmed (the thread has not run since). Why that is exact: let t
//! be the end of the first pass, and suppose that some slot is busy at t. Take the one that has
//! been busy longest without a break. Its waker stored the state word, then set the bit, and was
//! itself busy until the bit was set; so either the bit is set at t, or the waker is busy at t and
//! has been so for longer, which it was not by assumption. A bit that is set at t is seen by the
//! second pass, because nobody but the decider clears bits, and the decider clears one only before
//! it reads the word again. Kernel waits: asleep at the first look and not run since at the second
//! means asleep at t. Failed ideas: one counter of busy threads (a killed process leaves it wrong
//! for ever, and all cores fight over it); parkers that clear their own bit (a promise between the
//! clearing and the publishing is invisible for a moment).
//!
//! NOTE [Nobody looks away]. A thread that blocks and finds another one busy goes to sleep: that
//! other one will block in turn and decide then. If it finds the lock taken it sets `rerun` and
//! tries once more; the holder reads `rerun` after releasing, so one of the two decides. If all
//! others are at rest or in the kernel it kicks the keeper, which repeats the look until it
//! succeeds or finds a busy thread.

use crate::patience::GLANCE;
use crate::region::forced::Forced;
use crate::region::layout::{PER_WORD, Page};
use crate::region::state::{Kind, State};
use crate::schedule::deadline_heap::Key;
use crate::schedule::hold_lock::Held;
pub use crate::schedule::look::{Found, Look, NoLook};
use crate::sync::{Relaxed, SeqCst};

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
    /// The asker's own deadline came first, or one of those that it alone knows of, and the clock
    /// is there.
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

/// The engine as one process sees it: the page, its own process id, and how to read the real clock.
#[derive(Clone, Copy)]
pub struct Engine {
    /// The session's region.
    pub page: &'static Page,
    /// This process.
    pub pid: u32,
    /// Real `CLOCK_MONOTONIC`, ns.
    pub real_now: fn() -> u64,
    /// This process as it is now: another than `pid` in a child that a signal handler forked during
    /// a wait. The frames of that wait are the parent's business.
    pub process: fn() -> u32,
}

impl Engine {
    /// Virtual now, ns.
    #[inline]
    pub fn now(&self) -> u64 {
        self.page.now(self.real_now)
    }

    /// Is anybody but `me` busy, as far as the words alone tell? Changes nothing, so the answer *at
    /// rest* is only a reason to ask again under the lock.
    pub fn glance(&self, me: usize) -> Survey {
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
                if unknown >= GLANCE {
                    return answer;
                }
            }
        }
        answer
    }

    /// NOTE [At rest] as code. The busy set has a second level, a bit for each word that is not
    /// zero, kept by the same rule: set after the word, by somebody busy; cleared by the decider
    /// alone, who then reads the word again. `me` counts as blocked. Lock's holder only.
    pub fn survey<L: Look>(&self, me: usize, look: &mut L) -> Survey {
        self.first_pass(me, look).unwrap_or_else(|| self.second_pass(me, look))
    }

    /// A survey, and the earliest deadline at the instant that it speaks of. Who wakes by himself
    /// right after it, because a nap has lasted or somebody outside has written to him, takes his
    /// deadline with him, and time must not pass that.
    fn survey_deadlines<L: Look>(
        &self,
        held: Held,
        me: usize,
        look: &mut L,
    ) -> (Survey, Option<Key>) {
        if let Some(answer) = self.first_pass(me, look) {
            return (answer, None);
        }
        self.page.drain_mail(held.arena);
        let first = self.page.goal(held.arena);
        (self.second_pass(me, look), first)
    }

    /// The next survey looks at parked threads too: a signal may have made one run. The keeper.
    pub fn survey_parked(&self) {
        for (index, slot) in self.page.slots[..self.page.high()].iter().enumerate() {
            if slot.state.load().kind() == Kind::Parked {
                self.page.set_busy(index);
            }
        }
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
                if index == me
                    || slot.covered.load(SeqCst) != 0
                    || page.forced(index) == Some(Forced::Idle)
                {
                    continue;
                }
                let seen = slot.state.load();
                if self.looks_again(index, seen) || !look.confirm(page, index, seen) {
                    return Survey::Busy(index);
                }
            }
        }
        if !look.at_rest(page)
            || page.header.signals_sent.load(SeqCst) != page.header.signals_seen.load(SeqCst)
        {
            return Survey::Unknown;
        }
        Survey::AtRest
    }

    /// Does slot `index`'s thread spin, and has anything changed since it last asked? Then it
    /// counts as running, though it naps: it would have seen the change at once, and no time passes
    /// before it has. Where no hook sees what it does, and it does not nap, the look tells whether
    /// it runs. One whose deadline has come waits to go on: no time passes for that.
    fn looks_again(&self, index: usize, seen: State) -> bool {
        let slot = &self.page.slots[index];
        let asked = slot.spins(seen);
        let asks = asked != 0
            && !seen.busy()
            && seen.kind() != Kind::Foreign
            && asked != self.page.words();
        asks && slot.deadline.load(SeqCst) > self.now()
    }

    /// A busy thread with deadline `own` is about to block: if everybody else is blocked, moves the
    /// clock itself. `still` is asked last: is there really nothing to do for the caller? `Mine`
    /// means that the deadline has come and the caller need not block.
    pub fn solo(&self, me: usize, own: Key, still: impl FnOnce() -> bool) -> Outcome {
        self.solo_looking(me, own, &mut NoLook, still)
    }

    /// The same for a decider that can look at kernel waits.
    pub fn solo_looking<L: Look>(
        &self,
        me: usize,
        own: Key,
        look: &mut L,
        still: impl FnOnce() -> bool,
    ) -> Outcome {
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
        let Some(held) = self.lock(me, self.page.header.clock.value()) else {
            return Outcome::LockBusy;
        };
        let outcome = match self.survey_deadlines(held, me, &mut NoLook) {
            (Survey::AtRest, first) if still() => self.jump(held, first, None),
            (other, _) => Outcome::NotIdle(other),
        };
        self.unlock(held);
        outcome
    }

    /// A thread has just published that it is blocked (or the keeper looks): decides, until nobody
    /// left a note. `me` is the slot that counts as blocked whatever its word says; the keeper
    /// passes [`crate::region::lock::KEEPER`].
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
            let outcome = match self.survey_deadlines(held, crate::region::lock::KEEPER, look) {
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
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::region::lock::KEEPER;
    use posix::time::NEVER;

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
    fn who_spins_and_is_due_holds_up_nobody() {
        let page: &'static Page = Box::leak(Page::boxed());
        let engine =
            Engine { page, pid: std::process::id(), real_now: || 1000, process: std::process::id };
        let slot = page.claim(Kind::Busy, 1, 1, 1).expect("a free slot");
        page.slots[slot].what.store(crate::region::wait_kind::What::Spin as u32, SeqCst);
        let waits = |deadline| {
            let seq = page.slots[slot].state.prepare();
            page.post_deadline(slot, deadline, 1);
            page.slots[slot].state.publish_kernel(seq);
            // Not what the words are: something has happened since it asked.
            page.slots[slot].spin().store(2, SeqCst);
        };
        waits(2000);
        assert_eq!(
            engine.settle(KEEPER, &mut Wakes { wakes: slot + 1 }),
            Outcome::NotIdle(Survey::Busy(slot))
        );
        page.slots[slot].state.resume(Kind::Busy);
        waits(10);
        assert_eq!(engine.settle(KEEPER, &mut Wakes { wakes: slot + 1 }), Outcome::Woke);
    }

    #[test]
    fn no_jump_passes_the_deadline_of_who_has_just_woken_by_himself() {
        let page: &'static Page = Box::leak(Page::boxed());
        let engine =
            Engine { page, pid: std::process::id(), real_now: || 1, process: std::process::id };
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
