//! Timer descriptors of traced processes: timerfd_create(2) and its relatives, by
//! [`engine::schedule::timerfd`].
//!
//! The reader counts the expirations, so reads must stop. Few programs have such timers, and the
//! others do not pay for them: the first timer of a process brings one more filter, for the calls
//! of read(2) and readv(2) of that process.

use super::exec_setup::Kit;
use super::filter;
use super::thread::{Doing, Then};
use super::tracees::Tracees;
use crate::tracer::arch::registers::Registers;
use crate::tracer::ptrace::failed::Failed;
use crate::tracer::ptrace::memory::{Fault, Memory};
use crate::tracer::ptrace::wait::Stopped;
use crate::virtual_clock::SessionClocks;
use engine::region::slot::Slot;
use engine::schedule::timerfd::{LOST, Locked, SHARED};
use engine::sys::with_descriptor;
use engine::{Engine, Kind};
use libc::pid_t;
use posix::clock::Clocks;
use posix::timer;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};

/// The timer that descriptor `fd` of a process is.
fn find(engine: &Engine, process: pid_t, fd: i32) -> Option<usize> {
    let mut found = None;
    with_descriptor(process as u32, fd, |fd| {
        found = engine.timer_of(fd).ok().flatten();
        true
    });
    found
}

/// Timer `index`, which the process has as `fd`.
fn lock(engine: &Engine, index: usize, process: pid_t, fd: i32) -> Locked<'_> {
    let locked = engine.lock_timer(index, engine.pid);
    locked.slot().pid.store(process as u32, Relaxed);
    locked.slot().timer().fd.store(fd, Relaxed);
    locked
}

/// Before a call about a timer descriptor.
pub fn call(tracees: &mut Tracees, stopped: Stopped, regs: &Registers) -> Result<(), Failed> {
    let tid = stopped.tid();
    if regs.number() == libc::SYS_timerfd_create {
        tracees.set_doing(tid, Doing::Then(Then::TimerFdMade(regs.argument(0) as i32)));
        return tracees.go(stopped, 0);
    }
    let (process, fd) = (tracees.threads[&tid].process, regs.argument(0) as i32);
    let engine = tracees.engine;
    let answer = match find(&engine, process, fd) {
        Some(index) => answer_of(&engine, index, process, Memory(tid), regs),
        None => Ok(None),
    };
    match answer.unwrap_or(Some(-(libc::EFAULT as i64))) {
        Some(answer) => tracees.answer(stopped, answer),
        None => tracees.go(stopped, 0),
    }
}

/// `None` if it is for the kernel to answer.
fn answer_of(
    engine: &Engine,
    index: usize,
    process: pid_t,
    memory: Memory,
    r: &Registers,
) -> Result<Option<i64>, Fault> {
    const KNOWN: i32 = libc::TFD_TIMER_ABSTIME | libc::TFD_TIMER_CANCEL_ON_SET;
    let (fd, flags) = (r.argument(0) as i32, r.argument(1) as i32);
    let clocks = SessionClocks(engine);
    let now = clocks.now();
    if r.number() == libc::SYS_timerfd_gettime {
        let told = lock(engine, index, process, fd).gettime(now);
        memory.write(r.argument(1), &told)?;
        return Ok(Some(0));
    }
    let new = memory.read::<[i64; 4]>(r.argument(2))?;
    let clock = engine.page.slots[index].timer().clock.load(Relaxed) as i32;
    let absolute = flags & libc::TFD_TIMER_ABSTIME != 0;
    let Ok(to) = timer::setting(new, absolute, clock, &clocks) else { return Ok(None) };
    if flags & !KNOWN != 0 {
        return Ok(None);
    }
    let mut before = [0; 4];
    let set = with_descriptor(process as u32, fd, |theirs| {
        let locked = lock(engine, index, process, fd);
        before = locked.gettime(now);
        locked.set(theirs, now, to, flags & libc::TFD_TIMER_CANCEL_ON_SET != 0).is_ok()
    });
    engine.arm(to.expired.first.ns(), now.ns());
    if set && r.argument(3) != 0 {
        memory.write(r.argument(3), &before)?;
    }
    Ok(set.then_some(0))
}

/// timerfd_create(2) has been answered. Without a slot, or with reads that do not stop, the
/// timer is the kernel's.
pub fn made(
    tracees: &mut Tracees,
    kit: &Kit,
    stopped: Stopped,
    clock: i32,
) -> Result<Stopped, Failed> {
    let (tid, fd) = (stopped.tid(), stopped.registers()?.answer());
    let thread = &tracees.threads[&tid];
    let (Some(me), process, true) = (thread.slot, thread.process, fd >= 0) else {
        return Ok(stopped);
    };
    let (stopped, stops) = stop_reads(tracees, kit, stopped, process)?;
    let (engine, page) = (tracees.engine, tracees.engine.page);
    let birth = page.birth_of_child(me);
    if let Some(index) =
        stops.then(|| page.claim_timer(process as u32, fd as i32, clock, birth)).flatten()
    {
        let named =
            with_descriptor(process as u32, fd as i32, |fd| engine.name_timer(fd, index).is_ok());
        if !named {
            engine.lock_timer(index, engine.pid).release();
        }
    }
    Ok(stopped)
}

/// Makes the reads of a process stop; false if that cannot be.
fn stop_reads(
    tracees: &mut Tracees,
    kit: &Kit,
    stopped: Stopped,
    process: pid_t,
) -> Result<(Stopped, bool), Failed> {
    let Some(known) = tracees.processes.get_mut(&process) else { return Ok((stopped, false)) };
    if known.reads_stop || known.confined {
        return Ok((stopped, known.reads_stop));
    }
    let (stopped, installed) = kit.stop_more(stopped, filter::of_reads, &known.filtered)?;
    known.reads_stop = installed;
    Ok((stopped, installed))
}

/// The slots of a thread that is about to read and of the timer that it reads from.
pub fn timer_to_read(tracees: &Tracees, tid: pid_t, fd: i32) -> Option<(usize, usize)> {
    let thread = &tracees.threads[&tid];
    let process = tracees.processes.get(&thread.process)?;
    let me = thread.slot.filter(|_| process.reads_stop)?;
    Some((me, find(&tracees.engine, thread.process, fd)?))
}

/// Before a read of timer `index`, which takes what has expired.
pub fn read_call(
    tracees: &mut Tracees,
    stopped: Stopped,
    fd: i32,
    (me, index): (usize, usize),
) -> Result<(), Failed> {
    let tid = stopped.tid();
    let engine = tracees.engine;
    engine.expire_now(me);
    if canceled(&engine, index, tracees.threads[&tid].process, fd) {
        return tracees.answer(stopped, -(libc::ECANCELED as i64));
    }
    tracees.set_doing(tid, Doing::Then(Then::TimerRead(index)));
    tracees.go(stopped, 0)
}

/// Was the clock set, and does the program want to know? Tells once.
fn canceled(engine: &Engine, index: usize, process: pid_t, fd: i32) -> bool {
    let locked = lock(engine, index, process, fd);
    let was = locked.take_canceled();
    if was {
        with_descriptor(process as u32, fd, |fd| engine.name_timer(fd, index).is_ok());
        // What has expired is forgotten with it, but an interval goes on.
        locked.take_expirations(SessionClocks(engine).now());
    }
    was
}

/// A read of timer `index` has been answered.
pub fn read_done(tracees: &Tracees, stopped: &Stopped, index: usize) -> Result<(), Failed> {
    let (engine, memory) = (tracees.engine, Memory(stopped.tid()));
    let mut regs = stopped.registers()?;
    if regs.answer() != 8 {
        return Ok(());
    }
    let [fd, buffer, parts, ..] = regs.arguments();
    let (process, fd) = (tracees.threads[&stopped.tid()].process, fd as i32);
    if canceled(&engine, index, process, fd) {
        regs.set_answer(-(libc::ECANCELED as i64));
        return stopped.set_registers(&regs);
    }
    let locked = lock(&engine, index, process, fd);
    let now = SessionClocks(&engine).now();
    // Set anew between the kernel's answer and here: it has expired once for this reader all
    // the same.
    let count = locked.take_expirations(now).max(1).to_ne_bytes();
    engine.arm(locked.slot().deadline.load(Relaxed), now.ns());
    drop(locked);
    let mut rest = &count[..];
    if regs.number() == libc::SYS_read {
        let _ = memory.write_bytes(buffer, rest);
        return Ok(());
    }
    for part in 0..parts {
        let Ok([at, length]) = memory.read::<[u64; 2]>(buffer + 16 * part) else {
            return Ok(());
        };
        let (now, later) = rest.split_at(rest.len().min(length as usize));
        // The kernel has written there a moment ago.
        let _ = memory.write_bytes(at, now);
        rest = later;
    }
    Ok(())
}

/// A process has made another one, which has its descriptors.
pub fn share(engine: &Engine, process: pid_t) {
    each_timer(engine, process, |_, slot| {
        slot.timer().flags.fetch_or(SHARED, SeqCst);
    });
}

/// Calls `body` with each timer that is known to be the process's.
fn each_timer(engine: &Engine, process: pid_t, body: impl Fn(usize, &'static Slot)) {
    let page = engine.page;
    if page.header.timers.load(SeqCst) == 0 {
        return;
    }
    for (index, slot) in page.slots[..page.high()].iter().enumerate() {
        if slot.state.load().kind() == Kind::Timer && slot.pid.load(SeqCst) == process as u32 {
            body(index, slot);
        }
    }
}

/// A process has ended: what only it can have had is gone.
pub fn drop_all(engine: &Engine, process: pid_t) {
    each_timer(engine, process, |index, slot| {
        if slot.timer().flags.load(SeqCst) & SHARED != 0 {
            slot.pid.store(0, SeqCst);
        } else {
            engine.lock_timer(index, engine.pid).release();
        }
    });
}

/// A process runs a new program. That has the timers of the former program which were not closed on
/// exec. True if it has any.
pub fn keep_open(engine: &Engine, process: pid_t) -> bool {
    if engine.page.header.timers.load(SeqCst) == 0 {
        return false;
    }
    each_timer(engine, process, |_, slot| {
        slot.timer().flags.fetch_or(SHARED, SeqCst);
        slot.pid.store(0, SeqCst);
    });
    let mut any = false;
    for entry in std::fs::read_dir(format!("/proc/{process}/fd")).into_iter().flatten().flatten() {
        let Some(fd) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        let timer = std::fs::read_link(entry.path())
            .is_ok_and(|to| to.as_os_str() == "anon_inode:[timerfd]");
        if let Some(index) = timer.then(|| find(engine, process, fd)).flatten() {
            let locked = lock(engine, index, process, fd);
            if locked.slot().timer().flags.load(SeqCst) & LOST != 0 {
                locked.tick();
            }
            any = true;
        }
    }
    any
}
