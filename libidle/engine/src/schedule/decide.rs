//! The decision: if all are blocked, the clock moves, or the state file shows rest.
//!
//! NOTE [Nobody looks away]. A thread blocks and finds another one busy: it goes to sleep, because
//! the busy thread will block in turn and decide then. It finds the lock taken: it sets `rerun` and
//! tries once more. The holder reads `rerun` after it has released the lock, so one of the two
//! decides. It finds all others at rest or in the kernel: it kicks the keeper, and the keeper
//! repeats the look until it succeeds or finds a busy thread.

use crate::region::holds::{AT_REST, NAMED};
use crate::region::idle_word::{BUSY, IDLE, RELEASING, SETTLING};
use crate::region::lock::KEEPER;
use crate::schedule::busy::Busy;
use crate::schedule::engine::{Engine, Moment};
use crate::schedule::look::{Look, NoLook};
use crate::schedule::next::Key;
use crate::sync::{Relaxed, SeqCst};
use crate::sys;

/// The result of a try to jump.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// The caller's own deadline came first, or one that the caller alone knows of. The clock is
    /// there.
    Mine,
    /// A thread was woken.
    Woke,
    /// A timer descriptor was made readable. A thread that waits for it runs now, but perhaps no
    /// thread does.
    Fired,
    /// All are blocked and nobody has a deadline.
    NoDeadline,
    /// Not all are blocked, or nobody may jump.
    NotIdle(Busy),
}

impl Engine {
    /// A busy thread with deadline `own` is about to block. If all others are blocked, it moves the
    /// clock itself. It asks `still` last: is there really nothing for it to do? `Mine` means that
    /// the deadline has come and the caller need not block.
    pub fn solo(&self, me: usize, own: Key, at: Moment, still: impl FnOnce() -> bool) -> Outcome {
        let Some(held) = self.lock(me, own.parked ^ own.deadline) else {
            return Outcome::NotIdle(Busy::LockTaken);
        };
        let outcome = match self.survey_deadlines(held, me, &mut NoLook) {
            Ok(first) if still() => self.jump(held, first, Some(own), at.real),
            Ok(_) => Outcome::NotIdle(Busy::Runs(me)),
            Err(busy) => Outcome::NotIdle(busy),
        };
        self.unlock(held);
        outcome
    }

    /// The same for a thread without a deadline of its own, which a timer descriptor may wake.
    pub fn turn(&self, me: usize, still: impl FnOnce() -> bool) -> Outcome {
        let Some(held) = self.lock(me, self.page.header.clock.value()) else {
            return Outcome::NotIdle(Busy::LockTaken);
        };
        let outcome = match self.survey_deadlines(held, me, &mut NoLook) {
            Ok(first) if still() => self.jump(held, first, None, self.moment().real),
            Ok(_) => Outcome::NotIdle(Busy::Runs(me)),
            Err(busy) => Outcome::NotIdle(busy),
        };
        self.unlock(held);
        outcome
    }

    /// A thread has just published that it is blocked, or the keeper looks. Decides until nobody
    /// has left a note. `me` is the slot that counts as blocked whatever its word says; the keeper
    /// passes [`crate::region::lock::KEEPER`].
    pub fn settle<L: Look>(&self, me: usize, look: &mut L) -> Outcome {
        let h = &self.page.header;
        loop {
            let at = self.moment();
            // The frozen clock is the same in all decisions of an instant.
            let real = if self.frozen() { (self.real_now)() } else { at.real };
            let stamp = h.jumps.load(Relaxed) ^ real;
            let held = self.lock(me, stamp).or_else(|| {
                h.rerun.store(1, SeqCst);
                self.lock(me, stamp)
            });
            let Some(held) = held else { return Outcome::NotIdle(Busy::LockTaken) };
            h.rerun.store(0, SeqCst);
            let outcome = match self.survey_deadlines(held, crate::region::lock::KEEPER, look) {
                Ok(_) if h.hold.load(SeqCst) & (NAMED | AT_REST) != 0 => self.rests(held, look),
                Ok(first) => match self.jump(held, first, look.unhooked(self.page), at.real) {
                    Outcome::NoDeadline => self.come_to_rest(look),
                    outcome => outcome,
                },
                Err(busy @ Busy::InFlight(_)) => {
                    let took = look.in_flight_for((self.real_now)());
                    self.kernel_works(held, busy, took, look.unhooked(self.page))
                }
                Err(busy) => Outcome::NotIdle(busy),
            };
            self.unlock(held);
            if outcome == Outcome::Fired {
                // Perhaps this woke no thread that would decide again.
                self.kick_keeper();
            }
            if h.rerun.load(SeqCst) == 0 {
                return outcome;
            }
        }
    }

    /// A survey has found all threads at rest, and no thread has a deadline. Releases the state
    /// file's lock. Only the keeper calls it, with the clock's lock held.
    pub(crate) fn come_to_rest<L: Look>(&self, look: &mut L) -> Outcome {
        let idle = &self.page.header.idle;
        let Some(file) = look.state_file() else { return Outcome::NoDeadline };
        let swap = |from, to| idle.word.compare_exchange(from, to, SeqCst, SeqCst);
        match idle.word.load(SeqCst) {
            IDLE => return Outcome::NoDeadline,
            RELEASING => {
                // A former keeper has died there.
                self.page.recover(file);
                return Outcome::NotIdle(Busy::Changed);
            }
            _ => {
                let _ = swap(SETTLING, BUSY);
                if swap(BUSY, SETTLING).is_err() {
                    return Outcome::NotIdle(Busy::Changed);
                }
                if let Err(busy) = self.survey(KEEPER, look) {
                    let _ = swap(SETTLING, BUSY);
                    return Outcome::NotIdle(busy);
                }
                if swap(SETTLING, RELEASING).is_err() {
                    return Outcome::NotIdle(Busy::Changed);
                }
            }
        }
        file.release(self.page);
        let _ = swap(RELEASING, IDLE);
        sys::futex_wake(&idle.word, u32::MAX >> 1, false);
        Outcome::NoDeadline
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::region::layout::Page;
    use crate::region::lock::KEEPER;
    use crate::region::state::{Kind, State};
    use crate::schedule::look::Found;
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
        let engine = Engine {
            page,
            pid: std::process::id(),
            real_now: || 1000,
            process: std::process::id,
            reach: &crate::schedule::reach::Everything,
        };
        let slot = page.claim(Kind::Busy, 1, 1, 1).expect("a free slot");
        page.slots[slot]
            .thread()
            .what
            .store(crate::region::wait_kind::WaitKind::Spin as u32, SeqCst);
        let waits = |deadline| {
            let seq = page.slots[slot].state.prepare();
            page.post_deadline(slot, deadline, 1);
            page.slots[slot].state.publish_kernel(seq);
            // Not what the words are: something has happened since it asked.
            page.slots[slot].thread().spin.store(2, SeqCst);
        };
        waits(2000);
        assert_eq!(
            engine.settle(KEEPER, &mut Wakes { wakes: slot + 1 }),
            Outcome::NotIdle(Busy::AsksAgain(slot))
        );
        page.slots[slot].state.resume(Kind::Busy);
        waits(10);
        assert_eq!(engine.settle(KEEPER, &mut Wakes { wakes: slot + 1 }), Outcome::Woke);
    }

    #[test]
    fn no_jump_passes_the_deadline_of_who_has_just_woken_by_himself() {
        let page: &'static Page = Box::leak(Page::boxed());
        let engine = Engine {
            page,
            pid: std::process::id(),
            real_now: || 1,
            process: std::process::id,
            reach: &crate::schedule::reach::Everything,
        };
        let [backs_off, other] = [10, 1_000_000].map(|ns| {
            let slot = page.claim(Kind::Busy, 1, 1, ns).expect("a free slot");
            let seq = page.slots[slot].state.prepare();
            page.post_deadline(slot, engine.now() + ns, engine.now());
            assert!(page.slots[slot].state.publish_kernel(seq));
            slot
        });
        let due = page.slots[backs_off].deadline.load(SeqCst);
        engine.settle(KEEPER, &mut Wakes { wakes: backs_off });
        assert!(engine.now() <= due, "{} > {due}", engine.now());
        assert_eq!(page.slots[other].state.load().kind(), Kind::Kernel);
    }
}
