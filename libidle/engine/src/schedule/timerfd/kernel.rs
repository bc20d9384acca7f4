//! The kernel's side of a timer descriptor.

use crate::arch::numbers as nr;
use crate::arch::syscall::syscall6;
use crate::sys::Timespec;

/// The number of `TFD_IOC_SET_TICKS` for ioctl(2).
const SET_TICKS: usize = 0x4008_5400;
const ENOTTY: isize = -25;

/// `struct itimerspec`.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Setting {
    /// Between expirations.
    pub interval: (i64, i64),
    /// Until the first; zero: none.
    pub value: (i64, i64),
}

/// Sets the kernel's timer. The error is the kernel's.
pub fn arm(fd: i32, to: Setting) -> Result<(), isize> {
    // SAFETY: a valid itimerspec.
    let failed =
        unsafe { syscall6(nr::TIMERFD_SETTIME, fd as usize, 0, &raw const to as usize, 0, 0, 0) };
    if failed < 0 { Err(failed) } else { Ok(()) }
}

/// Makes `fd` readable; false if it is no timer.
pub fn set_ticks(fd: i32) -> bool {
    let one = 1u64;
    // SAFETY: reads 8 bytes.
    let done =
        unsafe { syscall6(nr::IOCTL, fd as usize, SET_TICKS, &raw const one as usize, 0, 0, 0) };
    done == 0 || (done == ENOTTY && expire_really(fd))
}

/// For kernels without CONFIG_CHECKPOINT_RESTORE: lets the kernel's timer expire, and waits until
/// it has.
fn expire_really(fd: i32) -> bool {
    let mut now = Setting { interval: (0, 0), value: (0, 0) };
    // SAFETY: a valid out-parameter.
    unsafe { syscall6(nr::TIMERFD_GETTIME, fd as usize, &raw mut now as usize, 0, 0, 0, 0) };
    now.value = (0, 1);
    /// POLLIN of poll(2) in `struct pollfd`'s second field.
    const READABLE: u64 = 1 << 32;
    let mut set = fd as u32 as u64 | READABLE;
    let limit = Timespec { sec: 0, nsec: 1_000_000 };
    let (set, limit) = (&raw mut set as usize, &raw const limit as usize);
    // SAFETY: one pollfd and a time-out. If another thread reads the timer meanwhile, the time-out
    // ends the wait.
    arm(fd, now).is_ok() && unsafe { syscall6(nr::PPOLL, set, 1, limit, 0, 8, 0) >= 0 }
}

#[cfg(all(test, not(loom)))]
pub mod tests {
    use super::*;

    pub fn timer() -> i32 {
        // SAFETY: timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK).
        unsafe { syscall6(283, 1, 0o4000, 0, 0, 0, 0) as i32 }
    }

    pub fn ticks(fd: i32) -> isize {
        let mut count = 0u64;
        // SAFETY: reads 8 bytes.
        let got = unsafe { syscall6(0, fd as usize, &raw mut count as usize, 8, 0, 0, 0) };
        if got == 8 { count as isize } else { got }
    }

    #[test]
    fn both_ways_of_ticking() {
        for way in [set_ticks, expire_really] {
            let fd = timer();
            assert_eq!(ticks(fd), -11);
            assert!(way(fd));
            assert_eq!(ticks(fd), 1);
            assert_eq!(ticks(fd), -11);
        }
        assert!(!set_ticks(-1));
    }
}
