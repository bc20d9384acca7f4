//! Somebody holds the clock ([`crate::region::named_holds`]): nobody jumps. With a running clock
//! the session goes on at real speed. A frozen clock moves by the real time that the hold takes: as
//! it goes where all are blocked, so that time-outs keep their meaning, and by the rest at its end.
//!
//! A hold's bit and entries are taken back under the clock's lock alone. So no decider finds the
//! bit taken back while another hold is about to begin: who begins a hold is busy until both are
//! there.

use crate::arch::numbers as nr;
use crate::arch::syscall::syscall6;
use crate::region::holds::{AT_REST, NAMED};
use crate::region::keeper_word;
use crate::region::layout::Page;
use crate::region::named_holds::{FREE, LASTS, LONGEST, OVER, lock_of};
use crate::schedule::advance::Reason;
use crate::schedule::busy::Busy;
use crate::schedule::decide::Outcome;
use crate::schedule::engine::Engine;
use crate::schedule::hold_lock::Held;
use crate::schedule::look::Look;
use crate::schedule::next::Key;
use crate::sync::{Relaxed, SeqCst};

impl Engine {
    /// The caller is busy and holds the clock from now on, by `fd`: an open file description of its
    /// own of the region. The answer is the hold; `None` if there is no room for one more.
    pub fn begin_hold(&self, name: &[u8; LONGEST], fd: i32) -> Option<usize> {
        let page = self.page;
        let index = page.free_holds(name).find(|&index| {
            let taken = set_lock(fd, index, false);
            // An owner may have died with it, and nobody has noticed yet.
            let free = taken && page.named[index].state.load(SeqCst) == FREE;
            if taken && !free {
                set_lock(fd, index, true);
            }
            free
        })?;
        let times = [(self.real_now)(), self.now()];
        page.hold_begins(index, name, [(self.process)(), fd as u32], times);
        Some(index)
    }

    /// The owner gives up the hold `index`; `me` is its slot if it has one, and it is busy. False
    /// if the hold is over already. A frozen clock moves by what it took, if nobody is due
    /// meanwhile; whose deadline comes first wakes, and the rest passes when all are blocked.
    pub fn end_hold(&self, me: Option<usize>, index: usize) -> bool {
        let real = (self.real_now)();
        let ended = self.page.hold_ends(index, real);
        if ended {
            if let Some(held) = me.and_then(|me| self.lock(me, real)) {
                self.carry_holds(held, None, false);
                self.unlock(held);
            }
            keeper_word::recall(self.page);
        }
        ended
    }

    /// All are blocked, and somebody holds the clock or waits for just this. The keeper only;
    /// lock's holder only.
    pub(crate) fn rests<L: Look>(&self, held: Held, look: &mut L) -> Outcome {
        let page = self.page;
        let bits = page.header.hold.load(SeqCst);
        // It is no rest while somebody is due: with a frozen clock the next of several equals.
        let now = self.now();
        page.drain_mail(held.arena);
        if page.goal(held.arena).is_some_and(|key| page.ends(key.deadline) <= now) {
            return if self.expire_due(held, now).1 { Outcome::Fired } else { Outcome::Woke };
        }
        if bits & AT_REST != 0 && self.tell_of_rest() {
            return Outcome::Woke;
        }
        if bits & NAMED == 0 {
            return Outcome::NotIdle(Busy::Changed);
        }
        for index in page.holds_in(LASTS) {
            if !look.holds_on(page, index) {
                page.hold_ends(index, (self.real_now)());
            }
        }
        self.carry_holds(held, look.unhooked(page), true)
    }

    /// Moves a frozen clock by what holds have taken, those that last included if `lasting`, and
    /// forgets those that are over and done with. `own` is a deadline that the caller alone knows
    /// of. Lock's holder only.
    fn carry_holds(&self, held: Held, own: Option<Key>, lasting: bool) -> Outcome {
        let page = self.page;
        if self.frozen() {
            let real = (self.real_now)();
            let until =
                |index: usize, took: u64| page.named[index].from.load(Relaxed).saturating_add(took);
            let over = page.holds_in(OVER).map(|i| until(i, page.named[i].took.load(Relaxed)));
            let last = page.holds_in(LASTS).filter(|_| lasting);
            let last =
                last.map(|i| until(i, real.saturating_sub(page.named[i].since.load(Relaxed))));
            let to = over.chain(last).max().unwrap_or(0);
            if to > self.now()
                && let Some(outcome) = self.carry(held, to, own, Reason::Hold)
            {
                return outcome;
            }
        }
        for index in page.holds_in(OVER) {
            page.named[index].state.store(FREE, SeqCst);
        }
        match page.holds_in(LASTS).next() {
            Some(index) => Outcome::NotIdle(Busy::Holds(index)),
            None => {
                page.forget_named_bit();
                Outcome::NotIdle(Busy::Changed)
            }
        }
    }
}

/// Takes or gives up a hold's lock on the region's file, fcntl(2).
fn set_lock(fd: i32, index: usize, free: bool) -> bool {
    const F_OFD_SETLK: usize = 37;
    let lock = if free { lock_of(index).unlock() } else { lock_of(index) };
    // SAFETY: fcntl(2) reads one `struct flock`.
    unsafe {
        let at = &raw const lock as usize;
        syscall6(nr::FCNTL, fd as usize, F_OFD_SETLK, at, 0, 0, 0) == 0
    }
}

impl Page {
    /// No hold is left. Lock's holder only.
    fn forget_named_bit(&self) {
        self.header.hold.fetch_and(!NAMED, SeqCst);
        if [LASTS, OVER].iter().any(|&state| self.holds_in(state).next().is_some()) {
            self.hold(NAMED);
        }
    }
}
