//! Time since the machine was started: times(2) and sysinfo(2).

use crate::clocks::clock_gettime;
use engine::arch::syscall::syscall6;
use libc::{clock_t, timespec};
use posix::errno::{self, Errno};
use posix::time::SECOND;

/// Ticks of times(2) in a second: USER_HZ.
const TICKS: i64 = 100;

fn now(id: libc::clockid_t) -> Result<timespec, Errno> {
    let mut now = timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: a time of our own.
    unsafe { clock_gettime(id, &mut now) }?;
    Ok(now)
}

/// times(2): processor times are the kernel's. What the answer counts from is nobody's business
/// (times(2), NOTES), so here it is CLOCK_MONOTONIC.
///
/// # Safety
/// As for the C function.
pub unsafe fn times(out: *mut libc::tms) -> Result<clock_t, Errno> {
    // SAFETY: the kernel checks the pointer. Errors but EFAULT there are none, and every other
    // answer may be negative.
    let raw = unsafe { syscall6(libc::SYS_times, out as usize, 0, 0, 0, 0, 0) };
    if raw == -libc::EFAULT as isize {
        return Err(Errno(libc::EFAULT));
    }
    let now = now(libc::CLOCK_MONOTONIC)?;
    Ok(now.tv_sec * TICKS + now.tv_nsec / (SECOND as i64 / TICKS))
}

/// sysinfo(2): all but `uptime` is the kernel's, which rounds that up.
///
/// # Safety
/// As for the C function.
pub unsafe fn sysinfo(out: *mut libc::sysinfo) -> Result<libc::c_int, Errno> {
    // SAFETY: the kernel checks the pointer.
    errno::result(unsafe { syscall6(libc::SYS_sysinfo, out as usize, 0, 0, 0, 0, 0) })?;
    let now = now(libc::CLOCK_BOOTTIME)?;
    // SAFETY: the kernel has just written there.
    unsafe { (*out).uptime = now.tv_sec + (now.tv_nsec != 0) as i64 };
    Ok(0)
}
