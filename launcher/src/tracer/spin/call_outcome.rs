//! What a call is for a loop that makes it again and again ([`super::observe`]).

use crate::tracer::arch::registers::Registers;
use engine::arch::call_table::zero_is_nothing;
use posix::clock::is_of_processor;
use posix::errno::restarts;
use posix::spin_rule::Outcome;

/// What the call that has just been made was.
pub fn outcome(regs: &Registers) -> Outcome {
    let answer = regs.answer();
    match regs.number() {
        // Answered by the tracer: a sleep was over before it began.
        -1 => Outcome::Nothing,
        // To be made again.
        _ if restarts(answer) => Outcome::Neither,
        _ if answer < 0 => Outcome::Nothing,
        // Who asks for its own processor time computes.
        libc::SYS_clock_gettime if is_of_processor(regs.argument(0) as i32) => Outcome::Something,
        libc::SYS_getrusage => Outcome::Something,
        libc::SYS_sched_yield | libc::SYS_waitid | libc::SYS_clock_gettime | libc::SYS_times => {
            Outcome::Nothing
        }
        libc::SYS_kill if regs.argument(1) == 0 => Outcome::Nothing,
        number if answer == 0 && zero_is_nothing(number) => Outcome::Nothing,
        libc::SYS_futex if answer == 0 => Outcome::Neither,
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
        | libc::SYS_faccessat2 => Outcome::Neither,
        _ => Outcome::Something,
    }
}
