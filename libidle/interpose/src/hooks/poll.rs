//! poll(2) and ppoll(2). A wait with a time-out adds the thread's bell to the set.

use crate::bell;
use crate::clockid;
use crate::enter::{Entry, What, enter};
use crate::errno::Errno;
use crate::next;
use crate::scratch::Scratch;
use engine::Reason;
use engine::time::{self, NEVER};
use libc::{POLLIN, c_int, nfds_t, pollfd, sigset_t, timespec};

const NO_WAIT: timespec = timespec { tv_sec: 0, tv_nsec: 0 };

/// What a real call answered, with libc's errno taken out.
pub(crate) fn outcome(raw: c_int) -> Result<c_int, Errno> {
    if raw < 0 { Err(Errno(crate::errno::get())) } else { Ok(raw) }
}

/// # Safety
/// As for ppoll(2).
unsafe fn real_ppoll(fds: *mut pollfd, n: nfds_t, wait: bool, mask: *const sigset_t) -> Result<c_int, Errno> {
    let ppoll = next!(ppoll: fn(*mut pollfd, nfds_t, *const timespec, *const sigset_t) -> c_int);
    // SAFETY: the caller's arguments.
    outcome(unsafe { ppoll(fds, n, if wait { std::ptr::null() } else { &NO_WAIT }, mask) })
}

/// Waits for descriptors until the virtual instant `deadline`; 0 when it comes. Asks without waiting first, so a call
/// that finds something to do costs no more than the real one.
///
/// # Safety
/// As for ppoll(2).
pub unsafe fn poll_until(
    entry: &Entry,
    fds: *mut pollfd,
    n: nfds_t,
    deadline: u64,
    mask: *const sigset_t,
) -> Result<c_int, Errno> {
    // SAFETY: the caller's arguments.
    let ready = unsafe { real_ppoll(fds, n, false, mask) }?;
    if ready != 0 || deadline == 0 {
        return Ok(ready);
    }
    if deadline == NEVER {
        let _wait = entry.kernel_wait(What::Ready);
        // SAFETY: the caller's arguments.
        return unsafe { real_ppoll(fds, n, true, mask) };
    }
    let bell = bell::mine(entry).ok_or(Errno(libc::ENOMEM))?;
    let count = n as usize;
    // SAFETY: a zeroed pollfd is valid.
    let mut copy = unsafe { Scratch::<pollfd, 32>::zeroed(count + 1) }.ok_or(Errno(libc::ENOMEM))?;
    let set = copy.slice();
    if count != 0 {
        // SAFETY: the kernel has just read these n entries.
        set[..count].copy_from_slice(unsafe { std::slice::from_raw_parts(fds, count) });
    }
    set[count] = pollfd { fd: bell, events: POLLIN, revents: 0 };
    loop {
        // SAFETY: the caller's arguments.
        let still = || unsafe { real_ppoll(fds, n, false, mask) } == Ok(0);
        let Some(wait) = entry.kernel_wait_until(What::Ready, deadline, still) else {
            // SAFETY: the caller's arguments.
            return unsafe { real_ppoll(fds, n, false, mask) };
        };
        // SAFETY: n + 1 entries of our own.
        let ready = unsafe { real_ppoll(set.as_mut_ptr(), n + 1, true, mask) };
        let reason = wait.end();
        let rung = set[count].revents != 0;
        if rung {
            bell::drain(bell);
        }
        let ready = ready? - rung as c_int;
        if ready > 0 {
            for (i, entry) in set[..count].iter().enumerate() {
                // SAFETY: i < n.
                unsafe { (*fds.add(i)).revents = entry.revents };
            }
            return Ok(ready);
        }
        if reason == Reason::TimedOut {
            return Ok(0);
        }
    }
}

/// The virtual instant that a duration leads to; 0 for "do not wait", [`NEVER`] for none.
pub fn limit(entry: &Entry, duration: Option<u64>) -> u64 {
    match duration {
        None => NEVER,
        Some(0) => 0,
        Some(ns) => clockid::after(&entry.engine, ns),
    }
}

/// poll(2).
///
/// # Safety
/// As for the C function.
pub unsafe fn poll(fds: *mut pollfd, n: nfds_t, timeout: c_int) -> Result<c_int, Errno> {
    let Some(entry) = enter() else {
        // SAFETY: the caller's arguments.
        return outcome(unsafe { next!(poll: fn(*mut pollfd, nfds_t, c_int) -> c_int)(fds, n, timeout) });
    };
    if timeout < 0 {
        let _wait = entry.kernel_wait(What::Ready);
        // SAFETY: the caller's arguments.
        return outcome(unsafe { next!(poll: fn(*mut pollfd, nfds_t, c_int) -> c_int)(fds, n, timeout) });
    }
    // SAFETY: the caller's arguments.
    unsafe { poll_until(&entry, fds, n, limit(&entry, time::millis(timeout)), std::ptr::null()) }
}

/// ppoll(2), as glibc has it: the time-out is not changed.
///
/// # Safety
/// As for the C function.
pub unsafe fn ppoll(
    fds: *mut pollfd,
    n: nfds_t,
    timeout: *const timespec,
    mask: *const sigset_t,
) -> Result<c_int, Errno> {
    let ppoll = next!(ppoll: fn(*mut pollfd, nfds_t, *const timespec, *const sigset_t) -> c_int);
    let Some(entry) = enter() else {
        // SAFETY: the caller's arguments.
        return outcome(unsafe { ppoll(fds, n, timeout, mask) });
    };
    if timeout.is_null() {
        let _wait = entry.kernel_wait(What::Ready);
        // SAFETY: the caller's arguments.
        return outcome(unsafe { ppoll(fds, n, timeout, mask) });
    }
    // SAFETY: the caller's arguments.
    unsafe {
        let ns = clockid::spec(timeout)?.nanos().ok_or(Errno(libc::EINVAL))?;
        poll_until(&entry, fds, n, limit(&entry, Some(ns)), mask)
    }
}

/// __poll_chk and __ppoll_chk (`_FORTIFY_SOURCE`): the buffer must hold the entries.
///
/// # Safety
/// As for poll(2).
pub unsafe fn poll_chk(fds: *mut pollfd, n: nfds_t, timeout: c_int, size: usize) -> Result<c_int, Errno> {
    check_size(n, size);
    // SAFETY: the caller's arguments.
    unsafe { poll(fds, n, timeout) }
}

/// See [`poll_chk`].
///
/// # Safety
/// As for ppoll(2).
pub unsafe fn ppoll_chk(
    fds: *mut pollfd,
    n: nfds_t,
    timeout: *const timespec,
    mask: *const sigset_t,
    size: usize,
) -> Result<c_int, Errno> {
    check_size(n, size);
    // SAFETY: the caller's arguments.
    unsafe { ppoll(fds, n, timeout, mask) }
}

fn check_size(n: nfds_t, size: usize) {
    if size / size_of::<pollfd>() < n as usize {
        // SAFETY: ends the program, as glibc does.
        unsafe { next!(__chk_fail: fn() -> ())() };
    }
}
