//! What a call is for a loop that makes it again and again ([`super::observe`]).

use crate::tracer::arch::registers::Registers;
use engine::arch::call_table::zero_is_nothing;
use posix::errno::restarts;

/// What a call was, for the loop that made it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// It has got nothing.
    Futile,
    /// It has got something done.
    Done,
    /// Neither.
    Nothing,
}

/// What the call that has just been made was.
pub fn outcome(regs: &Registers) -> Outcome {
    let answer = regs.answer();
    match regs.number() {
        // Answered by the tracer: a sleep was over before it began.
        -1 => Outcome::Futile,
        // To be made again.
        _ if restarts(answer) => Outcome::Nothing,
        _ if answer < 0 => Outcome::Futile,
        // Who asks for its own processor time computes.
        libc::SYS_clock_gettime if is_of_processor(regs.argument(0) as libc::clockid_t) => {
            Outcome::Done
        }
        libc::SYS_getrusage => Outcome::Done,
        libc::SYS_sched_yield | libc::SYS_waitid | libc::SYS_clock_gettime | libc::SYS_times => {
            Outcome::Futile
        }
        libc::SYS_kill if regs.argument(1) == 0 => Outcome::Futile,
        number if answer == 0 && zero_is_nothing(number) => Outcome::Futile,
        libc::SYS_futex if answer == 0 => Outcome::Nothing,
        libc::SYS_getpid
        | libc::SYS_gettid
        | libc::SYS_getppid
        | libc::SYS_rt_sigprocmask
        | libc::SYS_stat
        | libc::SYS_lstat
        | libc::SYS_fstat
        | libc::SYS_newfstatat
        | libc::SYS_statx
        | libc::SYS_access
        | libc::SYS_faccessat
        | libc::SYS_faccessat2 => Outcome::Nothing,
        _ => Outcome::Done,
    }
}

/// Is it a clock of processor time, of the caller or of others (negative numbers,
/// clock_getcpuclockid(3))?
fn is_of_processor(clock: libc::clockid_t) -> bool {
    clock < 0 || matches!(clock, libc::CLOCK_PROCESS_CPUTIME_ID | libc::CLOCK_THREAD_CPUTIME_ID)
}
