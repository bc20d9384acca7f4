//! close(2), close_range(2), dup2(2), dup3(2): the program must neither see nor take the hidden
//! descriptors.

use crate::next;
use crate::shim::entry::{Entry, WaitKind, enter};
use crate::shim::hidden_fds;
use crate::shim::session;
use crate::shim::tcp_push;
use crate::shim::timer_fds;
use crate::shim::wake_fd;
use crate::shim::written_files;
use engine::arch::syscall::syscall6;
use libc::{c_int, c_uint};
use posix::errno::Errno;

/// close(2).
pub fn close(fd: c_int) -> Result<c_int, Errno> {
    if hidden_fds::is_hidden(fd) {
        return Err(Errno(libc::EBADF));
    }
    let entry = if tcp_push::is_socket(fd) { closes_socket(fd) } else { None };
    forget(fd);
    let _wait = entry.as_ref().map(|entry| entry.kernel_wait(WaitKind::Lingers));
    crate::shim::errno::outcome(next!(close: fn(c_int) -> c_int)(fd))
}

/// TCP socket `fd` is about to be closed. The answer is the thread, if the close may wait.
#[cold]
fn closes_socket(fd: c_int) -> Option<Entry> {
    let entry = enter().filter(|_| !session::in_vfork_child())?;
    let waits = tcp_push::closes(&entry.engine, fd);
    waits.then_some(entry)
}

/// `fd` is about to be closed. Not in a vfork child, whose descriptors are its own.
fn forget(fd: c_int) {
    written_files::closing(fd);
    if (tcp_push::is_socket(fd) || timer_fds::is_timer(fd)) && !session::in_vfork_child() {
        tcp_push::mark(fd, false);
        timer_fds::forget(fd);
    }
}

/// `new` has become a copy of `old`, if it is not negative; likewise.
pub(crate) fn copied(old: c_int, new: c_int) -> c_int {
    let noted = |fd| tcp_push::is_socket(fd) || timer_fds::is_timer(fd);
    if new >= 0 && (noted(old) || noted(new)) && !session::in_vfork_child() {
        tcp_push::mark(new, tcp_push::is_socket(old));
        timer_fds::copied(old, new);
    }
    new
}

/// `new` is about to be closed and become a copy of `old`, if that is open.
fn replaced(old: c_int, new: c_int) {
    let open = || {
        let (old, op) = (old as usize, libc::F_GETFD as usize);
        // SAFETY: plain numbers.
        unsafe { syscall6(libc::SYS_fcntl, old, op, 0, 0, 0, 0) >= 0 }
    };
    let noted = timer_fds::is_timer(new) || tcp_push::is_socket(new) || written_files::noted(new);
    if old != new && noted && open() {
        if tcp_push::is_socket(new) {
            closes_socket(new);
        }
        forget(new);
    }
}

/// dup(2).
pub fn dup(fd: c_int) -> c_int {
    copied(fd, next!(dup: fn(c_int) -> c_int)(fd))
}

/// close_range(2), around the hidden descriptors.
///
/// # Safety
/// As for the C function.
pub unsafe fn close_range(first: c_uint, last: c_uint, flags: c_int) -> Result<c_int, Errno> {
    let range = |a: c_uint, b: c_uint| {
        let (a, b, flags) = (a as usize, b as usize, flags as usize);
        // SAFETY: plain numbers.
        let raw = unsafe { syscall6(libc::SYS_close_range, a, b, flags, 0, 0, 0) };
        posix::errno::result(raw).map(|v| v as c_int)
    };
    if flags & libc::CLOSE_RANGE_CLOEXEC as c_int == 0 && !session::in_vfork_child() {
        written_files::closing_range(first, last);
        timer_fds::forget_range(first, last);
    }
    let mut from = first;
    for fd in hidden_fds::within(first, last) {
        if fd > from {
            range(from, fd - 1)?;
        }
        from = fd + 1;
    }
    if from > last && from != first {
        return Ok(0);
    }
    range(from, last)
}

/// closefrom(3).
///
/// # Safety
/// As for the C function.
pub unsafe fn closefrom(first: c_int) {
    // SAFETY: plain numbers.
    let _ = unsafe { close_range(first.max(0) as c_uint, c_uint::MAX, 0) };
}

/// dup2(2).
pub fn dup2(old: c_int, new: c_int) -> Result<c_int, Errno> {
    if hidden_fds::is_hidden(new) {
        wake_fd::make_way(new);
    }
    replaced(old, new);
    crate::shim::errno::outcome(copied(old, next!(dup2: fn(c_int, c_int) -> c_int)(old, new)))
}

/// dup3(2).
pub fn dup3(old: c_int, new: c_int, flags: c_int) -> Result<c_int, Errno> {
    if hidden_fds::is_hidden(new) {
        wake_fd::make_way(new);
    }
    replaced(old, new);
    crate::shim::errno::outcome(copied(
        old,
        next!(dup3: fn(c_int, c_int, c_int) -> c_int)(old, new, flags),
    ))
}
