//! The timers of traced processes that end in a signal, and when they expire.
//!
//! The tracer parks a slot of its own until the earliest deadline, like the thread that serves the
//! timers of a process with the library. So time does not move on while the tracer sends a signal.

use super::timer_table::{Notify, Timer, TimerTable};
use crate::tracer::ptrace::signal_info::SignalInfo;
use crate::virtual_clock::SessionClocks;
use engine::region::tracer_word::KEEPS_TIME;
use engine::{Engine, Kind, Reason, WaitKind};
use libc::pid_t;
use posix::clock::{Clocks, Shift};
use posix::time::{Instant, NEVER};
use std::sync::atomic::Ordering::SeqCst;

/// See the module.
pub struct Timers {
    pub(super) engine: Engine,
    /// All of them.
    pub table: TimerTable,
    /// The slot that is parked until the earliest deadline.
    keeps: Option<usize>,
    /// What clock_settime(2) had done when the deadlines were last right.
    shift: Shift,
}

impl Timers {
    /// None yet.
    pub fn new(engine: Engine) -> Timers {
        Timers { engine, table: TimerTable::default(), keeps: None, shift: Shift(0) }
    }

    /// Lets timers expire that are due, and parks until the next deadline. Code that changes a
    /// deadline calls it before the program goes on.
    ///
    /// A timer with an interval of a few nanoseconds is due again at once, for ever. So if the next
    /// timer is due already, the tracer does not park: it stays busy, and comes here again when it
    /// has heard what its tracees report.
    pub fn keep_time(&mut self) {
        self.follow_clock();
        let (engine, page) = (self.engine, self.engine.page);
        if self.keeps.is_none() && !self.table.earliest().is_never() {
            // SAFETY: no arguments.
            let tid = unsafe { libc::gettid() } as u32;
            self.keeps = page.claim(Kind::Busy, engine.pid, tid, 0);
            if let Some(me) = self.keeps {
                page.slots[me].tracer.store(KEEPS_TIME, SeqCst);
                page.slots[me].thread().what.store(WaitKind::Timer as u32, SeqCst);
            }
        }
        let Some(me) = self.keeps else { return };
        let slot = &page.slots[me];
        loop {
            let state = slot.state.load();
            if state.waits() {
                if slot.deadline.load(SeqCst) == self.table.earliest().ns() {
                    return;
                }
                engine.end_own(me, state.seq(), Reason::Woken);
                continue;
            }
            let mut due = state.reason() == Reason::TimedOut;
            let now = SessionClocks(&engine).now();
            // In frozen mode one at a time: the next when everybody is at rest again.
            while due && self.expire_one(now) {
                due = !engine.frozen();
            }
            let earliest = self.table.earliest().ns();
            // Without a new one the former one would count on.
            slot.deadline.store(NEVER, SeqCst);
            let seq = engine.begin_wait(me);
            match engine.begin_park(me, seq, earliest, false, None) {
                Ok(_) => engine.arm(earliest, engine.now()),
                Err(_) => _ = page.header.tracer.fetch_add(1, SeqCst),
            }
            return;
        }
    }

    /// Lets the first of the timers that are due by `now` expire; false if none is.
    fn expire_one(&mut self, now: Instant) -> bool {
        let engine = self.engine;
        let Some((pid, id)) = self.table.due(now) else { return false };
        self.table.change(pid, id, |timer| expire(&engine, now, pid, timer)).is_some()
    }

    /// A clock was set: timers for an instant of it move.
    fn follow_clock(&mut self) {
        let shift = Shift(self.engine.page.shift());
        let ahead = shift.since(std::mem::replace(&mut self.shift, shift));
        if ahead != Shift::default() {
            self.table.clock_was_set(ahead);
        }
    }
}

/// The time of a timer has come.
fn expire(engine: &Engine, now: Instant, pid: pid_t, timer: &mut Timer) {
    let missed = timer.expired.overrun(now);
    timer.expired.first = timer.expired.next(now);
    let (number, thread) = match timer.notify {
        Notify::Process(number) => (number, None),
        Notify::Thread(number, tid) => (number, Some(tid)),
        Notify::Nobody => return,
    };
    if timer.sent && timer.pending(pid) {
        timer.overruns.0 = timer.overruns.0.saturating_add(missed).saturating_add(1);
    } else {
        (timer.sent, timer.overruns.0) = (true, missed);
        let info = SignalInfo::of_timer(number, timer.id, timer.overruns.0, timer.value);
        send(engine, pid, thread, &info);
    }
}

/// Sends a signal to a process or one thread of it. Counted, like all that the session sends.
fn send(engine: &Engine, pid: pid_t, thread: Option<pid_t>, info: &SignalInfo) {
    let (sent, at) = (&engine.page.header.signals_sent, &raw const *info);
    sent.fetch_add(1, SeqCst);
    // SAFETY: a siginfo_t of our own.
    unsafe {
        match thread {
            None => libc::syscall(libc::SYS_rt_sigqueueinfo, pid, info.number(), at),
            Some(tid) => libc::syscall(libc::SYS_rt_tgsigqueueinfo, pid, tid, info.number(), at),
        }
    };
    sent.fetch_add(1, SeqCst);
}
