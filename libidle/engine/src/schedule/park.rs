//! Sleeping on a slot: the life of one wait, from the waiting thread's side.

use crate::region::forced::Forced;
use crate::region::keeper_word;
use crate::region::state::{Kind, Reason};
use crate::schedule::busy::Busy;
use crate::schedule::decide::Outcome;
use crate::schedule::engine::{Engine, Moment};
use crate::schedule::look::NoLook;
use crate::schedule::next::Key;
use crate::schedule::real_timeout::Limit;
use crate::sync::{Relaxed, SeqCst};
use crate::sys::{self, Timespec};
use posix::time::NEVER;

/// What becomes of a wait in which a signal handler ran.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Signals {
    /// The wait ends (nanosleep, timed waits): [`Reason::Interrupted`].
    End,
    /// The wait ends unless the handler has `SA_RESTART`.
    EndUnlessRestart,
    /// The wait goes on.
    Ignore,
}

impl Engine {
    /// The reason why wait `seq` is over before it has begun, if its deadline has come.
    #[inline]
    pub fn come_too_late(
        &self,
        me: usize,
        seq: u32,
        deadline: u64,
        at: Option<Moment>,
    ) -> Option<Reason> {
        at.is_some_and(|at| at.now >= deadline).then(|| self.give_up(me, seq, Reason::TimedOut))
    }

    /// Waits in `seq` (from [`Engine::begin_wait`]) until a promise or
    /// `deadline` (absolute virtual ns).
    ///
    /// `local`: only the deadline and threads of this process end the wait.
    ///
    /// No wake-up is lost. A waker that finds the slot in a queue finds it prepared or parked, and
    /// its promise makes either `publish` fail or the futex wait return. The futex compares the
    /// very word that the promise changes.
    ///
    /// In frozen mode the thread waits even if the deadline has come. It goes on when all are at
    /// rest and it is the next in order. In elapsed mode a deadline that has come is always the
    /// next.
    ///
    /// `at`: a reading of the clocks that the caller has at hand ([`Engine::moment`]).
    pub fn park(
        &self,
        me: usize,
        seq: u32,
        deadline: u64,
        signals: Signals,
        local: bool,
        at: Option<Moment>,
    ) -> Reason {
        let limit = match self.begin_park(me, seq, deadline, local, at) {
            Ok(limit) => limit,
            Err(reason) => return reason,
        };
        self.sleep(me, seq, limit, signals);
        if self.forked() {
            return Reason::Interrupted;
        }
        self.end_park(me, deadline)
    }

    /// The first half of an exact wait. Publishes the wait and decides if it is this thread's turn
    /// to. The answer is how long to sleep at most, or the reason if the wait is over already.
    pub fn begin_park(
        &self,
        me: usize,
        seq: u32,
        deadline: u64,
        local: bool,
        at: Option<Moment>,
    ) -> Result<Option<Limit>, Reason> {
        let slot = &self.page.slots[me];
        let mut limit = None;
        if deadline != NEVER {
            let at = at.unwrap_or_else(|| self.moment());
            let now = at.now;
            if now >= deadline && !self.frozen() {
                return Err(self.give_up(me, seq, Reason::TimedOut));
            }
            if !self.page.real() {
                let own = Key { deadline, parked: now, birth: slot.birth.load(Relaxed) };
                // A waker may have promised this very wait and gone to sleep. Then there is no need
                // to block.
                let still = || slot.state.load().kind() == Kind::Prep;
                if !self.witness(me) && self.solo(me, own, at, still) == Outcome::Mine {
                    return Err(self.give_up(me, seq, Reason::TimedOut));
                }
                self.page.post_deadline(me, deadline, now);
            }
            limit = Some(Limit::new(self, deadline, now));
        }
        if self.publish(me, seq, local && deadline == NEVER) {
            self.after_blocking(me);
            Ok(limit)
        } else {
            Err(self.end_park(me, deadline))
        }
    }

    /// The wait is over: takes its deadline back, and returns the reason.
    pub fn end_park(&self, me: usize, deadline: u64) -> Reason {
        let slot = &self.page.slots[me];
        if deadline != NEVER {
            slot.deadline.store(NEVER, SeqCst);
        }
        slot.state.load().reason()
    }

    /// Ends an unpublished wait for `reason`, unless a waker was first.
    fn give_up(&self, me: usize, seq: u32, reason: Reason) -> Reason {
        let slot = &self.page.slots[me];
        self.end_own(me, seq, reason);
        slot.state.load().reason()
    }

    /// Sleeps on the published state word until it changes.
    fn sleep(&self, me: usize, seq: u32, mut limit: Option<Limit>, signals: Signals) {
        /// Only its presence matters; see [`Timespec`].
        const FAR: Timespec = Timespec { sec: 1 << 40, nsec: 0 };
        let slot = &self.page.slots[me];
        loop {
            let now = slot.state.load();
            if now.kind() != Kind::Parked || now.seq() != seq {
                return;
            }
            let until = limit.map(|limit| limit.timespec(self));
            let timeout = until.as_ref().or((signals == Signals::End).then_some(&FAR));
            let ended = sys::futex_wait(&slot.state.0, now.0, timeout, now.local());
            if self.forked() {
                return;
            }
            if ended == sys::ETIMEDOUT && limit.as_mut().is_some_and(|limit| limit.passed(self, me))
            {
                self.page.awake_as(me);
                return;
            }
            if ended == sys::EINTR
                && signals != Signals::Ignore
                && self.end_own(me, seq, Reason::Interrupted)
            {
                self.page.awake_as(me);
                return;
            }
        }
    }

    /// Does the witness still run? Saves the survey in the common case.
    #[inline]
    fn witness(&self, me: usize) -> bool {
        let at = self.page.slots[me].witness.load(Relaxed) as usize;
        at != 0 && at - 1 != me && {
            let w = &self.page.slots[(at - 1) % crate::region::sizes::SLOTS];
            w.state.load().busy()
                && w.covered.load(Relaxed) == 0
                && self.page.forced(at - 1) != Some(Forced::Idle)
        }
    }

    fn remember_witness(&self, me: usize, busy: usize) {
        self.page.slots[me].witness.store(busy as u32 + 1, Relaxed);
    }

    /// The thread has published that it is blocked. Somebody must decide whether it was the last:
    /// see NOTE [Nobody looks away].
    pub fn after_blocking(&self, me: usize) {
        if self.witness(me) {
            return;
        }
        let busy = match self.glance(me) {
            Ok(()) if self.page.real() => return self.kick_keeper(),
            Ok(()) => match self.settle(me, &mut NoLook) {
                // The lock's holder decides, and decides again after this thread's note.
                Outcome::NotIdle(Busy::LockTaken) => return,
                Outcome::NotIdle(busy) => Some(busy),
                Outcome::NoDeadline => None,
                Outcome::Mine | Outcome::Woke | Outcome::Fired => return,
            },
            Err(busy) => Some(busy),
        };
        match busy.and_then(Busy::slot).filter(|&slot| slot != me) {
            Some(slot) => self.remember_witness(me, slot),
            None => self.want_keeper(),
        }
    }

    /// Kicks the keeper to decide, if there is anything to decide.
    fn want_keeper(&self) {
        if self.page.deadlines_pending() || self.page.rest_matters() {
            self.kick_keeper();
        }
    }

    /// Begins a kernel wait without a deadline. The thread writes nothing but its own word.
    #[inline]
    pub fn enter_kernel(&self, me: usize) {
        self.page.slots[me].state.enter_kernel();
        if keeper_word::attentive(self.page)
            && (self.page.deadlines_pending() || self.page.rest_matters())
            && !self.witness(me)
        {
            self.after_kernel_entry(me);
        }
    }

    #[cold]
    fn after_kernel_entry(&self, me: usize) {
        match self.glance(me).map_err(Busy::slot) {
            Err(Some(busy)) => self.remember_witness(me, busy),
            _ => self.kick_keeper(),
        }
    }

    /// Begins a wait with a deadline, which the kernel or the slot's wake fd ends. If the caller is
    /// to go to sleep, the answer is how long at most; `None` if the deadline has come. `still`
    /// asks whether there is still nothing to do for the caller (a poll with time-out zero). In
    /// both cases [`Engine::leave_kernel`] ends the wait.
    pub fn enter_kernel_until(
        &self,
        me: usize,
        deadline: u64,
        mut still: impl FnMut() -> bool,
    ) -> Option<Limit> {
        let slot = &self.page.slots[me];
        let at = self.moment();
        let now = at.now;
        if now >= deadline {
            return None;
        }
        if self.page.real() {
            self.enter_kernel(me);
            return Some(Limit::new(self, deadline, now));
        }
        let own = Key { deadline, parked: now, birth: slot.birth.load(Relaxed) };
        // Prepared before the clock may move, so that a sender of signals sees that this thread is
        // about to wait.
        let seq = slot.state.prepare();
        if !self.witness(me) && self.solo(me, own, at, &mut still) == Outcome::Mine {
            if self.frozen() {
                self.note_back_off(me);
            }
            return None;
        }
        self.page.post_deadline(me, deadline, now);
        if !slot.state.publish_kernel(seq) {
            // A decider that ended the wait this early has not written to the wake fd.
            if slot.state.load().reason() == Reason::TimedOut {
                return None;
            }
            // A cancellation, which libc delivers (or which is disabled). A decider that found the
            // slot busy has dropped its deadline.
            slot.state.enter_kernel();
            self.page.post_deadline(me, deadline, now);
        }
        if keeper_word::attentive(self.page) && !self.witness(me) {
            self.after_kernel_entry(me);
        }
        Some(Limit::new(self, deadline, now))
    }

    /// Begins a wait without a deadline that a timer descriptor may end. True if the caller is to
    /// go to sleep, false if there is something to do for it by now. While all others rest, the
    /// caller moves the clock itself.
    pub fn enter_kernel_turning(&self, me: usize, mut still: impl FnMut() -> bool) -> bool {
        let slot = &self.page.slots[me];
        // Prepared before the clock may move, as above.
        let seq = slot.state.prepare();
        while !self.witness(me) && self.turn(me, &mut still) == Outcome::Fired {
            if !still() {
                return false;
            }
        }
        if !slot.state.publish_kernel(seq) {
            slot.state.enter_kernel();
        }
        if keeper_word::attentive(self.page) && !self.witness(me) {
            self.after_kernel_entry(me);
        }
        true
    }

    /// The caller traces the thread of slot `me` and has stopped it. The thread is about to wait
    /// until `deadline` in a call that only the kernel can look into. Nobody asks here whether it
    /// is the last to block. [`Engine::looked_for`] follows when it runs.
    pub fn enter_kernel_stopped(&self, me: usize, deadline: u64) {
        let slot = &self.page.slots[me];
        let seq = slot.state.prepare();
        self.page.post_deadline(me, deadline, self.now());
        // If this fails, the deadline has come.
        slot.state.publish_kernel(seq);
    }

    /// Makes the keeper look at slot `me`, no later than its deadline.
    pub fn looked_for(&self, me: usize) {
        let deadline = self.page.slots[me].deadline.load(SeqCst);
        self.arm(deadline, self.now());
        if keeper_word::attentive(self.page) && !self.witness(me) {
            self.after_kernel_entry(me);
        }
    }

    /// A kernel wait is over: the slot is `base` (busy, or ending) again.
    #[inline]
    pub fn leave_kernel(&self, me: usize, base: Kind, timed: bool) -> Reason {
        let slot = &self.page.slots[me];
        if self.forked() {
            return Reason::Interrupted;
        }
        if timed {
            slot.deadline.store(NEVER, SeqCst);
        }
        let reason = slot.state.resume(base);
        self.page.awake_as(me);
        reason
    }
}
