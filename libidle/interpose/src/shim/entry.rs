//! The guard at every hook that may wait: which slot speaks for the calling thread, and the waits
//! themselves.

use crate::shim::handler_slot::{self, Covered};
use crate::shim::library;
use crate::shim::numbers;
use crate::shim::session;
use crate::shim::signal_mask::Masked;
use crate::shim::state_rows;
use crate::shim::tls::tls;
pub use crate::shim::wait_cause::Cause;
pub use engine::WaitKind;
use engine::arch::stack_pointer;
use engine::region::wait_kind::TURNS;
use engine::schedule::engine::Moment;
use engine::{Engine, Kind, Limit, Reason, Signals};
use libc::timespec;
use posix::time::{NEVER, RealSpan, Spec};
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::atomic::compiler_fence;

/// A thread inside a hook.
///
/// A signal handler may call a hook while the thread it interrupted is in a wait, or about to begin
/// one. The handler's waits then get a slot of their own, and the interrupted one is *covered*:
/// whatever is promised to it can only be kept after the handler.
pub struct Entry {
    /// The engine.
    pub engine: Engine,
    /// The slot that speaks for the thread here.
    pub me: usize,
    base: Kind,
    /// What [`crate::shim::tls::Tls::waiting`] returns to after a wait.
    waiting: u32,
    /// The wait that was interrupted, if the slot is a handler's own.
    covers: Option<Covered>,
}

/// Enters; `None` when the process is in no session or has found no slot: the hook then does the
/// real call.
#[inline]
pub fn enter() -> Option<Entry> {
    let engine = session::engine()?;
    let tls = tls();
    let Some(me) = tls.slot.get().checked_sub(1) else { return adopt(engine) };
    let me = me as usize;
    let base = base();
    let waiting = tls.waiting.get();
    if waiting == me as u32 + 1 {
        nested(engine, me)
    } else {
        Some(Entry { engine, me, base, waiting, covers: None })
    }
}

/// What the calling thread's slot returns to after a wait.
pub fn base() -> Kind {
    match tls().base.get() {
        0 => Kind::Busy,
        5 => Kind::Ending,
        _ => Kind::Leaving,
    }
}

/// A thread that was made by other means than `pthread_create`, maybe as a process that shares this
/// one's memory: takes a slot at its first hook.
#[cold]
fn adopt(engine: Engine) -> Option<Entry> {
    {
        // A handler that comes to its first hook meanwhile would take a second one.
        let _masked = Masked::new();
        if tls().slot.get() == 0 {
            let (pid, tid) = numbers::mine();
            let me = engine.page.claim(Kind::Busy, pid, tid, tid as u64)?;
            numbers::note(me);
            tls().slot.set(me as u32 + 1);
        }
    }
    engine.page.awake();
    enter()
}

/// The thread is in a wait, yet here it is: in a signal handler (see [`handler_slot`]).
#[cold]
fn nested(engine: Engine, outer: usize) -> Option<Entry> {
    let (me, covered) = handler_slot::cover(&engine, outer)?;
    let waiting = outer as u32 + 1;
    Some(Entry { engine, me, base: Kind::Busy, waiting, covers: Some(covered) })
}

impl Drop for Entry {
    #[inline]
    fn drop(&mut self) {
        if let Some(outer) = self.covers
            && !self.engine.forked()
        {
            handler_slot::uncover(&self.engine, self.me, outer);
        }
    }
}

impl Entry {
    /// The slot.
    #[inline]
    pub fn slot(&self) -> &'static engine::region::slot::Slot {
        &self.engine.page.slots[self.me]
    }

    /// Virtual now, ns.
    #[inline]
    pub fn now(&self) -> u64 {
        self.engine.now()
    }

    /// Starts an exact wait: [`Entry::park`] or [`Entry::stay`] follows.
    pub fn prepare(&self, cause: impl Into<Cause>) -> u32 {
        let cause = cause.into();
        self.about_to_wait(cause.word());
        let seq = self.engine.begin_wait(self.me);
        if cause.stale(&self.engine) {
            self.end(seq, Reason::TimedOut);
        }
        seq
    }

    /// Ends wait `seq` of its own; false if somebody else has ended it.
    pub fn end(&self, seq: u32, reason: Reason) -> bool {
        self.engine.end_own(self.me, seq, reason)
    }

    /// Gives up a wait that was prepared and not begun.
    pub fn stay(&self) {
        self.engine.set_own(self.me, self.base);
        tls().waiting.set(self.waiting);
        state_rows::goes_on(&self.engine, self.me);
    }

    /// Cancellations aimed at this thread so far.
    pub fn cancels(&self) -> u32 {
        self.slot().thread().cancels.load(SeqCst)
    }

    /// A cancellation point, then the start of an exact wait that a later cancellation ends with
    /// [`Reason::Cancelled`]. None is lost: the canceller counts first and then looks for a wait to
    /// end, this thread starts the wait and then looks at the count.
    pub fn prepare_cancellable(&self, cause: impl Into<Cause>) -> u32 {
        let seen = self.cancels();
        self.cancellation_point();
        let seq = self.prepare(cause);
        if self.cancels() != seen {
            self.end(seq, Reason::Cancelled);
        }
        seq
    }

    /// Sleeps in the exact wait `seq`; `local` as in [`Engine::park`]. The caller is responsible
    /// for cancellation.
    pub fn park(&self, seq: u32, deadline: u64, signals: Signals, local: bool) -> Reason {
        let at = (deadline != NEVER).then(|| self.engine.moment());
        self.park_at(at, seq, deadline, signals, local)
    }

    /// The same for a caller that has read the clocks, which it must have where there is a
    /// deadline.
    pub fn park_at(
        &self,
        at: Option<Moment>,
        seq: u32,
        deadline: u64,
        signals: Signals,
        local: bool,
    ) -> Reason {
        let tls = tls();
        tls.wait_ends.set(signals == Signals::End);
        let late = self.engine.come_too_late(self.me, seq, deadline, at);
        let reason = late.unwrap_or_else(|| {
            tls.asker.waited();
            state_rows::waits(&self.engine, self.me);
            self.engine.park(self.me, seq, deadline, signals, local, at)
        });
        if self.base != Kind::Busy && !self.engine.forked() {
            self.engine.set_own(self.me, self.base);
        }
        tls.waiting.set(self.waiting);
        tls.wait_ends.set(false);
        if !self.engine.forked() {
            state_rows::goes_on(&self.engine, self.me);
        }
        reason
    }

    /// Waits for rest, for `limit` of real time at most: see [`Engine::await_rest`].
    pub fn await_rest(&self, limit: Option<RealSpan>) -> Reason {
        let seq = self.prepare(WaitKind::Rest);
        tls().asker.waited();
        state_rows::waits(&self.engine, self.me);
        let reason = self.engine.await_rest(self.me, seq, limit);
        if !self.engine.forked() {
            self.engine.set_own(self.me, self.base);
            state_rows::goes_on(&self.engine, self.me);
        }
        tls().waiting.set(self.waiting);
        reason
    }

    /// A wait that the kernel ends, without a deadline: from now until the guard is dropped.
    #[inline]
    pub fn kernel_wait(&self, what: WaitKind) -> KernelWait<'_> {
        self.about_to_wait(what as u32);
        self.engine.enter_kernel(self.me);
        state_rows::changed(&self.engine);
        KernelWait { entry: self, timed: false, limit: None }
    }

    /// The same with a deadline (absolute virtual ns); `None` if it has come. `still` asks whether
    /// there is still nothing to do. What ends the wait is the slot's wake fd, or its state word
    /// where it has none.
    pub fn kernel_wait_until(
        &self,
        cause: impl Into<Cause>,
        deadline: u64,
        still: impl FnMut() -> bool,
    ) -> Option<KernelWait<'_>> {
        let cause = cause.into();
        self.about_to_wait(cause.word());
        let mut guard = KernelWait { entry: self, timed: true, limit: None };
        let before = self.slot().state.load();
        let limit = self.engine.enter_kernel_until(self.me, deadline, still);
        if self.slot().state.load() != before {
            // It did wait, if only by moving the clock.
            tls().asker.waited();
        }
        guard.limit = Some(limit?);
        if cause.stale(&self.engine) {
            return None;
        }
        state_rows::changed(&self.engine);
        Some(guard)
    }

    /// A wait without a deadline that a timer descriptor may end; `None` if there is something to
    /// do for the caller.
    pub fn kernel_wait_turning(
        &self,
        what: WaitKind,
        still: impl FnMut() -> bool,
    ) -> Option<KernelWait<'_>> {
        self.about_to_wait(what as u32 | TURNS);
        let guard = KernelWait { entry: self, timed: false, limit: None };
        self.engine.enter_kernel_turning(self.me, still).then_some(guard)
    }

    /// What every wait does first: the bytes that were sent are let go, and the place of the wait
    /// is kept. From here on a handler does not use the slot.
    #[inline(always)]
    fn about_to_wait(&self, word: u32) {
        self.slot().thread().what.store(word, Relaxed);
        crate::shim::tcp_push::settle();
        crate::shim::written_files::settle();
        library::ensure_thread(&self.engine);
        let (tls, sp) = (tls(), stack_pointer());
        tls.wait_sp.set(sp);
        tls.waiting.set(self.me as u32 + 1);
        // Once more, in case a handler has waited between these two.
        compiler_fence(SeqCst);
        tls.wait_sp.set(sp);
    }

    /// Acts on a pending `pthread_cancel`, if there is one and it is enabled: then it unwinds from
    /// here.
    #[inline]
    pub fn cancellation_point(&self) {
        if self.cancels() != 0 {
            crate::next!(pthread_testcancel: fn() -> ())();
        }
    }
}

/// A handler has ended a wait of a call that is a cancellation point. It may have been libc's own:
/// glibc sends a signal with each `pthread_cancel` from 2.41 on, and its handler acts only inside
/// libc's own calls. What is pending is acted on here.
#[cold]
pub fn after_handler() {
    crate::next!(pthread_testcancel: fn() -> ())();
}

/// A wait in the kernel; dropping it, also by unwinding, makes the thread busy again.
pub struct KernelWait<'a> {
    entry: &'a Entry,
    timed: bool,
    limit: Option<Limit>,
}

impl KernelWait<'_> {
    /// How long the kernel may wait at most, real ns: what is left until the deadline, if nobody
    /// moves the clock.
    pub fn left(&self) -> u64 {
        self.limit.map_or(NEVER, |limit| limit.left(&self.entry.engine))
    }

    /// The same as a time-out.
    pub fn timespec(&self) -> timespec {
        let left = Spec::of_ns(self.left());
        timespec { tv_sec: left.sec, tv_nsec: left.nsec }
    }

    /// The real call, given some time-out, says that it has passed: has the deadline come, or has
    /// somebody ended the wait? If not, the same wait goes on with another call: nobody is to see
    /// it end before it does.
    pub fn passed(&mut self) -> bool {
        self.limit.as_mut().is_none_or(|limit| limit.passed(&self.entry.engine, self.entry.me))
    }

    /// Ends the wait and tells whether its deadline had come.
    pub fn end(self) -> Reason {
        let reason = self.leave();
        std::mem::forget(self);
        reason
    }

    #[inline]
    fn leave(&self) -> Reason {
        let reason = self.entry.engine.leave_kernel(self.entry.me, self.entry.base, self.timed);
        tls().waiting.set(self.entry.waiting);
        if !self.entry.engine.forked() {
            state_rows::goes_on(&self.entry.engine, self.entry.me);
        }
        reason
    }
}

impl Drop for KernelWait<'_> {
    #[inline]
    fn drop(&mut self) {
        self.leave();
    }
}
