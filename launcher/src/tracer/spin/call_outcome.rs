//! What a call is for a loop that makes it again and again ([`crate::tracer::spin::spinners`]).

use engine::programs::verdicts::zero_is_nothing;
use libc::{c_long, user_regs_struct};
use posix::errno::restarts;

/// What a call was, for the loop that made it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Call {
    /// It has got nothing.
    Futile,
    /// It has got something done.
    Done,
    /// Neither.
    Nothing,
}

/// What the call that has just been made was.
pub fn judge(regs: &user_regs_struct) -> Call {
    let answer = regs.rax as i64;
    match regs.orig_rax as c_long {
        // Answered by the tracer: a sleep was over before it began.
        -1 => Call::Futile,
        // To be made again.
        _ if restarts(answer) => Call::Nothing,
        _ if answer < 0 => Call::Futile,
        // Who asks for its own processor time computes.
        libc::SYS_clock_gettime if is_of_processor(regs.rdi as libc::clockid_t) => Call::Done,
        libc::SYS_getrusage => Call::Done,
        libc::SYS_sched_yield | libc::SYS_waitid | libc::SYS_clock_gettime | libc::SYS_times => {
            Call::Futile
        }
        libc::SYS_kill if regs.rsi == 0 => Call::Futile,
        number if answer == 0 && zero_is_nothing(number) => Call::Futile,
        libc::SYS_futex if answer == 0 => Call::Nothing,
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
        | libc::SYS_faccessat2 => Call::Nothing,
        _ => Call::Done,
    }
}

/// Is it a clock of processor time, of the caller or of others (negative numbers,
/// clock_getcpuclockid(3))?
fn is_of_processor(clock: libc::clockid_t) -> bool {
    clock < 0 || matches!(clock, libc::CLOCK_PROCESS_CPUTIME_ID | libc::CLOCK_THREAD_CPUTIME_ID)
}
