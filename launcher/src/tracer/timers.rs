//! Timers of traced processes that end in a signal: alarm(2), setitimer(2), timer_create(2).
//!
//! The tracer keeps them, and parks a slot of its own until the earliest deadline, like the thread that serves the timers of
//! a process with the library: so time does not move on while it tells somebody. Each of timer_create(2) is also a timer of the
//! kernel, never armed: it gives the number, checks the arguments, and counts against the user's limit.
//!
//! As in the kernel a timer has one signal under way at most, and expirations meanwhile are its overruns. How many there were
//! is written into the signal where it is taken: by a handler, or by rt_sigtimedwait(2). Both stop for the tracer. For signalfd(2)
//! nothing stops, so there the number is that of the first expiration.

use super::memory::{Fault, Memory};
use super::run::{Tracer, in_set};
use super::stop::{Failed, Stopped};
use super::threads::{Doing, Then};
use super::waits::deadline;
use engine::clock::{is_realtime, is_virtual};
use engine::time::{NEVER, Spec, whole_seconds};
use engine::tracing::KEEPS_TIME;
use engine::{Engine, Kind, Reason, What};
use libc::{c_long, pid_t, user_regs_struct};
use std::sync::atomic::Ordering::SeqCst;

/// Number of ITIMER_REAL: no timer of timer_create(2) has it.
const ITIMER: i32 = -2;
/// `si_code` of a signal that the kernel itself sends.
const SI_KERNEL: i32 = 0x80;

/// Whom an expiration tells.
#[derive(Clone, Copy)]
enum Notify {
    /// Nobody (`SIGEV_NONE`).
    Nobody,
    /// The process.
    Process(i32),
    /// A thread of it, by its number.
    Thread(i32, pid_t),
}

/// A timer of a traced process.
#[derive(Clone)]
pub struct Timer {
    id: i32,
    clock: i32,
    notify: Notify,
    /// `sigev_value`.
    value: u64,
    /// Between expirations, virtual ns; 0 for one.
    interval: u64,
    /// The next expiration, absolute virtual ns.
    deadline: u64,
    /// The how many-eth setting of any timer it was: the earlier one expires first.
    turn: u64,
    /// Set to an instant of a clock that can be set.
    settable: bool,
    /// Its last signal may still be pending.
    sent: bool,
    /// Overruns of that signal, and of the one that was taken last.
    overruns: (i32, i32),
}

impl Timer {
    fn new(id: i32, clock: i32, notify: Notify, value: u64) -> Timer {
        Timer {
            id,
            clock,
            notify,
            value,
            interval: 0,
            deadline: NEVER,
            turn: 0,
            settable: false,
            sent: false,
            overruns: (0, 0),
        }
    }

    /// ITIMER_REAL, which survives exec(2): its next expiration and interval.
    pub fn alarm(deadline: u64, interval: u64) -> Timer {
        let notify = Notify::Process(libc::SIGALRM);
        Timer { deadline, interval, ..Timer::new(ITIMER, libc::CLOCK_MONOTONIC, notify, 0) }
    }

    /// See [`Timer::alarm`]; `None` for other timers, and one that is not set.
    pub fn as_alarm(&self) -> Option<(u64, u64)> {
        (self.id == ITIMER && self.deadline != NEVER).then_some((self.deadline, self.interval))
    }

    /// What is left until it expires next, ns; 0 if it does not.
    fn left(&self, now: u64) -> u64 {
        let silent = matches!(self.notify, Notify::Nobody);
        match (self.deadline, self.interval) {
            (NEVER, _) => 0,
            // It is about to be told of.
            (due, 0) if due <= now => !silent as u64,
            (due, interval) if due <= now => interval - (now - due) % interval,
            (due, _) => due - now,
        }
    }

    fn tells(&self) -> bool {
        !matches!(self.notify, Notify::Nobody)
    }
}

/// A `siginfo_t` as far as timers have to do with it: number, error, code, nothing, timer, overrun, value.
pub type Info = [i32; 32];
/// Its first field.
pub const NUMBER: usize = 0;
/// Who has sent it.
pub const CODE: usize = 2;
const TIMER: usize = 4;
const OVERRUN: usize = 5;

impl Tracer {
    /// Before a call about a timer.
    pub(super) fn timer_call(&mut self, stopped: Stopped, regs: user_regs_struct) -> Result<(), Failed> {
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
                self.threads.entry(tid).and_modify(|t| t.doing = Doing::Then(Then::TimerMade(made, regs.rdx)));
            }
            return self.go(stopped, 0);
        }
        let answer = self.timer_answer(process, Memory(tid), &regs).unwrap_or(Some(-(libc::EFAULT as i64)));
        // Before it goes on: a deadline must be known when it sleeps.
        self.keep_time();
        match answer {
            Some(answer) => self.answer(stopped, regs, answer),
            None => self.go(stopped, 0),
        }
    }

    /// The answer to a call about one of the process's timers; `None` if it is for the kernel to answer.
    fn timer_answer(&mut self, process: pid_t, memory: Memory, r: &user_regs_struct) -> Result<Option<i64>, Fault> {
        const EINVAL: i64 = -(libc::EINVAL as i64);
        let now = self.engine.now();
        let number = r.orig_rax as c_long;
        match number {
            libc::SYS_alarm => {
                let seconds = (r.rdi as u32).min(i32::MAX as u32) as u64;
                let (left, _) = self.set_alarm(process, seconds * 1_000_000_000, 0);
                return Ok(Some(whole_seconds(left) as i64));
            }
            libc::SYS_setitimer | libc::SYS_getitimer if r.rdi as i32 != libc::ITIMER_REAL => return Ok(None),
            libc::SYS_setitimer => {
                // No value is a zero, on Linux.
                let new = if r.rsi == 0 { [0; 4] } else { memory.read::<[i64; 4]>(r.rsi)? };
                let [Some(interval), Some(value)] = [micros(new[0], new[1]), micros(new[2], new[3])] else {
                    return Ok(Some(EINVAL));
                };
                let before = self.set_alarm(process, value, interval);
                if r.rdx != 0 {
                    memory.write(r.rdx, &as_itimerval(before))?;
                }
                return Ok(Some(0));
            }
            libc::SYS_getitimer => {
                let alarm = self.find(process, ITIMER).map_or((0, 0), |alarm| (alarm.left(now), alarm.interval));
                memory.write(r.rsi, &as_itimerval(alarm))?;
                return Ok(Some(0));
            }
            _ => {}
        }
        let engine = self.engine;
        let turn = self.next_turn();
        let id = r.rdi as i32;
        let Some(timer) = self.find(process, id).filter(|_| id >= 0) else { return Ok(None) };
        match number {
            libc::SYS_timer_settime if r.rdx == 0 => Ok(None),
            libc::SYS_timer_settime => {
                let [interval, interval_part, sec, nsec] = memory.read::<[i64; 4]>(r.rdx)?;
                let (value, interval) = (Spec { sec, nsec }, Spec { sec: interval, nsec: interval_part });
                let (Some(ns), Some(interval)) = (value.nanos(), interval.nanos()) else { return Ok(Some(EINVAL)) };
                let absolute = r.rsi as i32 & libc::TIMER_ABSTIME != 0;
                let before = as_itimerspec(timer.left(now), timer.interval);
                timer.deadline = match (ns, absolute) {
                    (0, _) => NEVER,
                    (_, true) => deadline(&engine, timer.clock, value).unwrap_or(NEVER),
                    (_, false) => now.saturating_add(ns).min(NEVER - 1),
                };
                timer.interval = if ns == 0 { 0 } else { interval };
                timer.settable = absolute && is_realtime(timer.clock);
                (timer.sent, timer.overruns, timer.turn) = (false, (0, 0), turn);
                if r.r10 != 0 {
                    memory.write(r.r10, &before)?;
                }
                Ok(Some(0))
            }
            libc::SYS_timer_gettime => {
                memory.write(r.rsi, &as_itimerspec(timer.left(now), timer.interval))?;
                Ok(Some(0))
            }
            libc::SYS_timer_getoverrun => Ok(Some(timer.overruns.1 as i64)),
            libc::SYS_timer_delete => {
                if let Some(process) = self.processes.get_mut(&process) {
                    process.timers.retain(|timer| timer.id != id);
                }
                Ok(None)
            }
            _ => Ok(None),
        }
    }

    fn find(&mut self, process: pid_t, id: i32) -> Option<&mut Timer> {
        self.processes.get_mut(&process)?.timers.iter_mut().find(|timer| timer.id == id)
    }

    fn next_turn(&mut self) -> u64 {
        self.turns += 1;
        self.turns
    }

    /// Sets ITIMER_REAL; what was left, 0 if it was not set, and the former interval.
    fn set_alarm(&mut self, process: pid_t, value: u64, interval: u64) -> (u64, u64) {
        let (now, turn) = (self.engine.now(), self.next_turn());
        let Some(process) = self.processes.get_mut(&process) else { return (0, 0) };
        let before = process.timers.iter().find(|timer| timer.id == ITIMER);
        let before = before.map_or((0, 0), |alarm| (alarm.left(now), alarm.interval));
        process.timers.retain(|timer| timer.id != ITIMER);
        if value != 0 {
            let deadline = now.saturating_add(value).min(NEVER - 1);
            process.timers.push(Timer { turn, ..Timer::alarm(deadline, interval) });
        }
        before
    }

    /// timer_create(2) has been answered.
    pub(super) fn timer_made(&mut self, stopped: &Stopped, made: Timer, at: u64) -> Result<(), Failed> {
        let tid = stopped.tid();
        let done = stopped.registers()?.rax == 0;
        if let (true, Ok(id)) = (done, Memory(tid).read::<u32>(at)) {
            let id = id as i32;
            let value = if made.value == ITS_NUMBER { id as u64 } else { made.value };
            let process = self.threads[&tid].process;
            self.processes.entry(process).and_modify(|p| p.timers.push(Timer { id, value, ..made }));
        }
        Ok(())
    }

    /// A signal is about to be delivered to the thread, or was taken by rt_sigtimedwait(2): if it is a timer's, `info` is to say
    /// what the kernel's would. True if that has changed it.
    pub(super) fn taken(&mut self, tid: pid_t, info: &mut Info) -> bool {
        if info[CODE] != libc::SI_TIMER {
            return false;
        }
        let process = self.threads[&tid].process;
        let Some(timer) = self.find(process, info[TIMER]) else { return false };
        (timer.sent, timer.overruns) = (false, (0, timer.overruns.0));
        info[OVERRUN] = timer.overruns.1;
        if timer.id == ITIMER {
            info[CODE] = SI_KERNEL;
            info[TIMER..].fill(0);
        }
        true
    }

    /// Does the process have timers at all?
    pub(super) fn has_timers(&self, tid: pid_t) -> bool {
        let process = self.threads.get(&tid).and_then(|thread| self.processes.get(&thread.process));
        process.is_some_and(|process| !process.timers.is_empty())
    }

    /// rt_sigtimedwait(2) has taken a signal, and `at` is what it says of it.
    pub(super) fn signal_taken(&mut self, tid: pid_t, at: u64) {
        if at == 0 || !self.has_timers(tid) {
            return;
        }
        if let Ok(mut info) = Memory(tid).read::<Info>(at)
            && self.taken(tid, &mut info)
        {
            // It was written a moment ago.
            let _ = Memory(tid).write(at, &info);
        }
    }

    /// Lets timers expire that are due, and parks until the next. Whoever changes a deadline calls it before the
    /// program goes on.
    pub(super) fn keep_time(&mut self) {
        self.follow_clock();
        let (engine, page) = (self.engine, self.engine.page);
        if self.keeps.is_none() && self.earliest() != NEVER {
            // SAFETY: no arguments.
            let tid = unsafe { libc::gettid() } as u32;
            self.keeps = page.claim(Kind::Busy, engine.pid, tid, 0);
            if let Some(me) = self.keeps {
                self.slot(me).tracer.store(KEEPS_TIME, SeqCst);
                self.slot(me).what.store(What::Timer as u32, SeqCst);
            }
        }
        let Some(me) = self.keeps else { return };
        let slot = self.slot(me);
        let mut due = false;
        loop {
            let state = slot.state.load();
            if state.waits() {
                if slot.deadline.load(SeqCst) == self.earliest() {
                    return;
                }
                if slot.state.promise(state.seq(), Reason::Woken).is_some() {
                    page.set_busy(me);
                }
                continue;
            }
            due |= state.reason() == Reason::TimedOut;
            // In frozen mode one at a time: the next when everybody is at rest again.
            while due && self.expire_one() {
                due = !engine.frozen();
            }
            due = false;
            let earliest = self.earliest();
            // Without a new one the former one would count on.
            slot.deadline.store(NEVER, SeqCst);
            let seq = slot.state.prepare();
            if engine.begin_park(me, seq, earliest, false).is_ok() {
                engine.arm(earliest, engine.now());
                return;
            }
        }
    }

    /// The earliest deadline that somebody is to be told of.
    fn earliest(&self) -> u64 {
        let timers = self.processes.values().flat_map(|process| &process.timers);
        timers.filter(|timer| timer.tells()).map(|timer| timer.deadline).min().unwrap_or(NEVER)
    }

    /// Lets the first of the timers that are due expire; false if none is.
    fn expire_one(&mut self) -> bool {
        let now = self.engine.now();
        let timers = self.processes.iter_mut().flat_map(|(&pid, p)| p.timers.iter_mut().map(move |timer| (pid, timer)));
        let due = timers.filter(|(_, timer)| timer.tells() && timer.deadline <= now);
        let Some((pid, timer)) = due.min_by_key(|(_, timer)| (timer.deadline, timer.turn)) else { return false };
        let missed = (now - timer.deadline).checked_div(timer.interval).unwrap_or(0);
        timer.deadline = match timer.interval {
            0 => NEVER,
            interval => timer.deadline.saturating_add(interval.saturating_mul(missed + 1)).min(NEVER - 1),
        };
        let missed = missed.min(i32::MAX as u64) as i32;
        let (number, thread) = match timer.notify {
            Notify::Process(number) => (number, None),
            Notify::Thread(number, tid) => (number, Some(tid)),
            Notify::Nobody => return true,
        };
        let pending = || thread.map_or(in_set(pid, "ShdPnd:", number), |tid| in_set(tid, "SigPnd:", number));
        if timer.sent && pending() {
            timer.overruns.0 = timer.overruns.0.saturating_add(missed).saturating_add(1);
        } else {
            (timer.sent, timer.overruns.0) = (true, missed);
            send(&self.engine, pid, thread, &signal(number, timer));
        }
        true
    }

    /// A clock was set: timers for an instant of it move.
    fn follow_clock(&mut self) {
        let shift = self.engine.page.shift();
        let ahead = shift.wrapping_sub(std::mem::replace(&mut self.shift, shift));
        let timers = self.processes.values_mut().flat_map(|process| &mut process.timers);
        for timer in timers.filter(|timer| ahead != 0 && timer.settable && timer.deadline != NEVER) {
            timer.deadline = timer.deadline.saturating_add_signed(ahead.saturating_neg()).min(NEVER - 1);
        }
    }
}

/// In the place of the value of a timer without an event, which is its number.
const ITS_NUMBER: u64 = u64::MAX;

/// The timer that timer_create(2) is about to make, without its number; `None` if it is for the kernel alone.
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

/// What says who sends it, as far as a process that is not the receiver may say so.
fn signal(number: i32, timer: &Timer) -> Info {
    let mut info = [0; 32];
    (info[NUMBER], info[CODE], info[TIMER], info[OVERRUN]) = (number, libc::SI_TIMER, timer.id, timer.overruns.0);
    (info[6], info[7]) = (timer.value as i32, (timer.value >> 32) as i32);
    info
}

/// Sends a signal to a process or one thread of it. Counted, like all that the session sends.
fn send(engine: &Engine, pid: pid_t, thread: Option<pid_t>, info: &Info) {
    let (sent, at) = (&engine.page.header.signals_sent, info.as_ptr());
    sent.fetch_add(1, SeqCst);
    // SAFETY: a siginfo_t of our own.
    unsafe {
        match thread {
            None => libc::syscall(libc::SYS_rt_sigqueueinfo, pid, info[NUMBER], at),
            Some(tid) => libc::syscall(libc::SYS_rt_tgsigqueueinfo, pid, tid, info[NUMBER], at),
        }
    };
    sent.fetch_add(1, SeqCst);
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
