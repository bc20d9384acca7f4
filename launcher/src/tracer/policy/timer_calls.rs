//! Timers of traced processes that end in a signal: alarm(2), setitimer(2), timer_create(2).
//!
//! The tracer keeps them ([`super::timer_table`]) and tells of them ([`super::timers`]). Each timer
//! of timer_create(2) is also a timer of the kernel, which is never armed: it gives the number,
//! checks the arguments, and counts against the user's limit.
//!
//! As in the kernel a timer has one signal under way at most, and expirations meanwhile are its
//! overruns. How many there were is written into the signal where it is taken: by a handler, or by
//! rt_sigtimedwait(2). Both stop for the tracer. For signalfd(2) nothing stops, so there the number
//! is that of the first expiration.

use super::thread::{Doing, Then};
use super::timer_table::{ITIMER, Notify, Timer};
use super::timers::Timers;
use super::tracees::Tracees;
use crate::tracer::arch::registers::Registers;
use crate::tracer::ptrace::failed::Failed;
use crate::tracer::ptrace::memory::{Fault, Memory};
use crate::tracer::ptrace::signal_info::SignalInfo;
use crate::tracer::ptrace::thread_status::from_inside;
use crate::tracer::ptrace::wait::Stopped;
use crate::virtual_clock::SessionClocks;
use libc::pid_t;
use posix::clock::{Clocks, is_virtual};
use posix::errno::Errno;
use posix::time::{Instant, Span};
use posix::timer::{self, Expired, alarm_seconds, itimer, itimerspec, itimerval};
use posix::wait::TIMER_ABSTIME;

/// Where the library writes [`Expired`] into its signals.
const EXPIRED: usize = 8;

impl Timers {
    /// Before a call about a timer.
    pub fn call(
        &mut self,
        tracees: &mut Tracees,
        stopped: Stopped,
        regs: &Registers,
    ) -> Result<(), Failed> {
        let tid = stopped.tid();
        if regs.number() == libc::SYS_timer_create {
            if let Some(made) = new_timer(Memory(tid), regs) {
                tracees.set_doing(tid, Doing::Then(Then::TimerMade(made, regs.argument(2))));
            }
            return tracees.go(stopped, 0);
        }
        let process = tracees.threads[&tid].process;
        let answer =
            self.timer_answer(process, Memory(tid), regs).unwrap_or(Some(-(libc::EFAULT as i64)));
        // Before it goes on: a deadline must be known when it sleeps.
        self.keep_time();
        match answer {
            Some(answer) => tracees.answer(stopped, answer),
            None => tracees.go(stopped, 0),
        }
    }

    /// The answer to a call about one of the process's timers; `None` if it is for the kernel to
    /// answer.
    fn timer_answer(
        &mut self,
        process: pid_t,
        memory: Memory,
        r: &Registers,
    ) -> Result<Option<i64>, Fault> {
        const EINVAL: i64 = Errno::EINVAL.answer();
        let engine = self.engine;
        let clocks = SessionClocks(&engine);
        let now = clocks.now();
        let number = r.number();
        let [first, second, third, fourth, ..] = r.arguments();
        match number {
            libc::SYS_alarm => {
                let (left, _) = self.set_alarm(process, timer::alarm(first as u32), Span::ZERO);
                return Ok(Some(alarm_seconds(left) as i64));
            }
            libc::SYS_setitimer | libc::SYS_getitimer if first as i32 != libc::ITIMER_REAL => {
                return Ok(None);
            }
            libc::SYS_setitimer => {
                // No value is a zero, on Linux.
                let new = if second == 0 { [0; 4] } else { memory.read::<[i64; 4]>(second)? };
                let Ok((value, interval)) = itimer(new) else { return Ok(Some(EINVAL)) };
                let (left, interval) = self.set_alarm(process, value, interval);
                if third != 0 {
                    memory.write(third, &itimerval(left, interval))?;
                }
                return Ok(Some(0));
            }
            libc::SYS_getitimer => {
                let (left, interval) = self.alarm_left(process, now);
                memory.write(second, &itimerval(left, interval))?;
                return Ok(Some(0));
            }
            _ => {}
        }
        let id = first as i32;
        let Some(timer) = self.table.get(process, id).filter(|_| id >= 0) else { return Ok(None) };
        match number {
            libc::SYS_timer_settime if third == 0 => Ok(None),
            libc::SYS_timer_settime => {
                let new = memory.read::<[i64; 4]>(third)?;
                let absolute = second & TIMER_ABSTIME != 0;
                let Ok(to) = timer::setting(new, absolute, timer.clock, &clocks) else {
                    return Ok(Some(EINVAL));
                };
                let before = itimerspec(timer.left(now), timer.expired.interval);
                let turn = self.table.next_turn();
                self.table.change(process, id, |timer| {
                    (timer.expired, timer.settable) = (to.or_stopped(), to.settable);
                    (timer.sent, timer.overruns, timer.turn) = (false, (0, 0), turn);
                });
                if fourth != 0 {
                    memory.write(fourth, &before)?;
                }
                Ok(Some(0))
            }
            libc::SYS_timer_gettime => {
                memory.write(second, &itimerspec(timer.left(now), timer.expired.interval))?;
                Ok(Some(0))
            }
            libc::SYS_timer_getoverrun => {
                if timer.sent && !timer.pending(process) {
                    // Taken by a read of a signalfd, or ignored.
                    self.timer_taken(process, id);
                }
                Ok(self.table.get(process, id).map(|timer| timer.overruns.1 as i64))
            }
            libc::SYS_timer_delete => {
                self.table.remove(process, id);
                Ok(None)
            }
            _ => Ok(None),
        }
    }

    /// Sets ITIMER_REAL; what was left, zero if it was not set, and the former interval.
    fn set_alarm(&mut self, process: pid_t, value: Span, interval: Span) -> (Span, Span) {
        let now = SessionClocks(&self.engine).now();
        let before = self.alarm_left(process, now);
        self.table.remove(process, ITIMER);
        if !value.is_zero() {
            let expired = Expired { first: now.after(value), interval };
            let turn = self.table.next_turn();
            self.table.add(process, Timer { turn, ..Timer::alarm(expired) });
        }
        before
    }

    /// What is left of ITIMER_REAL, and its interval.
    fn alarm_left(&self, process: pid_t, now: Instant) -> (Span, Span) {
        let alarm = self.table.get(process, ITIMER);
        alarm.map_or_else(Default::default, |alarm| (alarm.left(now), alarm.expired.interval))
    }

    /// timer_create(2) has been answered.
    pub fn made(
        &mut self,
        tracees: &Tracees,
        stopped: &Stopped,
        made: Timer,
        at: u64,
    ) -> Result<(), Failed> {
        let tid = stopped.tid();
        let done = stopped.registers()?.answer() == 0;
        if let (true, Ok(id)) = (done, Memory(tid).read::<u32>(at)) {
            let id = id as i32;
            let value = if made.value == ITS_NUMBER { id as u64 } else { made.value };
            self.table.add(tracees.threads[&tid].process, Timer { id, value, ..made });
        }
        Ok(())
    }

    /// A signal is about to be delivered to a thread of the process, or rt_sigtimedwait(2) has
    /// taken it: if it is a timer's, `info` is to say what the kernel's would. True if that has
    /// changed it.
    pub fn taken(&mut self, process: pid_t, info: &mut SignalInfo) -> bool {
        let Some(id) = info.timer() else { return false };
        let Some(overruns) = self.timer_taken(process, id) else { return false };
        info.set_overrun(overruns);
        if id == ITIMER {
            info.become_alarm();
        }
        true
    }

    /// The signal of timer `id` of the process is taken: its overruns.
    fn timer_taken(&mut self, process: pid_t, id: i32) -> Option<i32> {
        let now = SessionClocks(&self.engine).now();
        self.table.change(process, id, |timer| {
            timer.overrun(now);
            (timer.sent, timer.overruns) = (false, (0, timer.overruns.0));
            timer.overruns.1
        })
    }

    /// rt_sigtimedwait(2) has taken signal `number`, and `at` is what it says of it, if anything.
    pub fn signal_taken(&mut self, tracees: &Tracees, tid: pid_t, number: i32, at: u64) {
        let Some(process) = tracees.threads.get(&tid).map(|thread| thread.process) else { return };
        if at != 0 {
            let Ok(mut info) = Memory(tid).read::<SignalInfo>(at) else { return };
            if self.table.has(process) && self.taken(process, &mut info)
                || self.taken_in_line(&mut info)
            {
                // It was written a moment ago.
                let _ = Memory(tid).write(at, &info);
            }
        } else {
            for id in self.table.told_by(process, number) {
                if !self.table.get(process, id).is_some_and(|timer| timer.pending(process)) {
                    self.timer_taken(process, id);
                }
            }
        }
    }

    /// A program with the library takes the signal of one of its timers by a call that the library
    /// does not see: what that would have said. True if it is such a signal.
    fn taken_in_line(&self, info: &mut SignalInfo) -> bool {
        let [first, interval] = [EXPIRED, EXPIRED + 2].map(|at| info.double_word(at));
        let ours = info.timer().is_some() && first != 0;
        if ours {
            let (first, interval) = (Instant::from_ns(first), Span::from_ns(interval));
            let now = SessionClocks(&self.engine).now();
            info.set_overrun(Expired { first, interval }.overrun(now));
        }
        ours
    }
}

/// In the place of the value of a timer without an event, which is its number.
const ITS_NUMBER: u64 = u64::MAX;

/// The timer that timer_create(2) is about to make, without its number; `None` if it is for the
/// kernel alone.
fn new_timer(memory: Memory, r: &Registers) -> Option<Timer> {
    let [clock, event, ..] = r.arguments();
    let clock = clock as i32;
    if !is_virtual(clock) {
        return None;
    }
    if event == 0 {
        return Some(Timer::new(0, clock, Notify::Process(libc::SIGALRM), ITS_NUMBER));
    }
    let value = memory.read::<u64>(event).ok()?;
    let [kind, thread] = memory.read::<[u64; 2]>(event + 8).ok()?;
    let number = kind as i32;
    let notify = match (kind >> 32) as i32 {
        libc::SIGEV_NONE => Notify::Nobody,
        libc::SIGEV_THREAD_ID => Notify::Thread(number, from_inside(memory.0, thread as pid_t)),
        _ => Notify::Process(number),
    };
    Some(Timer::new(0, clock, notify, value))
}
