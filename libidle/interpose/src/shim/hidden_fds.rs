//! Descriptors of this library, which the program neither sees nor takes.
//!
//! They have high numbers, so that the program's own numbers stay what they would be. `close` of
//! one fails with EBADF as if it were not there, `close_range` passes it by, and `dup2` onto it
//! moves it elsewhere. There are two kinds: wake fds ([`crate::shim::wake_fd`]) and inherited ones
//! ([`crate::shim::inherited_fds`]).

use crate::shim::fd_set::{FdSet, TRACKED, sets};
use engine::arch::syscall::syscall6;
use engine::sys;

/// Highest number that one takes, where RLIMIT_NOFILE allows: keeps the process's descriptor table
/// small.
const TOP: usize = 1024;
/// Numbers below this are left to the program.
const BOTTOM: usize = 256;
/// Which descriptors of this process are hidden.
static HIDDEN: FdSet<{ sets::HIDDEN }> = FdSet::new();

/// Is `fd` hidden?
#[inline]
pub fn is_hidden(fd: i32) -> bool {
    HIDDEN.contains(fd)
}

/// Is any descriptor hidden?
pub fn any() -> bool {
    HIDDEN.any()
}

/// Hidden descriptors in the range `first..=last`, ascending.
pub fn within(first: u32, last: u32) -> impl Iterator<Item = u32> {
    HIDDEN.within(first, last)
}

/// What `from` was is `to` now.
pub fn moved(from: i32, to: i32) {
    HIDDEN.set(to, true);
    HIDDEN.set(from, false);
}

/// Gives `low` a high number, by a duplicate made with `how`, and hides it from the program.
pub fn hide(low: i32, how: i32) -> Option<i32> {
    let fd = match raise(low as usize, how) {
        Some(high) => {
            close(low);
            high
        }
        None => low,
    };
    if fd as usize >= TRACKED {
        close(fd);
        return None;
    }
    HIDDEN.set(fd, true);
    Some(fd)
}

/// Closes one that is hidden.
pub fn close_hidden(fd: i32) {
    HIDDEN.set(fd, false);
    close(fd);
}

/// `fd` was hidden by the program image before this one.
pub fn stays_hidden(fd: i32) {
    HIDDEN.set(fd, true);
}

/// A duplicate of `low` with a high number.
pub fn raise(low: usize, how: i32) -> Option<i32> {
    let top = descriptor_limit().min(TOP);
    // Downwards in steps that double: F_DUPFD takes the lowest free number from there on.
    let mut room = 16;
    while room < top * 2 {
        let floor = top.saturating_sub(room).max(BOTTOM.min(top / 2));
        // SAFETY: a plain descriptor call.
        let high = unsafe { syscall6(libc::SYS_fcntl, low, how as usize, floor, 0, 0, 0) };
        if high >= 0 {
            return Some(high as i32);
        }
        room *= 2;
    }
    None
}

/// RLIMIT_NOFILE.
pub fn descriptor_limit() -> usize {
    sys::soft_limit(libc::RLIMIT_NOFILE).unwrap_or(0) as usize
}

fn close(fd: i32) {
    // SAFETY: a descriptor of our own.
    unsafe { syscall6(libc::SYS_close, fd as usize, 0, 0, 0, 0, 0) };
}
