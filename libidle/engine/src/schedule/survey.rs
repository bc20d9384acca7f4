//! Are all threads blocked? No other file answers that.
//!
//! NOTE [At rest]. The decider holds the clock's lock and makes two passes over the busy set.
//!
//! First pass. For each set bit the decider reads the slot's state word. At rest: it clears the bit
//! and reads the word again; if the word has changed, it sets the bit again and answers *busy*. In
//! a kernel wait: it looks at the thread, and remembers the look.
//!
//! Second pass. No other bit may have appeared, and each remembered look is confirmed: the thread
//! has not run since.
//!
//! Why that is exact. Let t be the end of the first pass, and suppose that some slot is busy at t.
//! Take the slot that has been busy longest without a break. Its waker stored the state word, then
//! set the bit, and was itself busy until the bit was set. So either the bit is set at t, or the
//! waker is busy at t and has been so for longer, which contradicts the choice. The second pass
//! sees a bit that is set at t, because only the decider clears bits, and it reads the word again
//! after it has cleared one. Kernel waits: a thread that was asleep at the first look and has not
//! run at the second was asleep at t.
//!
//! Failed ideas: one counter of busy threads (a killed process leaves it wrong for ever, and all
//! cores contend for it); parkers that clear their own bit (a promise between the clearing and the
//! publishing is invisible for a moment).
use crate::patience::GLANCE;
use crate::region::forced::Forced;
use crate::region::holds::COMMANDS;
use crate::region::sizes::PER_WORD;
use crate::region::state::{Kind, State};
use crate::schedule::busy::Busy;
use crate::schedule::engine::Engine;
use crate::schedule::hold_lock::Held;
use crate::schedule::look::{Found, Look};
use crate::schedule::next::Key;
use crate::sync::{Relaxed, SeqCst};

/// The look, or the state word, says that the thread of slot `index` runs.
fn running(index: usize, seen: State) -> Busy {
    if seen.busy() { Busy::Runs(index) } else { Busy::Awake(index) }
}

impl Engine {
    /// Is a thread other than `me` busy, as far as the state words alone tell? Changes nothing. So
    /// the answer *at rest* is only a reason to ask again under the lock.
    pub fn glance(&self, me: usize) -> Result<(), Busy> {
        let (mut unknown, mut answer) = (0, Ok(()));
        for w in self.page.busy_words() {
            let mut bits = self.page.busy[w].load(SeqCst);
            while bits != 0 {
                let index = w * PER_WORD + bits.trailing_zeros() as usize;
                bits &= bits - 1;
                let slot = &self.page.slots[index];
                let seen = slot.state.load();
                let forced = self.page.forced(index);
                if forced == Some(Forced::Busy) {
                    return Err(Busy::SaysSo(index));
                }
                if index == me || forced.is_some() || seen.rests() {
                    continue;
                }
                if seen.busy() && slot.covered.load(Relaxed) == 0 {
                    return Err(Busy::Runs(index));
                }
                answer = Err(Busy::InKernel);
                unknown += 1;
                if unknown >= GLANCE {
                    return answer;
                }
            }
        }
        answer
    }

    /// NOTE [At rest] as code. The busy set has a second level, a bit for each word that is not
    /// zero, kept by the same rule: a busy thread sets it after the word; the decider alone clears
    /// it, and reads the word again afterwards. `me` counts as blocked. Lock's holder only.
    pub fn survey<L: Look>(&self, me: usize, look: &mut L) -> Result<(), Busy> {
        self.first_pass(me, look)?;
        self.holds(look)?;
        self.second_pass(me, look)
    }

    /// A survey, and the earliest deadline at the instant that the survey speaks of. A thread may
    /// wake by itself right after that instant, because its back-off is over or a process outside
    /// has written to it. It takes its deadline out then, and time must not pass that deadline.
    pub(crate) fn survey_deadlines<L: Look>(
        &self,
        held: Held,
        me: usize,
        look: &mut L,
    ) -> Result<Option<Key>, Busy> {
        self.first_pass(me, look)?;
        self.holds(look)?;
        self.page.drain_mail(held.arena);
        let first = self.page.goal(held.arena);
        self.second_pass(me, look)?;
        Ok(first)
    }

    /// Makes the next survey look at parked threads too, because a signal may have made one run.
    /// Only the keeper calls it.
    pub fn survey_parked(&self) {
        for (index, slot) in self.page.slots[..self.page.high()].iter().enumerate() {
            if slot.state.load().kind() == Kind::Parked {
                self.page.set_busy(index);
            }
        }
    }

    /// The first pass: no thread runs.
    fn first_pass<L: Look>(&self, me: usize, look: &mut L) -> Result<(), Busy> {
        let page = self.page;
        // When a thousand threads have ended, one pass gives back all their slots.
        let mut changed = false;
        for w in page.busy_words() {
            let word = &page.busy[w];
            let mut bits = word.load(SeqCst);
            while bits != 0 {
                let bit = bits & bits.wrapping_neg();
                bits ^= bit;
                let index = w * PER_WORD + bit.trailing_zeros() as usize;
                match page.forced(index) {
                    Some(Forced::Busy) if look.ended(page, index) => return Err(Busy::Changed),
                    Some(Forced::Busy) => return Err(Busy::SaysSo(index)),
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
                        return Err(Busy::Runs(index));
                    }
                    continue;
                }
                if self.looks_again(index, seen) {
                    return Err(Busy::AsksAgain(index));
                }
                match look.first(page, index, seen) {
                    Found::Asleep => {}
                    Found::Running => return Err(running(index, seen)),
                    Found::Changed => changed = true,
                    Found::Unknown => return Err(Busy::InKernel),
                }
            }
            page.settle_word(w);
        }
        if changed { Err(Busy::Changed) } else { Ok(()) }
    }

    /// Between the passes: does the kernel work for a thread that is blocked? Whatever its work
    /// wakes is found awake by the second pass.
    #[inline]
    fn holds<L: Look>(&self, look: &mut L) -> Result<(), Busy> {
        match self.page.header.hold.load(SeqCst) {
            0 => Ok(()),
            bits if bits & COMMANDS != 0 => Err(Busy::Held),
            bits => look.in_flight(self.page, bits),
        }
    }

    /// The second pass: no thread has run since the first.
    fn second_pass<L: Look>(&self, me: usize, look: &mut L) -> Result<(), Busy> {
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
                if self.looks_again(index, seen) {
                    return Err(Busy::AsksAgain(index));
                }
                if !look.confirm(page, index, seen) {
                    return Err(running(index, seen));
                }
            }
        }
        if !look.at_rest(page) {
            return Err(Busy::RecheckDue);
        }
        let h = &page.header;
        if h.signals_sent.load(SeqCst) != h.signals_seen.load(SeqCst) {
            return Err(Busy::SignalSent);
        }
        Ok(())
    }

    /// Does the thread of slot `index` spin, and has anything changed since it asked last? Then it
    /// counts as running, though it backs off: it would have seen the change at once, and no time
    /// passes before it has. If no hook sees what it does and it does not back off, the look tells
    /// whether it runs. A thread whose deadline has come waits only to go on: that holds up nobody.
    fn looks_again(&self, index: usize, seen: State) -> bool {
        let slot = &self.page.slots[index];
        let asked = slot.spins(seen);
        let asks = asked != 0
            && !seen.busy()
            && seen.kind() != Kind::Foreign
            && asked != self.page.words();
        asks && self.page.ends(slot.deadline.load(SeqCst)) > self.now()
    }
}
