//! The life of a call that stops: before it is made, while it waits, when it is done.

use crate::patience::ATTENTION;
use crate::session::real_now;
use crate::tracer::event_loop::{Tracer, pending, status};
use crate::tracer::policy::tracees::{Before, Doing, Then};
use crate::tracer::policy::verdict::{Do, adjusted, decide, uptime};
use crate::tracer::policy::wait::{Call, Wait};
use crate::tracer::ptrace::memory::Memory;
use crate::tracer::ptrace::stop::{Failed, Stopped};
use engine::programs::verdicts::{Verdict, row};
use engine::region::slot::Slot;
use engine::{Kind, Page, Reason, What};
use libc::{c_long, pid_t, user_regs_struct};
use posix::errno::{Errno, RESTART_WITHOUT_HANDLER, interrupted};
use std::mem::offset_of;
use std::sync::atomic::Ordering::SeqCst;

impl Tracer {
    /// Before a call that the filter stops.
    pub(in crate::tracer) fn call(&mut self, stopped: Stopped) -> Result<(), Failed> {
        let tid = stopped.tid();
        let engine = self.engine;
        let regs = stopped.registers()?;
        let verdict = row(regs.orig_rax).map(|row| row.verdict);
        if self.is_the_kernels(tid, &regs, verdict) {
            return self.go(stopped, 0);
        }
        if self.is_to_keep(tid, &regs, verdict) {
            return self.put_off(stopped, regs);
        }
        let Some(thread) = self.threads.get_mut(&tid) else { return Ok(()) };
        if verdict == Some(Verdict::Timer) && thread.slot.is_some() {
            return self.timer_call(stopped, regs);
        }
        let reads = matches!(regs.orig_rax as c_long, libc::SYS_read | libc::SYS_readv);
        if let Some((me, index)) = reads.then(|| self.read_timer(tid, regs.rdi as i32)).flatten() {
            return self.read_call(stopped, regs, me, index);
        }
        let Some(thread) = self.threads.get_mut(&tid) else { return Ok(()) };
        let process = thread.process;
        let beats = thread.slot.is_some_and(|me| engine.page.slots[me].beats());
        let again = thread.again.take().filter(|wait| wait.is(&regs));
        let call = Call {
            engine: &engine,
            memory: Memory(tid),
            regs: &regs,
            again: again.as_deref(),
            beats,
        };
        let done = decide(&call, process);
        let reads = matches!(
            regs.orig_rax as c_long,
            libc::SYS_clock_gettime | libc::SYS_gettimeofday | libc::SYS_time
        );
        if reads
            && let Some(asks) = self.threads.get_mut(&tid).and_then(|thread| thread.asks.as_mut())
        {
            asks.reads_clock();
        }
        if reads && engine.frozen() && matches!(done, Do::Answer(_)) {
            self.clock_read(tid, &regs);
        } else if let Some(process) = self.processes.get_mut(&process).filter(|_| !beats) {
            process.reads = 0;
        }
        if verdict == Some(Verdict::SetClock) {
            self.keep_time();
        }
        match done {
            Do::Pass => {
                if matches!(verdict, Some(Verdict::Confines(_))) {
                    self.processes.entry(process).and_modify(|process| process.confined = true);
                }
                let then = match verdict {
                    Some(Verdict::Socket(_)) => Some(Then::Socket),
                    Some(Verdict::Traces) => Some(Then::Traces),
                    Some(Verdict::Uptime) => Some(Then::Uptime(regs.rdi)),
                    _ if regs.orig_rax as c_long == libc::SYS_rt_sigtimedwait => {
                        Some(Then::SignalTaken(regs.rsi))
                    }
                    _ => None,
                };
                if let Some(then) = then {
                    self.set_doing(tid, Doing::Then(then));
                }
                self.go(stopped, 0)
            }
            Do::Answer(answer) => self.answer(stopped, answer),
            Do::Wait(wait) if again.is_none() && wait.only_asks(&engine) => self.go(stopped, 0),
            Do::Wait(wait) if self.is_of_library(tid) => self.wait_of_library(stopped, wait),
            Do::Wait(mut wait) => {
                if self.processes.get(&process).is_some_and(|process| process.go)
                    && wait.beats(&engine)
                {
                    wait.what = What::Beat;
                }
                match self.begins(tid, wait.deadline) {
                    Some(me) if wait.sleep => self.sleep(stopped, me, wait),
                    Some(me) => self.wait(stopped, me, wait),
                    None => self.go(stopped, 0),
                }
            }
            Do::Change(changed, word) => {
                stopped.set_registers(&changed)?;
                self.set_doing(tid, Doing::Changed(Box::new(Before { registers: regs, word })));
                self.go(stopped, 0)
            }
        }
    }

    /// The slot of a thread that is about to wait until `deadline`. Unless that has come it asks no
    /// more.
    fn begins(&mut self, tid: pid_t, deadline: u64) -> Option<usize> {
        let over = deadline <= self.engine.now();
        if !over {
            self.look_away(tid);
        }
        let slot = self.threads[&tid].slot;
        self.waits_too_late(tid, over);
        slot
    }

    fn set_doing(&mut self, tid: pid_t, doing: Doing) {
        if let Some(thread) = self.threads.get_mut(&tid) {
            thread.doing = doing;
        }
    }

    /// The call is not made.
    pub(in crate::tracer) fn answer(
        &mut self,
        stopped: Stopped,
        answer: i64,
    ) -> Result<(), Failed> {
        stopped.answer(answer)?;
        self.together.answered(stopped.tid());
        self.goes(stopped, 0)
    }

    /// A sleep: over already, or the thread parks.
    fn sleep(&mut self, stopped: Stopped, me: usize, wait: Box<Wait>) -> Result<(), Failed> {
        let (engine, slot, tid) = (self.engine, self.slot(me), stopped.tid());
        let regs = wait.before;
        if engine.now() >= wait.deadline {
            return self.answer(stopped, 0);
        }
        let process = self.processes.get(&self.threads[&tid].process);
        if let Some(space) =
            process.filter(|process| process.confined).and_then(|process| process.space)
        {
            let wait = wait.for_ever(Memory(tid), space.for_ever);
            return self.wait(stopped, me, wait);
        }
        slot.what.store(wait.word(), SeqCst);
        self.let_keeper_look();
        let seq = engine.begin_wait(me);
        if engine.begin_park(me, seq, wait.deadline, false).is_err() {
            engine.resume(me, Kind::Foreign);
            return self.answer(stopped, 0);
        }
        engine.arm(wait.deadline, engine.now());
        wait.begun(&engine, me);
        let space = process.and_then(|process| process.space);
        let state = slot.state.load();
        let word = space.map_or(0, |space| space.region)
            + (offset_of!(Page, slots) + me * size_of::<Slot>()) as u64;
        let parked = if state.kind() == Kind::Parked { state.0 } else { !state.0 };
        let futex = user_regs_struct {
            orig_rax: libc::SYS_futex as u64,
            rdi: word + offset_of!(Slot, state) as u64,
            rsi: libc::FUTEX_WAIT as u64,
            rdx: parked as u64,
            r10: 0,
            ..regs
        };
        stopped.set_registers(&futex)?;
        self.set_doing(tid, Doing::Waits(wait));
        self.go(stopped, 0)
    }

    /// The keeper has the clock's lock while it looks around, which is a matter of microseconds. A
    /// thread that is parked because of that has to be woken again, which takes much longer than to
    /// let it have done.
    fn let_keeper_look(&self) {
        let until = real_now() + ATTENTION.ns();
        while self.engine.page.header.clock.holder().is_some() && real_now() < until {
            std::hint::spin_loop();
        }
    }

    /// A wait that the kernel ends, or the tracer at its deadline.
    pub(in crate::tracer) fn wait(
        &mut self,
        stopped: Stopped,
        me: usize,
        wait: Box<Wait>,
    ) -> Result<(), Failed> {
        stopped.set_registers(&wait.during)?;
        if self.threads[&stopped.tid()].asks.is_none() {
            self.slot(me).what.store(wait.word(), SeqCst);
        }
        self.engine.enter_kernel_stopped(me, wait.deadline);
        wait.begun(&self.engine, me);
        self.set_doing(stopped.tid(), Doing::Waits(wait));
        self.expiring += 1;
        self.go(stopped, 0)?;
        self.engine.looked_for(me);
        Ok(())
    }

    /// Interrupts those whose deadline has come.
    pub(in crate::tracer) fn expire(&mut self) {
        if self.expiring == 0 {
            return;
        }
        for thread in self.threads.values_mut() {
            let (Doing::Waits(wait), Some(me), Some(running)) =
                (&mut thread.doing, thread.slot, &thread.running)
            else {
                continue;
            };
            let waits = self.engine.page.slots[me].state.load().waits();
            if !wait.sleep && !wait.told && !waits {
                wait.told = true;
                let _ = running.interrupt();
            }
        }
    }

    /// After a call that waited or was changed.
    pub(in crate::tracer) fn call_done(&mut self, stopped: Stopped) -> Result<(), Failed> {
        let (tid, engine) = (stopped.tid(), self.engine);
        let Some(thread) = self.threads.get_mut(&tid) else { return Ok(()) };
        let slot = thread.slot;
        match std::mem::replace(&mut thread.doing, Doing::Runs) {
            Doing::Waits(wait) => {
                if !wait.sleep {
                    self.expiring -= 1;
                }
                match slot {
                    Some(me) => self.wait_done(stopped, me, wait),
                    None => self.go(stopped, 0),
                }
            }
            Doing::Changed(before) => {
                let mut regs = stopped.registers()?;
                arguments_of(&before.registers, &mut regs);
                if let Some((at, word)) = before.word {
                    let _ = Memory(tid).write(at, &word);
                    adjusted(&engine, Memory(tid), &regs, at);
                }
                stopped.set_registers(&regs)?;
                self.go(stopped, 0)
            }
            Doing::Then(Then::TimerMade(timer, at)) => {
                self.timer_made(&stopped, timer, at)?;
                self.go(stopped, 0)
            }
            Doing::Then(Then::TimerFdMade(clock)) => {
                let stopped = self.timerfd_made(stopped, clock)?;
                self.go(stopped, 0)
            }
            Doing::Then(Then::TimerRead(index)) => {
                self.timer_read(&stopped, index)?;
                self.go(stopped, 0)
            }
            Doing::Then(Then::Socket) => {
                let stopped = self.socket_changed(stopped)?;
                self.go(stopped, 0)
            }
            Doing::Then(Then::Uptime(at)) => {
                uptime(&engine, &stopped, at)?;
                self.go(stopped, 0)
            }
            Doing::Then(Then::Traces) => {
                if stopped.registers()?.rax as i64 == -(libc::EPERM as i64) {
                    let process = thread.process as u32;
                    engine.page.header.tracing_refused.store(process, SeqCst);
                }
                self.go(stopped, 0)
            }
            Doing::Then(Then::Keeps(number)) => self.keep(stopped, number),
            Doing::Then(Then::SignalTaken(at)) => {
                let number = stopped.registers()?.rax as i64;
                if number > 0 {
                    self.signal_taken(tid, number as i32, at);
                }
                self.go(stopped, 0)
            }
            Doing::Runs => self.has_asked(stopped),
            doing => {
                thread.doing = doing;
                self.go(stopped, 0)
            }
        }
    }

    /// A wait has been interrupted, and its deadline has come: is there a signal to be delivered as
    /// well? Then the kernel would say so. Else none is from now on that only the call's own mask
    /// lets in.
    fn signalled(&self, stopped: &Stopped, wait: &Wait) -> Result<bool, Failed> {
        let mask = wait.mask(Memory(stopped.tid()));
        if stopped.has_pending()? {
            let blocked = mask.map_or_else(|| stopped.mask(), Ok)?;
            if pending(stopped.tid()) & !blocked != 0 {
                return Ok(true);
            }
        }
        if mask.is_some() {
            stopped.set_mask(stopped.mask()?)?;
        }
        Ok(false)
    }

    fn wait_done(&mut self, stopped: Stopped, me: usize, wait: Box<Wait>) -> Result<(), Failed> {
        let (engine, slot, tid) = (self.engine, self.slot(me), stopped.tid());
        let mut regs = stopped.registers()?;
        let answer = regs.rax as i64;
        let signal =
            (wait.what == What::Signal && answer > 0).then_some((answer as i32, wait.before.rsi));
        arguments_of(&wait.before, &mut regs);
        regs.orig_rax = wait.before.orig_rax;
        let seen = slot.state.load();
        if wait.sleep && seen.waits() {
            engine.end_own(me, seen.seq(), Reason::Interrupted);
        }
        slot.deadline.store(posix::time::NEVER, SeqCst);
        let reason = engine.resume(me, self.threads[&tid].base);
        self.part(tid, me);
        let interrupted = interrupted(answer);
        let timed_out = reason == Reason::TimedOut
            && (wait.sleep || interrupted && !self.signalled(&stopped, &wait)?);
        self.woken.extend(timed_out.then_some(tid));
        let too_early = wait.what == What::Descriptor
            && reason != Reason::TimedOut
            && answer == wait.timed_out
            && engine.now() < wait.deadline;
        let once_more = timed_out && wait.early(&engine)
            || wait.sleep && !timed_out && !interrupted
            || too_early;
        if let Some(transfer) = wait.transfer.filter(|_| !once_more) {
            let answer = if timed_out { wait.timed_out } else { answer };
            return self.step_done(stopped, regs, (wait, transfer), answer);
        }
        if once_more {
            // The clock was set back meanwhile, or the word was woken for no reason: once more.
            regs.rax = regs.orig_rax;
            regs.rip -= SYSCALL;
            let absolute = wait.instant.is_some();
            self.threads.entry(tid).and_modify(|thread| thread.again = (!absolute).then_some(wait));
        } else if timed_out {
            regs.rax = wait.timed_out as u64;
            wait.clear_sets(Memory(tid));
            wait.write_left(&engine, Memory(tid), false);
        } else if interrupted && (wait.sleep || answer != Errno::EINTR.answer()) {
            // With a time-out it is EINTR after any handler, else once more.
            if wait.sleep || wait.without_restart(answer) {
                regs.rax = RESTART_WITHOUT_HANDLER as u64;
            }
            self.threads.entry(tid).and_modify(|thread| thread.again = Some(wait));
        } else {
            wait.write_left(&engine, Memory(tid), false);
            if interrupted {
                self.threads.entry(tid).and_modify(|thread| thread.again = Some(wait));
            }
        }
        if let Some((number, info)) = signal {
            self.signal_taken(tid, number, info);
        }
        stopped.set_registers(&regs)?;
        if timed_out { self.has_asked(stopped) } else { self.go(stopped, 0) }
    }
}

/// Length of the instruction.
pub const SYSCALL: u64 = 2;

/// The registers of a call's arguments are preserved by it.
fn arguments_of(before: &user_regs_struct, regs: &mut user_regs_struct) {
    (regs.rdi, regs.rsi, regs.rdx) = (before.rdi, before.rsi, before.rdx);
    (regs.r10, regs.r8, regs.r9) = (before.r10, before.r8, before.r9);
}

/// How often the thread has given up the processor by itself.
pub fn switches(tid: pid_t) -> u64 {
    of_status(tid, ["voluntary_ctxt_switches:"])[0]
}

/// Numbers in the thread's `status` file, 0 where there is none of that name. See proc(5).
pub fn of_status<const N: usize>(tid: pid_t, names: [&str; N]) -> [u64; N] {
    let status = status(tid);
    names.map(|name| {
        let number = status.lines().find_map(|line| line.strip_prefix(name));
        number.and_then(|number| number.trim().parse().ok()).unwrap_or(0)
    })
}
