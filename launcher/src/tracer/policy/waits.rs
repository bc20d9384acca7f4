//! The waits of tracees: how one begins, is ended at its deadline, and what comes after it.
//!
//! A traced thread's slot says *foreign* while it runs, so the exact look tells whether it sleeps.
//! In a call with a time-out the tracer takes the time-out away, and the slot says *kernel* with a
//! deadline; when that has come the tracer interrupts the thread and gives it the answer of a
//! time-out. A sleep becomes a wait for the slot's own word, in which the thread parks like any
//! other.

use super::mmsg::step_done;
use super::thread::{Doing, Thread};
use super::timers::Timers;
use super::tracees::Tracees;
use super::wait::Wait;
use crate::patience::ATTENTION;
use crate::session::real_now;
use crate::tracer::ptrace::failed::Failed;
use crate::tracer::ptrace::memory::Memory;
use crate::tracer::ptrace::thread_status::{pending, runs_now};
use crate::tracer::ptrace::wait::Stopped;
use engine::region::slot::Slot;
use engine::region::tracer_word::TRACED;
use engine::{Engine, Kind, Page, Reason, WaitKind};
use libc::pid_t;
use posix::errno::{Errno, RESTART_WITHOUT_HANDLER, interrupted};
use posix::time::NEVER;
use std::collections::HashSet;
use std::mem::offset_of;
use std::sync::atomic::Ordering::SeqCst;

/// See the module.
#[derive(Default)]
pub struct Waits {
    /// How many threads are in a wait that the tracer has to end.
    expiring: usize,
    /// Threads whose time has come, and which may not have come to rest since.
    woken: HashSet<pid_t>,
}

/// A wait that is over.
pub enum Done {
    /// The thread has gone on.
    GoesOn,
    /// Its time has come, and it has that answer. It is still stopped.
    TimedOut(Stopped),
}

impl Waits {
    /// A sleep: it is over already, or the thread parks.
    pub fn sleep(
        &mut self,
        tracees: &mut Tracees,
        stopped: Stopped,
        me: usize,
        wait: Box<Wait>,
    ) -> Result<(), Failed> {
        let (engine, slot, tid) = (tracees.engine, tracees.slot(me), stopped.tid());
        if engine.now() >= wait.deadline {
            return tracees.answer(stopped, 0);
        }
        let process = tracees.process_of(tid);
        let space = process.and_then(|process| process.space);
        if let Some(space) = space.filter(|_| process.is_some_and(|process| process.confined)) {
            let wait = wait.for_ever(Memory(tid), space.for_ever);
            return self.wait(tracees, stopped, me, wait);
        }
        slot.thread().what.store(wait.word(), SeqCst);
        let_keeper_look(&engine);
        let seq = engine.begin_wait(me);
        if engine.begin_park(me, seq, wait.deadline, false, None).is_err() {
            engine.resume(me, Kind::Foreign);
            return tracees.answer(stopped, 0);
        }
        engine.arm(wait.deadline, engine.now());
        wait.begun(&engine, me);
        let state = slot.state.load();
        let word = space.map_or(0, |space| space.region)
            + (offset_of!(Page, slots) + me * size_of::<Slot>() + offset_of!(Slot, state)) as u64;
        let parked = if state.kind() == Kind::Parked { state.0 } else { !state.0 };
        let mut futex = wait.before;
        futex.set_number(libc::SYS_futex);
        futex.set_arguments([word, libc::FUTEX_WAIT as u64, parked as u64, 0, 0, 0]);
        stopped.set_registers(&futex)?;
        tracees.set_doing(tid, Doing::Waits(wait));
        tracees.go(stopped, 0)
    }

    /// A wait that the kernel ends, or the tracer at its deadline.
    pub fn wait(
        &mut self,
        tracees: &mut Tracees,
        stopped: Stopped,
        me: usize,
        wait: Box<Wait>,
    ) -> Result<(), Failed> {
        stopped.set_registers(&wait.during)?;
        let (engine, tid) = (tracees.engine, stopped.tid());
        if !tracees.threads[&tid].watched {
            tracees.slot(me).thread().what.store(wait.word(), SeqCst);
        }
        engine.enter_kernel_stopped(me, wait.deadline);
        wait.begun(&engine, me);
        tracees.set_doing(tid, Doing::Waits(wait));
        self.expiring += 1;
        tracees.go(stopped, 0)?;
        engine.looked_for(me);
        Ok(())
    }

    /// A thread with the library is about to wait until a deadline. Where it has no slot, or a hook
    /// has, the call is made as it is.
    pub fn wait_of_library(
        &mut self,
        tracees: &mut Tracees,
        stopped: Stopped,
        mut wait: Box<Wait>,
    ) -> Result<(), Failed> {
        let tid = stopped.tid();
        if wait.sleep && wait.deadline <= tracees.engine.now() {
            return tracees.answer(stopped, 0);
        }
        let Some((me, kind)) = tracees.own_slot(tid) else { return tracees.go(stopped, 0) };
        let base = match kind {
            Kind::Busy | Kind::Foreign => Kind::Busy,
            Kind::Ending | Kind::Leaving => kind,
            _ => return tracees.go(stopped, 0),
        };
        if std::mem::replace(&mut wait.sleep, false) {
            // Where the library has mapped the slot nobody knows here.
            wait.during.set_number(libc::SYS_pause);
        }
        tracees.slot(me).tracer.store(TRACED, SeqCst);
        tracees
            .threads
            .entry(tid)
            .and_modify(|thread| (thread.slot, thread.base) = (Some(me), base));
        self.wait(tracees, stopped, me, wait)
    }

    /// Interrupts those whose deadline has come.
    pub fn expire(&mut self, tracees: &mut Tracees) {
        if self.expiring == 0 {
            return;
        }
        let page = tracees.engine.page;
        for thread in tracees.threads.values_mut() {
            let (Doing::Waits(wait), Some(me), Some(running)) =
                (&mut thread.doing, thread.slot, &thread.running)
            else {
                continue;
            };
            if !wait.sleep && !wait.told && !page.slots[me].state.load().waits() {
                wait.told = true;
                let _ = running.interrupt();
            }
        }
    }

    /// The thread has left the wait, or has ended in it.
    pub fn left(&mut self, wait: &Wait) {
        if !wait.sleep {
            self.expiring -= 1;
        }
    }

    /// The thread has ended.
    pub fn forget(&mut self, thread: &Thread) {
        if let Doing::Waits(wait) = &thread.doing {
            self.left(wait);
        }
    }

    /// Has a thread but `tid` been woken by its deadline, and is not at rest again?
    pub fn others_are_awake(&mut self, tid: pid_t) -> bool {
        self.woken.retain(|&woken| woken != tid && runs_now(woken));
        !self.woken.is_empty()
    }

    /// The call that the thread of slot `me` has waited in has ended.
    pub fn done(
        &mut self,
        tracees: &mut Tracees,
        timers: &mut Timers,
        stopped: Stopped,
        me: usize,
        wait: Box<Wait>,
    ) -> Result<Done, Failed> {
        let (engine, slot, tid) = (tracees.engine, tracees.slot(me), stopped.tid());
        let mut regs = stopped.registers()?;
        let answer = regs.answer();
        let signal = (wait.is_for_signal() && answer > 0)
            .then_some((answer as i32, wait.before.argument(1)));
        regs.set_arguments(wait.before.arguments());
        regs.set_number(wait.before.number());
        let seen = slot.state.load();
        if wait.sleep && seen.waits() {
            engine.end_own(me, seen.seq(), Reason::Interrupted);
        }
        slot.deadline.store(NEVER, SeqCst);
        let reason = engine.resume(me, tracees.threads[&tid].base);
        tracees.give_slot_back_to_library(tid, me);
        let interrupted = interrupted(answer);
        let timed_out = reason == Reason::TimedOut
            && (wait.sleep || interrupted && !has_signal(&stopped, &wait)?);
        self.woken.extend(timed_out.then_some(tid));
        let too_early = wait.what == WaitKind::Descriptor
            && reason != Reason::TimedOut
            && answer == wait.means.timed_out
            && engine.now() < wait.deadline;
        let once_more = timed_out && wait.early(&engine)
            || wait.sleep && !timed_out && !interrupted
            || too_early;
        if let Some(transfer) = wait.transfer.filter(|_| !once_more) {
            let answer = if timed_out { wait.means.timed_out } else { answer };
            step_done(tracees, stopped, regs, (wait, transfer), answer)?;
            return Ok(Done::GoesOn);
        }
        let again = if once_more {
            // The clock was set back meanwhile, or the word was woken for no reason.
            regs.make_call_again();
            (!wait.means.until.is_settable()).then_some(wait)
        } else if timed_out {
            regs.set_answer(wait.means.timed_out);
            wait.clear_sets(Memory(tid));
            wait.write_left(&engine, Memory(tid), false);
            None
        } else if interrupted && (wait.sleep || answer != Errno::EINTR.answer()) {
            // With a time-out it is EINTR after any handler, else the call is made again.
            if wait.sleep || wait.without_restart() {
                regs.set_answer(RESTART_WITHOUT_HANDLER);
            }
            Some(wait)
        } else {
            wait.write_left(&engine, Memory(tid), false);
            interrupted.then_some(wait)
        };
        if again.is_some() {
            tracees.threads.entry(tid).and_modify(|thread| thread.again = again);
        }
        if let Some((number, info)) = signal {
            timers.signal_taken(tracees, tid, number, info);
        }
        stopped.set_registers(&regs)?;
        if timed_out {
            return Ok(Done::TimedOut(stopped));
        }
        tracees.go(stopped, 0)?;
        Ok(Done::GoesOn)
    }
}

/// The keeper has the clock's lock while it looks around, which is a matter of microseconds. A
/// thread that is parked because of that has to be woken again, which takes much longer than to let
/// the keeper finish.
fn let_keeper_look(engine: &Engine) {
    let until = real_now() + ATTENTION.ns();
    while engine.page.header.clock.holder().is_some() && real_now() < until {
        std::hint::spin_loop();
    }
}

/// A wait has been interrupted, and its deadline has come: is there a signal to be delivered as
/// well? Then the kernel would say so. Else none is from now on that only the call's own mask lets
/// in.
fn has_signal(stopped: &Stopped, wait: &Wait) -> Result<bool, Failed> {
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
