//! epoll_wait(2) and its forms. A wait with a time-out polls the epoll descriptor beside the
//! thread's wake fd, then collects without waiting: the wake fd is never put into the program's own
//! set.

use crate::hooks::poll::{limit, poll_until, waiting};
use crate::next;
use crate::shim::entry::{WaitKind, enter};
use crate::shim::errno::outcome;
use crate::shim::readiness::none_ready;
use crate::shim::timer_fds;
use crate::shim::user_memory::begins;
use libc::{POLLIN, c_int, epoll_event, pollfd, sigset_t, timespec};
use posix::clock::Until;
use posix::errno::Errno;
use posix::time::{self, NEVER};
use posix::wait::Call;

fn real(
    fd: c_int,
    events: *mut epoll_event,
    max: c_int,
    timeout: c_int,
    mask: *const sigset_t,
) -> Result<c_int, Errno> {
    let pwait =
        next!(epoll_pwait: fn(c_int, *mut epoll_event, c_int, c_int, *const sigset_t) -> c_int);
    outcome(pwait(fd, events, max, timeout, mask))
}

/// The common part of the calls, with the argument that is each one's time-out.
///
/// # Safety
/// As for epoll_pwait(2).
unsafe fn wait(
    fd: c_int,
    events: *mut epoll_event,
    max: c_int,
    (call, timeout): (Call, u64),
    mask: *const sigset_t,
) -> Result<c_int, Errno> {
    let arguments = [fd as u64, events as u64, max as u64, timeout, mask as u64, 8];
    let Some(entry) = enter() else {
        let begun = begins(call, arguments)?;
        let ms = begun.map_or(-1, |begun| match begun.until {
            Until::After(span) => time::in_millis(span),
            Until::At { .. } => -1,
        });
        return real(fd, events, max, ms, mask);
    };
    let deadline = limit(&entry, call, arguments)?;
    if deadline == NEVER && !timer_fds::any() {
        let _wait = entry.kernel_wait(WaitKind::Ready);
        return real(fd, events, max, -1, mask);
    }
    loop {
        timer_fds::expire(&entry);
        // Another thread may have taken what woke this one: then it waits on.
        let ready = real(fd, events, max, 0, mask)?;
        if ready != 0 || deadline == 0 || entry.now() >= deadline {
            return Ok(ready);
        }
        let mut set = pollfd { fd, events: POLLIN, revents: 0 };
        if deadline == NEVER {
            let Some(_wait) = waiting(&entry, || none_ready(&mut set, 1)) else {
                continue;
            };
            return real(fd, events, max, -1, mask);
        }
        // SAFETY: a set of our own.
        unsafe { poll_until(&entry, &mut set, 1, deadline, mask) }?;
    }
}

/// epoll_wait(2).
///
/// # Safety
/// As for the C function.
pub unsafe fn epoll_wait(
    fd: c_int,
    events: *mut epoll_event,
    max: c_int,
    timeout: c_int,
) -> Result<c_int, Errno> {
    // SAFETY: the caller's arguments.
    unsafe { wait(fd, events, max, (Call::EpollWait, timeout as u64), std::ptr::null()) }
}

/// epoll_pwait(2).
///
/// # Safety
/// As for the C function.
pub unsafe fn epoll_pwait(
    fd: c_int,
    events: *mut epoll_event,
    max: c_int,
    timeout: c_int,
    mask: *const sigset_t,
) -> Result<c_int, Errno> {
    // SAFETY: the caller's arguments.
    unsafe { wait(fd, events, max, (Call::EpollPwait, timeout as u64), mask) }
}

/// epoll_pwait2(2).
///
/// # Safety
/// As for the C function.
pub unsafe fn epoll_pwait2(
    fd: c_int,
    events: *mut epoll_event,
    max: c_int,
    timeout: *const timespec,
    mask: *const sigset_t,
) -> Result<c_int, Errno> {
    // SAFETY: the caller's arguments.
    unsafe { wait(fd, events, max, (Call::EpollPwait2, timeout as u64), mask) }
}
