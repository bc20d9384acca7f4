//! What the calls that stop mean for the session.

use crate::tracer::policy::wait::{self, Call, Wait};
use crate::tracer::ptrace::memory::{Fault, Memory};
use crate::tracer::ptrace::stop::{Failed, Stopped};
use engine::Engine;
use engine::programs::verdicts::{CLONE_UNTRACED, Verdict, row};
use libc::{c_long, pid_t, user_regs_struct};
use posix::clock::is_virtual;
use posix::time::{SECOND, Spec};
use std::sync::atomic::Ordering::SeqCst;

/// What is to be done about a call.
pub enum Do {
    /// Nothing.
    Pass,
    /// It is not made; this is its answer.
    Answer(i64),
    /// It waits.
    Wait(Box<Wait>),
    /// It is made with other registers, and with another word in memory (address, value until it is
    /// done).
    Change(Box<user_regs_struct>, Option<(u64, u32)>),
}

const EFAULT: i64 = -(libc::EFAULT as i64);
const EINVAL: i64 = -(libc::EINVAL as i64);

/// What is to be done about `call` of a thread of `process`?
pub fn decide(call: &Call, process: pid_t) -> Do {
    match row(call.regs.orig_rax).map(|row| row.verdict) {
        Some(_)
            if matches!(call.regs.orig_rax as c_long, libc::SYS_recvmmsg | libc::SYS_sendmmsg) =>
        {
            call.transfer(process)
        }
        Some(Verdict::Timed(_)) => call.begins().map_or(Do::Pass, |wait| Do::Wait(Box::new(wait))),
        Some(Verdict::Blocks) => {
            call.limited(process).map_or(Do::Pass, |wait| Do::Wait(Box::new(wait)))
        }
        Some(Verdict::Clock(_)) => clock(call),
        Some(Verdict::SetClock) => set_clock(call).unwrap_or(Do::Answer(EFAULT)),
        Some(Verdict::Spawn(_)) => spawn(call),
        Some(Verdict::Signals(_)) => {
            // Before it is sent. The sender counts as running until it has been seen asleep, which
            // is after. Signal 0 only asks whether somebody is there; and a runtime's thread sends
            // one to who has its processor for long, and that one is not asleep.
            let signal = match call.regs.orig_rax as c_long {
                libc::SYS_kill | libc::SYS_tkill => call.regs.rsi,
                libc::SYS_tgkill => call.regs.rdx,
                _ => 1,
            };
            let urges = call.beats && signal as i32 == libc::SIGURG;
            call.engine
                .page
                .header
                .signals_sent
                .fetch_add((signal as i32 != 0 && !urges) as _, SeqCst);
            Do::Pass
        }
        _ => Do::Pass,
    }
}

/// Reads a clock.
fn clock(call: &Call) -> Do {
    let r = call.regs;
    let now = |id| wait::read(call.engine, id).unwrap_or(Spec { sec: 0, nsec: 0 });
    let written = match r.orig_rax as c_long {
        libc::SYS_clock_gettime if !is_virtual(r.rdi as i32) => return Do::Pass,
        libc::SYS_clock_gettime => match wait::read(call.engine, r.rdi as i32) {
            Some(now) => call.memory.write(r.rsi, &[now.sec, now.nsec]),
            None => return Do::Pass,
        },
        libc::SYS_gettimeofday => {
            let now = now(libc::CLOCK_REALTIME);
            let time = if r.rdi == 0 {
                Ok(())
            } else {
                call.memory.write(r.rdi, &[now.sec, now.nsec / 1000])
            };
            time.and_then(|()| if r.rsi == 0 { Ok(()) } else { call.memory.write(r.rsi, &0u64) })
        }
        libc::SYS_time => {
            let now = now(libc::CLOCK_REALTIME);
            let written = r.rdi == 0 || call.memory.write(r.rdi, &(now.sec as u64)).is_ok();
            return if written { Do::Answer(now.sec) } else { Do::Pass };
        }
        _ => return Do::Pass,
    };
    // Where it cannot be written the kernel knows why, or may do it: the memory may be closed to
    // other processes.
    if written.is_ok() { Do::Answer(0) } else { Do::Pass }
}

/// Sets a clock: for the session, never for the machine.
fn set_clock(call: &Call) -> Result<Do, Fault> {
    let r = call.regs;
    let spec = |at: u64, unit: i64| {
        call.memory
            .read::<[i64; 2]>(at)
            .map(|[sec, part]| Spec { sec, nsec: part.saturating_mul(unit) })
    };
    let answer = match r.orig_rax as c_long {
        libc::SYS_clock_settime => {
            if r.rdi as i32 == libc::CLOCK_REALTIME {
                set(call, spec(r.rsi, 1)?)
            } else {
                EINVAL
            }
        }
        libc::SYS_settimeofday if r.rdi == 0 => 0,
        libc::SYS_settimeofday => set(call, spec(r.rdi, 1000)?),
        libc::SYS_adjtimex => return adjust(call, r.rdi),
        libc::SYS_clock_adjtime if r.rdi as i32 == libc::CLOCK_REALTIME => {
            return adjust(call, r.rsi);
        }
        _ => return Ok(Do::Pass),
    };
    Ok(Do::Answer(answer))
}

fn set(call: &Call, to: Spec) -> i64 {
    let Some(now) = wait::read(call.engine, libc::CLOCK_REALTIME) else { return EINVAL };
    if to.nanos().is_none() {
        return EINVAL;
    }
    set_ahead(call, to.since(now).ns() as i64 - now.since(to).ns() as i64);
    0
}

fn set_ahead(call: &Call, by: i64) {
    call.engine.set_clock(by, std::process::id());
}

/// Of `struct timex`.
const STATUS: u64 = 40;
const TIME: u64 = 72;

/// adjtimex(2): a step is made in the session; all else is asked and not set.
fn adjust(call: &Call, at: u64) -> Result<Do, Fault> {
    /// Modes of it.
    const ADJ_SETOFFSET: u32 = 0x100;
    const ADJ_NANO: u32 = 0x2000;
    let modes: u32 = call.memory.read(at)?;
    if modes & ADJ_SETOFFSET != 0 {
        let [sec, part] = call.memory.read::<[i64; 2]>(at + TIME)?;
        let (unit, most) =
            if modes & ADJ_NANO != 0 { (1, 1_000_000_000) } else { (1000, 1_000_000) };
        if !(0..most).contains(&part) {
            return Ok(Do::Answer(EINVAL));
        }
        set_ahead(call, sec.saturating_mul(1_000_000_000).saturating_add(part * unit));
    }
    call.memory.write(at, &0u32)?;
    Ok(Do::Change(Box::new(*call.regs), Some((at, modes))))
}

/// A call of adjtimex(2) has been answered, or another that was changed: the time at `at` is
/// virtual.
pub fn adjusted(engine: &Engine, memory: Memory, regs: &user_regs_struct, at: u64) {
    let adjusts = matches!(regs.orig_rax as c_long, libc::SYS_adjtimex | libc::SYS_clock_adjtime)
        && regs.rax as i64 >= 0;
    if let Some(now) = wait::read(engine, libc::CLOCK_REALTIME).filter(|_| adjusts) {
        let nano =
            memory.read::<u32>(at + STATUS).is_ok_and(|status| status & libc::STA_NANO as u32 != 0);
        // The kernel has just written there.
        let _ = memory.write(at + TIME, &[now.sec, if nano { now.nsec } else { now.nsec / 1000 }]);
    }
}

/// times(2) or sysinfo(2) has been answered: what they say of the time since the machine was
/// started, or since some instant (times(2), NOTES), is virtual. The kernel rounds sysinfo's up.
pub fn uptime(engine: &Engine, stopped: &Stopped, at: u64) -> Result<(), Failed> {
    /// Of times(2) in a second: USER_HZ.
    const TICKS: i64 = 100;
    let mut regs = stopped.registers()?;
    let answer = regs.rax as i64;
    if regs.orig_rax as c_long == libc::SYS_times {
        if answer != EFAULT
            && let Some(now) = wait::read(engine, libc::CLOCK_MONOTONIC)
        {
            regs.rax = (now.sec * TICKS + now.nsec / (SECOND as i64 / TICKS)) as u64;
            stopped.set_registers(&regs)?;
        }
    } else if answer == 0
        && let Some(now) = wait::read(engine, libc::CLOCK_BOOTTIME)
    {
        // The first field; the kernel has just written there.
        let _ = Memory(stopped.tid()).write(at, &((now.sec + (now.nsec != 0) as i64) as u64));
    }
    Ok(())
}

/// A child that wants to escape is not let: in the filter it inherits, its calls would fail.
fn spawn(call: &Call) -> Do {
    let mut regs = *call.regs;
    if regs.orig_rax as c_long == libc::SYS_clone {
        regs.rdi &= !(CLONE_UNTRACED as u64);
        return Do::Change(Box::new(regs), None);
    }
    match call.memory.read::<u64>(regs.rdi) {
        Ok(flags) if flags & CLONE_UNTRACED as u64 != 0 => {
            let masked = flags as u32 & !CLONE_UNTRACED;
            match call.memory.write(regs.rdi, &masked) {
                Ok(()) => Do::Change(Box::new(regs), Some((regs.rdi, flags as u32))),
                Err(Fault) => Do::Pass,
            }
        }
        _ => Do::Pass,
    }
}
