//! What the calling thread has used of the machine.

use engine::arch::syscall::syscall6;
use libc::timespec;

/// Processor time of the calling thread, ns.
pub fn processor_time() -> u64 {
    let mut ts = timespec { tv_sec: 0, tv_nsec: 0 };
    let id = libc::CLOCK_THREAD_CPUTIME_ID as usize;
    // SAFETY: an out-parameter of our own.
    unsafe { syscall6(libc::SYS_clock_gettime, id, &raw mut ts as usize, 0, 0, 0, 0) };
    ts.tv_sec as u64 * 1_000_000_000 + ts.tv_nsec as u64
}

/// How often the calling thread has slept in the kernel so far.
pub fn slept() -> u32 {
    // SAFETY: zeroes are valid.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: an out-parameter of our own.
    unsafe {
        syscall6(
            libc::SYS_getrusage,
            libc::RUSAGE_THREAD as usize,
            &raw mut usage as usize,
            0,
            0,
            0,
            0,
        )
    };
    usage.ru_nvcsw as u32
}
