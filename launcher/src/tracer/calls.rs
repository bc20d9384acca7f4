//! The life of a call that stops: before it is made, and when it is done.

use super::policy::call::{Call, Do};
use super::policy::thread::{Before, Doing, Then};
use super::policy::verdict::decide;
use super::policy::waits::Done;
use super::policy::{clock_calls, privileges, timerfd};
use super::ptrace::failed::Failed;
use super::ptrace::memory::Memory;
use super::ptrace::wait::Stopped;
use super::spin::clock_reads::clock_read;
use super::state::Tracer;
use engine::WaitKind;
use engine::arch::call_table::row;
use engine::region::holds::UNSEEN_SOCKETS;
use engine::verdict::Verdict;
use std::sync::atomic::Ordering::SeqCst;

impl Tracer {
    /// Before a call that the filter stops.
    pub fn call(&mut self, stopped: Stopped) -> Result<(), Failed> {
        let tid = stopped.tid();
        let engine = self.engine;
        let regs = stopped.registers()?;
        let verdict = row(regs.number() as u64).map(|row| row.verdict);
        let tracees = &mut self.tracees;
        if tracees.process_of(tid).is_some_and(|process| process.outside) {
            return tracees.go(stopped, 0);
        }
        if tracees.is_the_kernels(&self.kit, tid, &regs, verdict) {
            return tracees.go(stopped, 0);
        }
        if privileges::must_keep(tracees, tid, &regs, verdict) {
            return privileges::put_off(tracees, stopped, regs);
        }
        let Some(thread) = tracees.threads.get_mut(&tid) else { return Ok(()) };
        if verdict == Some(Verdict::Timer) && thread.slot.is_some() {
            return match regs.number() {
                libc::SYS_timerfd_create
                | libc::SYS_timerfd_settime
                | libc::SYS_timerfd_gettime => timerfd::call(tracees, stopped, &regs),
                _ => self.timers.call(tracees, stopped, &regs),
            };
        }
        if matches!(regs.number(), libc::SYS_read | libc::SYS_readv) {
            let fd = regs.argument(0) as i32;
            if let Some(timer) = timerfd::timer_to_read(tracees, tid, fd) {
                return timerfd::read_call(tracees, stopped, fd, timer);
            }
        }
        let Some(thread) = tracees.threads.get_mut(&tid) else { return Ok(()) };
        let process = thread.process;
        let beats = thread.slot.is_some_and(|me| engine.page.slots[me].is_runtime_tick());
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
            regs.number(),
            libc::SYS_clock_gettime | libc::SYS_gettimeofday | libc::SYS_time
        );
        if reads {
            self.spinners.reads_clock(tid);
        }
        if reads && engine.frozen() && matches!(done, Do::Answer(_)) {
            clock_read(&mut self.spinners, tracees, &mut self.waits, tid, &regs);
        } else if let Some(process) = tracees.processes.get_mut(&process).filter(|_| !beats) {
            process.reads = 0;
        }
        if verdict == Some(Verdict::SetClock) {
            self.timers.keep_time();
        }
        match done {
            Do::Pass => {
                if matches!(verdict, Some(Verdict::Confines(_))) {
                    tracees.processes.entry(process).and_modify(|process| process.confined = true);
                }
                if regs.number() == libc::SYS_socket {
                    engine.page.hold(UNSEEN_SOCKETS);
                }
                let then = match verdict {
                    Some(Verdict::Socket(_)) => Some(Then::Socket),
                    Some(Verdict::Traces) => Some(Then::Traces),
                    Some(Verdict::Uptime) => Some(Then::Uptime(regs.argument(0))),
                    _ if regs.number() == libc::SYS_rt_sigtimedwait => {
                        Some(Then::SignalTaken(regs.argument(1)))
                    }
                    _ => None,
                };
                if let Some(then) = then {
                    tracees.set_doing(tid, Doing::Then(then));
                }
                tracees.go(stopped, 0)
            }
            Do::Answer(answer) => tracees.answer(stopped, answer),
            Do::Wait(wait) if again.is_none() && wait.only_asks(&engine) => tracees.go(stopped, 0),
            Do::Wait(wait) if tracees.is_of_library(tid) => {
                self.waits.wait_of_library(tracees, stopped, wait)
            }
            Do::Wait(mut wait) => {
                let go = tracees.processes.get(&process).is_some_and(|process| process.go);
                if go && wait.is_runtime_tick(&engine) {
                    wait.what = WaitKind::RuntimeTick;
                }
                let over = wait.deadline <= engine.now();
                if !over {
                    // A thread that waits asks no more.
                    self.spinners.look_away(tracees, tid);
                }
                let slot = tracees.threads.get(&tid).and_then(|thread| thread.slot);
                self.spinners.waits_too_late(tracees, tid, over);
                match slot {
                    Some(me) if wait.sleep => self.waits.sleep(tracees, stopped, me, wait),
                    Some(me) => self.waits.wait(tracees, stopped, me, wait),
                    None => tracees.go(stopped, 0),
                }
            }
            Do::Change(changed, word) => {
                stopped.set_registers(&changed)?;
                tracees.set_doing(tid, Doing::Changed(Box::new(Before { registers: regs, word })));
                tracees.go(stopped, 0)
            }
        }
    }

    /// After a call that waited or was changed.
    pub fn call_done(&mut self, stopped: Stopped) -> Result<(), Failed> {
        let (tid, engine, tracees) = (stopped.tid(), self.engine, &mut self.tracees);
        let Some(thread) = tracees.threads.get_mut(&tid) else { return Ok(()) };
        let slot = thread.slot;
        let stopped = match std::mem::replace(&mut thread.doing, Doing::Runs) {
            Doing::Waits(wait) => {
                self.waits.left(&wait);
                let Some(me) = slot else { return tracees.go(stopped, 0) };
                return match self.waits.done(tracees, &mut self.timers, stopped, me, wait)? {
                    Done::TimedOut(stopped) => self.spinners.at_call(tracees, stopped),
                    Done::GoesOn => Ok(()),
                };
            }
            Doing::Changed(before) => {
                let mut regs = stopped.registers()?;
                regs.set_arguments(before.registers.arguments());
                if let Some((at, word)) = before.word {
                    let _ = Memory(tid).write(at, &word);
                    clock_calls::adjusted(&engine, Memory(tid), &regs, at);
                }
                stopped.set_registers(&regs)?;
                stopped
            }
            Doing::Then(then) => match self.then(stopped, then)? {
                Some(stopped) => stopped,
                None => return Ok(()),
            },
            Doing::Runs => return self.spinners.at_call(tracees, stopped),
            doing => {
                thread.doing = doing;
                stopped
            }
        };
        self.tracees.go(stopped, 0)
    }

    /// What there is to be done after a call; `None` if the thread has gone on.
    fn then(&mut self, stopped: Stopped, then: Then) -> Result<Option<Stopped>, Failed> {
        let (tid, engine, tracees) = (stopped.tid(), self.engine, &mut self.tracees);
        match then {
            Then::TimerMade(timer, at) => self.timers.made(tracees, &stopped, timer, at)?,
            Then::TimerFdMade(clock) => {
                return timerfd::made(tracees, &self.kit, stopped, clock).map(Some);
            }
            Then::TimerRead(index) => timerfd::read_done(tracees, &stopped, index)?,
            Then::Socket => {
                return self.sockets.changed(tracees, &self.kit, stopped).map(Some);
            }
            Then::Uptime(at) => clock_calls::uptime(&engine, &stopped, at)?,
            Then::Traces => {
                if stopped.registers()?.answer() == -(libc::EPERM as i64) {
                    let process = tracees.threads[&tid].process as u32;
                    engine.page.header.tracing_refused.store(process, SeqCst);
                }
            }
            Then::Keeps(number) => {
                privileges::keep(tracees, &self.kit, stopped, number)?;
                return Ok(None);
            }
            Then::SignalTaken(at) => {
                let number = stopped.registers()?.answer();
                if number > 0 {
                    self.timers.signal_taken(tracees, tid, number as i32, at);
                }
            }
        }
        Ok(Some(stopped))
    }
}
