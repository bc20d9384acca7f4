//! Timers of traced processes that end in a signal: alarm(2), setitimer(2), timer_create(2).
//!
//! The tracer keeps them ([`crate::tracer::policy::timer_table`]) and tells of them ([`crate::tracer::policy::timer_expiry`]). Each of
//! timer_create(2) is also a timer of the kernel, never armed: it gives the number, checks the
//! arguments, and counts against the user's limit.
//!
//! As in the kernel a timer has one signal under way at most, and expirations meanwhile are its
//! overruns. How many there were is written into the signal where it is taken: by a handler, or by
//! rt_sigtimedwait(2). Both stop for the tracer. For signalfd(2) nothing stops, so there the number
//! is that of the first expiration.

use crate::tracer::event_loop::Tracer;
use crate::tracer::policy::timer_table::{Notify, Timer};
use crate::tracer::policy::tracees::{Doing, Then};
use crate::tracer::policy::wait::deadline;
use crate::tracer::ptrace::memory::{Fault, Memory};
use crate::tracer::ptrace::stop::{Failed, Stopped};
use engine::expired::Expired;
use libc::{c_long, pid_t, user_regs_struct};
use posix::clock::{is_time_of_day, is_virtual};
use posix::time::{NEVER, Spec, whole_seconds};

/// Number of ITIMER_REAL: no timer of timer_create(2) has it.
pub const ITIMER: i32 = -2;
/// `si_code` of a signal that the kernel itself sends.
const SI_KERNEL: i32 = 0x80;

/// A `siginfo_t` as far as timers have to do with it: number, error, code, nothing, timer, overrun,
/// value.
pub type Info = [i32; 32];
/// Its first field.
pub const NUMBER: usize = 0;
/// Who has sent it.
pub const CODE: usize = 2;
/// Which timer it is of.
pub const TIMER: usize = 4;
/// How often it has expired besides.
pub const OVERRUN: usize = 5;
/// Where the library writes [`Expired`] into its signals.
const EXPIRED: usize = 8;

impl Tracer {
    /// Before a call about a timer.
    pub(in crate::tracer) fn timer_call(
        &mut self,
        stopped: Stopped,
        regs: user_regs_struct,
    ) -> Result<(), Failed> {
        let tid = stopped.tid();
        let process = self.threads[&tid].process;
        if matches!(
            regs.orig_rax as c_long,
            libc::SYS_timerfd_create | libc::SYS_timerfd_settime | libc::SYS_timerfd_gettime
        ) {
            return self.timerfd_call(stopped, regs);
        }
        if regs.orig_rax as c_long == libc::SYS_timer_create {
            if let Some(made) = new_timer(Memory(tid), &regs) {
                self.threads
                    .entry(tid)
                    .and_modify(|t| t.doing = Doing::Then(Then::TimerMade(made, regs.rdx)));
            }
            return self.go(stopped, 0);
        }
        let answer =
            self.timer_answer(process, Memory(tid), &regs).unwrap_or(Some(-(libc::EFAULT as i64)));
        // Before it goes on: a deadline must be known when it sleeps.
        self.keep_time();
        match answer {
            Some(answer) => self.answer(stopped, answer),
            None => self.go(stopped, 0),
        }
    }

    /// The answer to a call about one of the process's timers; `None` if it is for the kernel to
    /// answer.
    fn timer_answer(
        &mut self,
        process: pid_t,
        memory: Memory,
        r: &user_regs_struct,
    ) -> Result<Option<i64>, Fault> {
        const EINVAL: i64 = -(libc::EINVAL as i64);
        let now = self.engine.now();
        let number = r.orig_rax as c_long;
        match number {
            libc::SYS_alarm => {
                let seconds = (r.rdi as u32).min(i32::MAX as u32) as u64;
                let (left, _) = self.set_alarm(process, seconds * 1_000_000_000, 0);
                return Ok(Some(whole_seconds(left) as i64));
            }
            libc::SYS_setitimer | libc::SYS_getitimer if r.rdi as i32 != libc::ITIMER_REAL => {
                return Ok(None);
            }
            libc::SYS_setitimer => {
                // No value is a zero, on Linux.
                let new = if r.rsi == 0 { [0; 4] } else { memory.read::<[i64; 4]>(r.rsi)? };
                let [Some(interval), Some(value)] =
                    [micros(new[0], new[1]), micros(new[2], new[3])]
                else {
                    return Ok(Some(EINVAL));
                };
                let before = self.set_alarm(process, value, interval);
                if r.rdx != 0 {
                    memory.write(r.rdx, &as_itimerval(before))?;
                }
                return Ok(Some(0));
            }
            libc::SYS_getitimer => {
                let alarm = self
                    .timers
                    .get(process, ITIMER)
                    .map_or((0, 0), |alarm| (alarm.left(now), alarm.interval));
                memory.write(r.rsi, &as_itimerval(alarm))?;
                return Ok(Some(0));
            }
            _ => {}
        }
        let engine = self.engine;
        let id = r.rdi as i32;
        let Some(timer) = self.timers.get(process, id).filter(|_| id >= 0) else { return Ok(None) };
        match number {
            libc::SYS_timer_settime if r.rdx == 0 => Ok(None),
            libc::SYS_timer_settime => {
                let [interval, interval_part, sec, nsec] = memory.read::<[i64; 4]>(r.rdx)?;
                let (value, interval) =
                    (Spec { sec, nsec }, Spec { sec: interval, nsec: interval_part });
                let (Some(ns), Some(interval)) = (value.nanos(), interval.nanos()) else {
                    return Ok(Some(EINVAL));
                };
                let absolute = r.rsi as i32 & libc::TIMER_ABSTIME != 0;
                let before = as_itimerspec(timer.left(now), timer.interval);
                let turn = self.timers.next_turn();
                self.timers.change(process, id, |timer| {
                    timer.deadline = match (ns, absolute) {
                        (0, _) => NEVER,
                        (_, true) => deadline(&engine, timer.clock, value).unwrap_or(NEVER),
                        (_, false) => now.saturating_add(ns).min(NEVER - 1),
                    };
                    timer.interval = if ns == 0 { 0 } else { interval };
                    timer.settable = absolute && is_time_of_day(timer.clock);
                    (timer.sent, timer.overruns, timer.turn) = (false, (0, 0), turn);
                });
                if r.r10 != 0 {
                    memory.write(r.r10, &before)?;
                }
                Ok(Some(0))
            }
            libc::SYS_timer_gettime => {
                memory.write(r.rsi, &as_itimerspec(timer.left(now), timer.interval))?;
                Ok(Some(0))
            }
            libc::SYS_timer_getoverrun => {
                if timer.sent && !timer.pending(process) {
                    // Taken by a read of a signalfd, or ignored.
                    self.timer_taken(process, id);
                }
                Ok(self.timers.get(process, id).map(|timer| timer.overruns.1 as i64))
            }
            libc::SYS_timer_delete => {
                self.timers.remove(process, id);
                Ok(None)
            }
            _ => Ok(None),
        }
    }

    /// Sets ITIMER_REAL; what was left, 0 if it was not set, and the former interval.
    fn set_alarm(&mut self, process: pid_t, value: u64, interval: u64) -> (u64, u64) {
        let now = self.engine.now();
        let before = self.timers.remove(process, ITIMER);
        if value != 0 {
            let deadline = now.saturating_add(value).min(NEVER - 1);
            let turn = self.timers.next_turn();
            self.timers.add(process, Timer { turn, ..Timer::alarm(deadline, interval) });
        }
        before.map_or((0, 0), |alarm| (alarm.left(now), alarm.interval))
    }

    /// timer_create(2) has been answered.
    pub(in crate::tracer) fn timer_made(
        &mut self,
        stopped: &Stopped,
        made: Timer,
        at: u64,
    ) -> Result<(), Failed> {
        let tid = stopped.tid();
        let done = stopped.registers()?.rax == 0;
        if let (true, Ok(id)) = (done, Memory(tid).read::<u32>(at)) {
            let id = id as i32;
            let value = if made.value == ITS_NUMBER { id as u64 } else { made.value };
            let process = self.threads[&tid].process;
            self.timers.add(process, Timer { id, value, ..made });
        }
        Ok(())
    }

    /// A signal is about to be delivered to the thread, or was taken by rt_sigtimedwait(2): if it
    /// is a timer's, `info` is to say what the kernel's would. True if that has changed it.
    pub(in crate::tracer) fn taken(&mut self, tid: pid_t, info: &mut Info) -> bool {
        if info[CODE] != libc::SI_TIMER {
            return false;
        }
        let id = info[TIMER];
        let Some(overruns) = self.timer_taken(self.threads[&tid].process, id) else { return false };
        info[OVERRUN] = overruns;
        if id == ITIMER {
            info[CODE] = SI_KERNEL;
            info[TIMER..].fill(0);
        }
        true
    }

    /// The signal of timer `id` of the process is taken: its overruns.
    fn timer_taken(&mut self, process: pid_t, id: i32) -> Option<i32> {
        let now = self.engine.now();
        self.timers.change(process, id, |timer| {
            timer.overrun(now);
            (timer.sent, timer.overruns) = (false, (0, timer.overruns.0));
            timer.overruns.1
        })
    }

    /// Does the process have timers at all?
    pub(in crate::tracer) fn has_timers(&self, tid: pid_t) -> bool {
        self.threads.get(&tid).is_some_and(|thread| self.timers.has(thread.process))
    }

    /// rt_sigtimedwait(2) has taken signal `number`, and `at` is what it says of it, if anything.
    pub(in crate::tracer) fn signal_taken(&mut self, tid: pid_t, number: i32, at: u64) {
        if at != 0 {
            let Ok(mut info) = Memory(tid).read::<Info>(at) else { return };
            if self.has_timers(tid) && self.taken(tid, &mut info) || self.taken_in_line(&mut info) {
                // It was written a moment ago.
                let _ = Memory(tid).write(at, &info);
            }
        } else if self.has_timers(tid) {
            let process = self.threads[&tid].process;
            for id in self.timers.told_by(process, number) {
                if !self.timers.get(process, id).is_some_and(|timer| timer.pending(process)) {
                    self.timer_taken(process, id);
                }
            }
        }
    }

    /// A program with the library takes the signal of one of its timers by a call that the library
    /// does not see: what that would have said. True if it is such a signal.
    fn taken_in_line(&self, info: &mut Info) -> bool {
        let [first, interval] = [EXPIRED, EXPIRED + 2]
            .map(|at| info[at] as u32 as u64 | (info[at + 1] as u32 as u64) << 32);
        let ours = info[CODE] == libc::SI_TIMER && first != 0;
        if ours {
            info[OVERRUN] = Expired { first, interval }.overrun(self.engine.now());
        }
        ours
    }
}

/// In the place of the value of a timer without an event, which is its number.
const ITS_NUMBER: u64 = u64::MAX;

/// The timer that timer_create(2) is about to make, without its number; `None` if it is for the
/// kernel alone.
fn new_timer(memory: Memory, r: &user_regs_struct) -> Option<Timer> {
    let clock = r.rdi as i32;
    if !is_virtual(clock) {
        return None;
    }
    if r.rsi == 0 {
        return Some(Timer::new(0, clock, Notify::Process(libc::SIGALRM), ITS_NUMBER));
    }
    let value = memory.read::<u64>(r.rsi).ok()?;
    let [event, thread] = memory.read::<[u64; 2]>(r.rsi + 8).ok()?;
    let number = event as i32;
    let notify = match (event >> 32) as i32 {
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
