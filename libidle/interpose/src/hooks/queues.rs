//! System V message queues and semaphores, POSIX message queues.
//!
//! A POSIX queue is a descriptor on Linux, so its timed waits are waits for readiness. A System V semaphore can't be
//! waited for together with anything else: semtimedop(2) is made of short real waits under one virtual deadline.

use super::descriptors::kernel_waits;
use super::poll::{outcome, poll_until};
use crate::clockid;
use crate::enter::{What, enter};
use crate::errno::Errno;
use crate::next;
use engine::Reason;
use engine::time::Spec;
use libc::{
    POLLIN, POLLOUT, c_char, c_int, c_long, c_short, c_uint, c_void, mqd_t, pollfd, sembuf, size_t, ssize_t, timespec,
};

kernel_waits! { What::Queue;
    /// msgrcv(2).
    fn msgrcv(id: c_int, msg: *mut c_void, n: size_t, kind: c_long, flags: c_int) -> ssize_t;
    /// msgsnd(2).
    fn msgsnd(id: c_int, msg: *const c_void, n: size_t, flags: c_int) -> c_int;
    /// semop(2).
    fn semop(id: c_int, ops: *mut sembuf, n: size_t) -> c_int;
    /// mq_send(3).
    fn mq_send(queue: mqd_t, msg: *const c_char, n: size_t, priority: c_uint) -> c_int;
    /// mq_receive(3).
    fn mq_receive(queue: mqd_t, msg: *mut c_char, n: size_t, priority: *mut c_uint) -> ssize_t;
}

/// semtimedop(2).
///
/// # Safety
/// As for the C function.
pub unsafe fn semtimedop(id: c_int, ops: *mut sembuf, n: size_t, timeout: *const timespec) -> Result<c_int, Errno> {
    let real = next!(semtimedop: fn(c_int, *mut sembuf, size_t, *const timespec) -> c_int);
    let Some(entry) = enter().filter(|_| !timeout.is_null()) else {
        let entry = enter();
        let _wait = entry.as_ref().map(|e| e.kernel_wait(What::Queue));
        // SAFETY: the caller's arguments.
        return outcome(unsafe { real(id, ops, n, timeout) });
    };
    // SAFETY: the caller's pointer.
    let ns = unsafe { clockid::spec(timeout) }?.nanos().ok_or(Errno(libc::EINVAL))?;
    let deadline = clockid::after(&entry.engine, ns);
    /// Longest real wait at a time: how late, by the real clock, a virtual deadline is noticed.
    const SLICE: timespec = timespec { tv_sec: 0, tv_nsec: 1_000_000 };
    let now = timespec { tv_sec: 0, tv_nsec: 0 };
    loop {
        // SAFETY: the caller's arguments.
        match outcome(unsafe { real(id, ops, n, &now) }) {
            Err(Errno(libc::EAGAIN)) => {}
            done => return done,
        }
        let Some(wait) = entry.kernel_wait_until(What::Queue, deadline, || true) else {
            return Err(Errno(libc::EAGAIN));
        };
        // SAFETY: the caller's arguments.
        let answer = outcome(unsafe { real(id, ops, n, &SLICE) });
        match (answer, wait.end()) {
            (Err(Errno(libc::EAGAIN)), Reason::TimedOut) => return answer,
            (Err(Errno(libc::EAGAIN)), _) => {}
            (done, _) => return done,
        }
    }
}

/// Tries `call` with a time-out that is over, and between the tries waits for the queue to be ready.
///
/// # Safety
/// `until` is as for mq_timedsend(3).
unsafe fn queue_until(
    queue: mqd_t,
    events: c_short,
    until: *const timespec,
    call: impl Fn(*const timespec) -> ssize_t,
) -> Result<ssize_t, Errno> {
    let attempt = |until: *const timespec| {
        let raw = call(until);
        if raw < 0 { Err(Errno(crate::errno::get())) } else { Ok(raw) }
    };
    let Some(entry) = enter().filter(|_| !until.is_null()) else { return attempt(until) };
    const OVER: timespec = timespec { tv_sec: 0, tv_nsec: 0 };
    let over = loop {
        match attempt(&OVER) {
            Err(Errno(libc::ETIMEDOUT)) => {}
            done => return done,
        }
        // SAFETY: the caller's pointer.
        let until: Spec = unsafe { clockid::spec(until) }?;
        let deadline = clockid::instant(&entry.engine, libc::CLOCK_REALTIME, until)?;
        if clockid::reached(&entry.engine, libc::CLOCK_REALTIME, until) {
            break libc::ETIMEDOUT;
        }
        let mut set = pollfd { fd: queue, events, revents: 0 };
        // SAFETY: a set of our own.
        unsafe { poll_until(&entry, &mut set, 1, deadline, std::ptr::null()) }?;
    };
    Err(Errno(over))
}

/// mq_timedsend(3).
///
/// # Safety
/// As for the C function.
pub unsafe fn mq_timedsend(
    queue: mqd_t,
    msg: *const c_char,
    n: size_t,
    priority: c_uint,
    until: *const timespec,
) -> Result<c_int, Errno> {
    let real = next!(mq_timedsend: fn(mqd_t, *const c_char, size_t, c_uint, *const timespec) -> c_int);
    // SAFETY: the caller's arguments.
    unsafe { queue_until(queue, POLLOUT, until, |t| real(queue, msg, n, priority, t) as ssize_t) }.map(|v| v as c_int)
}

/// mq_timedreceive(3).
///
/// # Safety
/// As for the C function.
pub unsafe fn mq_timedreceive(
    queue: mqd_t,
    msg: *mut c_char,
    n: size_t,
    priority: *mut c_uint,
    until: *const timespec,
) -> Result<ssize_t, Errno> {
    let real = next!(mq_timedreceive: fn(mqd_t, *mut c_char, size_t, *mut c_uint, *const timespec) -> ssize_t);
    // SAFETY: the caller's arguments.
    unsafe { queue_until(queue, POLLIN, until, |t| real(queue, msg, n, priority, t)) }
}
