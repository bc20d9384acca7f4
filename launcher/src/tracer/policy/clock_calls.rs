//! Calls that read and set clocks: clock_gettime(2), clock_settime(2), adjtimex(2), times(2),
//! sysinfo(2) and their relatives.

use super::call::{Call, Do};
use crate::tracer::arch::registers::Registers;
use crate::tracer::ptrace::failed::Failed;
use crate::tracer::ptrace::memory::{Fault, Memory};
use crate::tracer::ptrace::thread_status::may_set_time;
use crate::tracer::ptrace::wait::Stopped;
use crate::virtual_clock::{self, SessionClocks};
use engine::Engine;
use posix::clock::{Shift, is_virtual};
use posix::errno::Errno;
use posix::set_clock::{self, Timex};
use posix::time::{SECOND, Spec};

const EFAULT: i64 = -(libc::EFAULT as i64);

/// Reads a clock.
pub fn read(call: &Call) -> Do {
    let r = call.regs;
    let now = |id| virtual_clock::read(call.engine, id).unwrap_or(Spec { sec: 0, nsec: 0 });
    let written = match r.number() {
        libc::SYS_clock_gettime if !is_virtual(r.argument(0) as i32) => return Do::Pass,
        libc::SYS_clock_gettime => match virtual_clock::read(call.engine, r.argument(0) as i32) {
            Some(now) => call.memory.write(r.argument(1), &[now.sec, now.nsec]),
            None => return Do::Pass,
        },
        libc::SYS_gettimeofday => {
            let now = now(libc::CLOCK_REALTIME);
            let time = if r.argument(0) == 0 {
                Ok(())
            } else {
                call.memory.write(r.argument(0), &[now.sec, now.nsec / 1000])
            };
            time.and_then(|()| {
                if r.argument(1) == 0 { Ok(()) } else { call.memory.write(r.argument(1), &0u64) }
            })
        }
        libc::SYS_time => {
            let now = now(libc::CLOCK_REALTIME);
            let written =
                r.argument(0) == 0 || call.memory.write(r.argument(0), &(now.sec as u64)).is_ok();
            return if written { Do::Answer(now.sec) } else { Do::Pass };
        }
        _ => return Do::Pass,
    };
    // If the tracer cannot write there, the kernel makes the call: it knows why, or can write,
    // because the memory may be closed to other processes.
    if written.is_ok() { Do::Answer(0) } else { Do::Pass }
}

/// Sets a clock: for the session, never for the machine.
pub fn set(call: &Call) -> Do {
    set_or_fault(call).unwrap_or(Do::Answer(EFAULT))
}

fn set_or_fault(call: &Call) -> Result<Do, Fault> {
    let (r, clocks) = (call.regs, SessionClocks(call.engine));
    let shift = match r.number() {
        libc::SYS_clock_settime => {
            let [sec, nsec] = call.memory.read(r.argument(1))?;
            set_clock::clock_settime(&clocks, r.argument(0) as i32, Spec { sec, nsec })
        }
        libc::SYS_settimeofday if r.argument(0) == 0 => Ok(Shift::default()),
        libc::SYS_settimeofday => {
            let [sec, usec] = call.memory.read(r.argument(0))?;
            set_clock::settimeofday(&clocks, sec, usec)
        }
        libc::SYS_adjtimex => return adjust(call, r.argument(0)),
        libc::SYS_clock_adjtime if r.argument(0) as i32 == libc::CLOCK_REALTIME => {
            return adjust(call, r.argument(1));
        }
        _ => return Ok(Do::Pass),
    };
    if let Ok(by) = shift {
        call.engine.set_clock(by, std::process::id());
    }
    Ok(Do::Answer(shift.map_or_else(Errno::answer, |_| 0)))
}

/// adjtimex(2): a step is made in the session; all else is asked and not set.
fn adjust(call: &Call, at: u64) -> Result<Do, Fault> {
    let timex = Timex::read(&call.memory, at).ok_or(Fault)?;
    match timex.adjusts(|| may_set_time(call.memory.0)) {
        Ok(by) => call.engine.set_clock(by, std::process::id()),
        Err(error) => return Ok(Do::Answer(error.answer())),
    }
    call.memory.write(at, &0u32)?;
    Ok(Do::Change(Box::new(*call.regs), Some((at, timex.modes))))
}

/// A call of adjtimex(2) has been answered, or another that was changed: the time at `at` is
/// virtual.
pub fn adjusted(engine: &Engine, memory: Memory, regs: &Registers, at: u64) {
    let adjusts =
        matches!(regs.number(), libc::SYS_adjtimex | libc::SYS_clock_adjtime) && regs.answer() >= 0;
    if let Some(now) = virtual_clock::read(engine, libc::CLOCK_REALTIME).filter(|_| adjusts)
        && let Some(timex) = Timex::read(&memory, at)
    {
        // The kernel has just written there.
        let _ = timex.tell(&memory, at, now);
    }
}

/// times(2) or sysinfo(2) has been answered: what they say of the time since the machine was
/// started, or since some instant (times(2), NOTES), is virtual. The kernel rounds sysinfo's up.
pub fn uptime(engine: &Engine, stopped: &Stopped, at: u64) -> Result<(), Failed> {
    /// Of times(2) in a second: USER_HZ.
    const TICKS: i64 = 100;
    let mut regs = stopped.registers()?;
    let answer = regs.answer();
    if regs.number() == libc::SYS_times {
        if answer != EFAULT
            && let Some(now) = virtual_clock::read(engine, libc::CLOCK_MONOTONIC)
        {
            regs.set_answer(now.sec * TICKS + now.nsec / (SECOND as i64 / TICKS));
            stopped.set_registers(&regs)?;
        }
    } else if answer == 0
        && let Some(now) = virtual_clock::read(engine, libc::CLOCK_BOOTTIME)
    {
        // The first field; the kernel has just written there.
        let _ = Memory(stopped.tid()).write(at, &((now.sec + (now.nsec != 0) as i64) as u64));
    }
    Ok(())
}
