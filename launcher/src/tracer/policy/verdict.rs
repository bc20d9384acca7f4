//! What a call that stops means for the session.

use super::call::{Call, Do};
use super::clock_calls;
use crate::tracer::ptrace::memory::Fault;
use engine::arch::call_table::row;
use engine::verdict::{CLONE_UNTRACED, Verdict};
use libc::pid_t;
use std::sync::atomic::Ordering::SeqCst;

/// What is to be done about `call` of a thread of `process`?
pub fn decide(call: &Call, process: pid_t) -> Do {
    match row(call.regs.number() as u64).map(|row| row.verdict) {
        Some(_) if matches!(call.regs.number(), libc::SYS_recvmmsg | libc::SYS_sendmmsg) => {
            call.transfer(process)
        }
        Some(Verdict::Timed(_)) => call.begins().map_or(Do::Pass, |wait| Do::Wait(Box::new(wait))),
        Some(Verdict::Blocks) => {
            call.limited(process).map_or(Do::Pass, |wait| Do::Wait(Box::new(wait)))
        }
        Some(Verdict::Clock(_)) => clock_calls::read(call),
        Some(Verdict::SetClock) => clock_calls::set(call),
        Some(Verdict::Spawn(_)) => spawn(call),
        Some(Verdict::Terminal(_)) => {
            call.engine.page.makes_terminal();
            Do::Pass
        }
        Some(Verdict::Signals(_)) => {
            // Counted before it is sent. The sender counts as running until it has been seen
            // asleep, which is after. Signal 0 only asks whether the receiver exists. And a
            // runtime's thread sends a signal to a thread that has run for long; that one is not
            // asleep.
            let signal = match call.regs.number() {
                libc::SYS_kill | libc::SYS_tkill => call.regs.argument(1),
                libc::SYS_tgkill => call.regs.argument(2),
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

/// A child may not escape from the tracer: in the filter that it inherits its calls would fail.
fn spawn(call: &Call) -> Do {
    let mut regs = *call.regs;
    if regs.number() == libc::SYS_clone {
        regs.set_argument(0, regs.argument(0) & !(CLONE_UNTRACED as u64));
        return Do::Change(Box::new(regs), None);
    }
    match call.memory.read::<u64>(regs.argument(0)) {
        Ok(flags) if flags & CLONE_UNTRACED as u64 != 0 => {
            let masked = flags as u32 & !CLONE_UNTRACED;
            match call.memory.write(regs.argument(0), &masked) {
                Ok(()) => Do::Change(Box::new(regs), Some((regs.argument(0), flags as u32))),
                Err(Fault) => Do::Pass,
            }
        }
        _ => Do::Pass,
    }
}
