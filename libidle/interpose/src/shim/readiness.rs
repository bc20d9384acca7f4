//! Whether descriptors are ready, asked without waiting.

use engine::arch::syscall::syscall6;
use libc::{nfds_t, pollfd, timespec};

/// Do not wait.
pub const NO_WAIT: timespec = timespec { tv_sec: 0, tv_nsec: 0 };
/// Wait for ever.
pub const NO_LIMIT: *const timespec = std::ptr::null();

/// Is nothing ready? For under the clock's lock: no cancellation point, and no handler runs by the
/// caller's mask, which would then have run without an EINTR to show for it.
pub fn none_ready(fds: *mut pollfd, n: nfds_t) -> bool {
    let mut now = NO_WAIT;
    // SAFETY: the kernel checks the addresses; it writes what poll(2) writes, and the time-out.
    unsafe {
        syscall6(libc::SYS_ppoll, fds as usize, n as usize, &raw mut now as usize, 0, 8, 0) == 0
    }
}
