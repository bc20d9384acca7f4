//! poll(2) and ppoll(2). A wait with a time-out adds the thread's wake fd to the set.

use crate::next;
use crate::shim::clock_id::SessionClocks;
use crate::shim::entry::{Cause, Entry, KernelWait, WaitKind, enter};
use crate::shim::errno::outcome;
use crate::shim::polling_wait;
use crate::shim::readiness::{NO_LIMIT, NO_WAIT, none_ready};
use crate::shim::scratch::Scratch;
use crate::shim::timer_fds;
use crate::shim::user_memory::begins;
use crate::shim::wake_fd;
use engine::Reason;
use engine::arch::syscall::syscall6;
use libc::{POLLIN, c_int, nfds_t, pollfd, sigset_t, timespec};
use posix::clock::Until;
use posix::errno::{self, Errno};
use posix::time::{Instant, NEVER};
use posix::wait::Call;

fn real_ppoll(
    fds: *mut pollfd,
    n: nfds_t,
    wait: *const timespec,
    mask: *const sigset_t,
) -> Result<c_int, Errno> {
    let ppoll = next!(ppoll: fn(*mut pollfd, nfds_t, *const timespec, *const sigset_t) -> c_int);
    outcome(ppoll(fds, n, wait, mask))
}

/// What is ready now. A call of the library's own, which no filter stops; a cancellation point like
/// the one that waits.
fn ready_now(
    entry: &Entry,
    fds: *mut pollfd,
    n: nfds_t,
    mask: *const sigset_t,
) -> Result<c_int, Errno> {
    entry.cancellation_point();
    let mut now = NO_WAIT;
    // SAFETY: the kernel checks the addresses; it writes what ppoll(2) writes, and the time-out.
    let raw = unsafe {
        syscall6(
            libc::SYS_ppoll,
            fds as usize,
            n as usize,
            &raw mut now as usize,
            mask as usize,
            8,
            0,
        )
    };
    errno::result(raw).map(|ready| ready as c_int)
}

/// A wait for readiness without a deadline, if there is any reason to wait: timers may make it end
/// at once.
pub(crate) fn waiting(entry: &Entry, still: impl FnMut() -> bool) -> Option<KernelWait<'_>> {
    if timer_fds::any() {
        entry.kernel_wait_turning(WaitKind::Ready, still)
    } else {
        Some(entry.kernel_wait(WaitKind::Ready))
    }
}

/// Waits for descriptors until the virtual instant `deadline`; 0 when it comes. Asks without
/// waiting first, so a call that finds something to do costs no more than the real one.
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
    // SAFETY: what is called has this function's contract.
    unsafe { poll_for(entry, WaitKind::Ready.into(), fds, n, deadline, mask) }
}

/// The same for a wait that is to be known as `cause`.
///
/// # Safety
/// As for ppoll(2).
pub unsafe fn poll_for(
    entry: &Entry,
    cause: Cause,
    fds: *mut pollfd,
    n: nfds_t,
    deadline: u64,
    mask: *const sigset_t,
) -> Result<c_int, Errno> {
    timer_fds::expire(entry);
    let ready = ready_now(entry, fds, n, mask)?;
    if ready != 0 || deadline == 0 {
        return Ok(ready);
    }
    if deadline == NEVER {
        return poll_endless(entry, fds, n, mask);
    }
    let count = n as usize;
    // SAFETY: a zeroed pollfd is valid.
    let copy = unsafe { Scratch::<pollfd, 32>::zeroed(count + 1) };
    let (Some(wake), Some(mut copy)) = (wake_fd::mine(entry), copy) else {
        return poll_slices(entry, cause, fds, n, deadline, mask);
    };
    let set = copy.slice();
    if count != 0 {
        // SAFETY: the kernel has just read these n entries.
        set[..count].copy_from_slice(unsafe { std::slice::from_raw_parts(fds, count) });
    }
    set[count] = pollfd { fd: wake, events: POLLIN, revents: 0 };
    loop {
        let still = || none_ready(fds, n);
        let Some(mut wait) = entry.kernel_wait_until(cause, deadline, still) else {
            return ready_now(entry, fds, n, mask);
        };
        let ready = loop {
            let ready = real_ppoll(set.as_mut_ptr(), n + 1, &wait.timespec(), mask);
            if ready != Ok(0) || wait.passed() {
                break ready;
            }
        };
        let reason = wait.end();
        if ready == Err(Errno(libc::EINVAL)) {
            // One more entry than RLIMIT_NOFILE allows.
            return poll_slices(entry, cause, fds, n, deadline, mask);
        }
        let woken = set[count].revents != 0;
        if woken {
            wake_fd::drain(wake);
        }
        let ready = ready? - woken as c_int;
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

/// The same without a time-out.
fn poll_endless(
    entry: &Entry,
    fds: *mut pollfd,
    n: nfds_t,
    mask: *const sigset_t,
) -> Result<c_int, Errno> {
    loop {
        if let Some(_wait) = waiting(entry, || none_ready(fds, n)) {
            return real_ppoll(fds, n, NO_LIMIT, mask);
        }
        // Somebody else may have been quicker.
        let ready = ready_now(entry, fds, n, mask)?;
        if ready != 0 {
            return Ok(ready);
        }
    }
}

/// The same without a wake fd.
fn poll_slices(
    entry: &Entry,
    cause: Cause,
    fds: *mut pollfd,
    n: nfds_t,
    deadline: u64,
    mask: *const sigset_t,
) -> Result<c_int, Errno> {
    let ask = |slice: Option<(&timespec, *const sigset_t)>| match slice {
        None => (!none_ready(fds, n)).then_some(Ok(0)),
        Some((time, mask)) => {
            Some(real_ppoll(fds, n, time, mask)).filter(|&answer| answer != Ok(0))
        }
    };
    polling_wait::wait(entry, cause, deadline, mask, ask)
        .unwrap_or_else(|| ready_now(entry, fds, n, mask))
}

/// The virtual instant until which `call` waits: 0 if it only asks, [`NEVER`] without a time-out.
#[inline(always)]
pub fn limit(entry: &Entry, call: Call, arguments: [u64; 6]) -> Result<u64, Errno> {
    match begins(call, arguments)?.map(|wait| wait.until) {
        None => Ok(NEVER),
        Some(Until::After(span)) if span.is_zero() => Ok(0),
        Some(until) => until.deadline(&SessionClocks(&entry.engine)).map(Instant::ns),
    }
}

/// poll(2).
///
/// # Safety
/// As for the C function.
pub unsafe fn poll(fds: *mut pollfd, n: nfds_t, timeout: c_int) -> Result<c_int, Errno> {
    let Some(entry) = enter() else {
        return outcome(next!(poll: fn(*mut pollfd, nfds_t, c_int) -> c_int)(fds, n, timeout));
    };
    if timeout < 0 && !timer_fds::any() {
        let _wait = entry.kernel_wait(WaitKind::Ready);
        return outcome(next!(poll: fn(*mut pollfd, nfds_t, c_int) -> c_int)(fds, n, timeout));
    }
    // SAFETY: the caller's arguments.
    unsafe {
        let deadline = limit(&entry, Call::Poll, [fds as u64, n, timeout as u64, 0, 0, 0])?;
        poll_until(&entry, fds, n, deadline, std::ptr::null())
    }
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
        return outcome(ppoll(fds, n, timeout, mask));
    };
    if timeout.is_null() && !timer_fds::any() {
        let _wait = entry.kernel_wait(WaitKind::Ready);
        return outcome(ppoll(fds, n, timeout, mask));
    }
    // SAFETY: what is called has this function's contract.
    unsafe {
        let arguments = [fds as u64, n, timeout as u64, mask as u64, 0, 0];
        poll_until(&entry, fds, n, limit(&entry, Call::Ppoll, arguments)?, mask)
    }
}

/// __poll_chk and __ppoll_chk (`_FORTIFY_SOURCE`): the buffer must hold the entries.
///
/// # Safety
/// As for poll(2).
pub unsafe fn poll_chk(
    fds: *mut pollfd,
    n: nfds_t,
    timeout: c_int,
    size: usize,
) -> Result<c_int, Errno> {
    check_size(n, size);
    // SAFETY: what is called has this function's contract.
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
    // SAFETY: what is called has this function's contract.
    unsafe { ppoll(fds, n, timeout, mask) }
}

fn check_size(n: nfds_t, size: usize) {
    if size / size_of::<pollfd>() < n as usize {
        next!(__chk_fail: fn() -> ())();
    }
}
