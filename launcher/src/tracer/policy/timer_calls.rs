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
use super::virtual_clock::deadline;
use crate::tracer::arch::registers::Registers;
use crate::tracer::ptrace::failed::Failed;
use crate::tracer::ptrace::memory::{Fault, Memory};
use crate::tracer::ptrace::signal_info::SignalInfo;
use crate::tracer::ptrace::wait::Stopped;
use engine::expired::Expired;
use libc::pid_t;
use posix::clock::{is_time_of_day, is_virtual};
use posix::time::{NEVER, Spec, whole_seconds};

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
        const EINVAL: i64 = -(libc::EINVAL as i64);
        let now = self.engine.now();
        let number = r.number();
        let [first, second, third, fourth, ..] = r.arguments();
        match number {
            libc::SYS_alarm => {
                let seconds = (first as u32).min(i32::MAX as u32) as u64;
                let (left, _) = self.set_alarm(process, seconds * 1_000_000_000, 0);
                return Ok(Some(whole_seconds(left) as i64));
            }
            libc::SYS_setitimer | libc::SYS_getitimer if first as i32 != libc::ITIMER_REAL => {
                return Ok(None);
            }
            libc::SYS_setitimer => {
                // No value is a zero, on Linux.
                let new = if second == 0 { [0; 4] } else { memory.read::<[i64; 4]>(second)? };
                let [Some(interval), Some(value)] =
                    [micros(new[0], new[1]), micros(new[2], new[3])]
                else {
                    return Ok(Some(EINVAL));
                };
                let before = self.set_alarm(process, value, interval);
                if third != 0 {
                    memory.write(third, &as_itimerval(before))?;
                }
                return Ok(Some(0));
            }
            libc::SYS_getitimer => {
                let alarm = self
                    .table
                    .get(process, ITIMER)
                    .map_or((0, 0), |alarm| (alarm.left(now), alarm.interval));
                memory.write(second, &as_itimerval(alarm))?;
                return Ok(Some(0));
            }
            _ => {}
        }
        let engine = self.engine;
        let id = first as i32;
        let Some(timer) = self.table.get(process, id).filter(|_| id >= 0) else { return Ok(None) };
        match number {
            libc::SYS_timer_settime if third == 0 => Ok(None),
            libc::SYS_timer_settime => {
                let [interval, interval_part, sec, nsec] = memory.read::<[i64; 4]>(third)?;
                let (value, interval) =
                    (Spec { sec, nsec }, Spec { sec: interval, nsec: interval_part });
                let (Some(ns), Some(interval)) = (value.nanos(), interval.nanos()) else {
                    return Ok(Some(EINVAL));
                };
                let absolute = second as i32 & libc::TIMER_ABSTIME != 0;
                let before = as_itimerspec(timer.left(now), timer.interval);
                let turn = self.table.next_turn();
                self.table.change(process, id, |timer| {
                    timer.deadline = match (ns, absolute) {
                        (0, _) => NEVER,
                        (_, true) => deadline(&engine, timer.clock, value).unwrap_or(NEVER),
                        (_, false) => now.saturating_add(ns).min(NEVER - 1),
                    };
                    timer.interval = if ns == 0 { 0 } else { interval };
                    timer.settable = absolute && is_time_of_day(timer.clock);
                    (timer.sent, timer.overruns, timer.turn) = (false, (0, 0), turn);
                });
                if fourth != 0 {
                    memory.write(fourth, &before)?;
                }
                Ok(Some(0))
            }
            libc::SYS_timer_gettime => {
                memory.write(second, &as_itimerspec(timer.left(now), timer.interval))?;
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

    /// Sets ITIMER_REAL; what was left, 0 if it was not set, and the former interval.
    fn set_alarm(&mut self, process: pid_t, value: u64, interval: u64) -> (u64, u64) {
        let now = self.engine.now();
        let before = self.table.remove(process, ITIMER);
        if value != 0 {
            let deadline = now.saturating_add(value).min(NEVER - 1);
            let turn = self.table.next_turn();
            self.table.add(process, Timer { turn, ..Timer::alarm(deadline, interval) });
        }
        before.map_or((0, 0), |alarm| (alarm.left(now), alarm.interval))
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
        let now = self.engine.now();
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
            info.set_overrun(Expired { first, interval }.overrun(self.engine.now()));
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
        libc::SIGEV_THREAD_ID => Notify::Thread(number, thread as pid_t),
        _ => Notify::Process(number),
    };
    Some(Timer::new(0, clock, notify, value))
}

fn micros(sec: i64, usec: i64) -> Option<u64> {
    let nsec = (0..1_000_000).contains(&usec).then_some(usec * 1000)?;
    Spec { sec, nsec }.nanos()
}

fn as_itimerval((left, interval): (u64, u64)) -> [i64; 4] {
    // A timer that is still set shows a microsecond at least.
    let left = if left == 0 { 0 } else { left.max(1000) };
    let [interval, left] = [interval, left].map(Spec::from_nanos);
    [interval.sec, interval.nsec / 1000, left.sec, left.nsec / 1000]
}

/// `struct itimerspec`.
pub fn as_itimerspec(left: u64, interval: u64) -> [i64; 4] {
    let [interval, left] = [interval, left].map(Spec::from_nanos);
    [interval.sec, interval.nsec, left.sec, left.nsec]
}
