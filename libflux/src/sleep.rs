//! nanosleep(2), clock_nanosleep(2), usleep(3), sleep(3), thrd_sleep(3): a deadline and nothing
//! else.

use engine::schedule::engine::Moment;
use engine::{Reason, Signals};
use interpose::next;
use interpose::shim::clock_id;
use interpose::shim::entry::{Cause, Entry, What, enter};
use interpose::shim::errno;
use interpose::shim::spin_loop;
use interpose::shim::user_memory;
use libc::{c_int, c_uint, clockid_t, timespec};
use posix::clock::is_virtual;
use posix::errno::Errno;
use posix::time::{NEVER, SECOND, Spec};
use std::sync::atomic::Ordering::Relaxed;

/// Asynchronous cancellation put off while this lives.
///
/// Its signal would unwind the thread from anywhere: with the clock's lock in hand, or in a wait
/// that it begins between the canceller's promise, which says that it runs, and the signal. Put
/// off, it is acted on at the next cancellation point, which a sleep comes to as soon as it has
/// been promised.
struct Deferred(c_int);

const PTHREAD_CANCEL_DEFERRED: c_int = 0;

fn set_cancel_type(to: c_int) -> c_int {
    let mut was = PTHREAD_CANCEL_DEFERRED;
    next!(pthread_setcanceltype: fn(c_int, *mut c_int) -> c_int)(to, &mut was);
    was
}

impl Deferred {
    fn new() -> Deferred {
        Deferred(set_cancel_type(PTHREAD_CANCEL_DEFERRED))
    }

    /// The end of it, not by `Drop`: while the thread is unwound its type is to stay as it is.
    fn end(self) {
        if self.0 != PTHREAD_CANCEL_DEFERRED {
            set_cancel_type(self.0);
        }
    }
}

/// Sleeps until the virtual instant `deadline`, or until a signal handler has run. A cancellation
/// point.
fn sleep_until(entry: &Entry, cause: Cause, at: Moment, deadline: u64) -> Reason {
    let deferred = Deferred::new();
    let reason = sleep_deferred(entry, cause, at, deadline);
    deferred.end();
    reason
}

fn sleep_deferred(entry: &Entry, cause: Cause, mut at: Moment, deadline: u64) -> Reason {
    loop {
        let seq = entry.prepare_cancellable(cause);
        match entry.park_at(Some(at), seq, deadline, Signals::End, false) {
            Reason::Cancelled | Reason::Woken => at = entry.engine.moment(),
            reason => return reason,
        }
    }
}

/// Sleeps for `ns`; on EINTR stores what is left.
fn sleep_for(entry: &Entry, ns: u64) -> Result<(), u64> {
    if ns == 0 {
        entry.cancellation_point();
        spin_loop::futile();
        return Ok(());
    }
    let at = entry.engine.moment();
    let deadline = at.now.saturating_add(ns).min(NEVER - 1);
    // Where a handler that waited itself notes when it came; see `enter::nested`.
    let interrupted = &entry.slot().thread().interrupted_at;
    interrupted.store(0, Relaxed);
    match sleep_until(entry, What::Sleep.into(), at, deadline) {
        Reason::Interrupted => {
            let at = Some(interrupted.load(Relaxed))
                .filter(|&at| at != 0)
                .unwrap_or_else(|| entry.now());
            Err(deadline.saturating_sub(at))
        }
        _ => Ok(()),
    }
}

/// nanosleep(2).
pub fn nanosleep(request: *const timespec, left: *mut timespec) -> Result<c_int, Errno> {
    let Some(entry) = enter() else {
        return Ok(next!(nanosleep: fn(*const timespec, *mut timespec) -> c_int)(request, left));
    };
    let ns = user_memory::spec(request)?.nanos().ok_or(Errno(libc::EINVAL))?;
    sleep_for(&entry, ns).map(|()| 0).map_err(|rest| Errno(store_left(left, rest)))
}

/// Tells what is left of an interrupted sleep; the error number.
fn store_left(left: *mut timespec, ns: u64) -> c_int {
    if user_memory::writable(left) {
        let spec = Spec::from_nanos(ns);
        // SAFETY: writable; the caller of the hook vouches for it.
        unsafe { *left = timespec { tv_sec: spec.sec, tv_nsec: spec.nsec } };
    } else if !left.is_null() {
        return libc::EFAULT;
    }
    libc::EINTR
}

/// clock_nanosleep(2): returns the error number.
pub fn clock_nanosleep(
    id: clockid_t,
    flags: c_int,
    request: *const timespec,
    left: *mut timespec,
) -> c_int {
    let real = next!(
        clock_nanosleep: fn(clockid_t, c_int, *const timespec, *mut timespec) -> c_int
    );
    let Some(entry) = enter().filter(|_| is_virtual(id)) else {
        return real(id, flags, request, left);
    };
    // The clocks that the kernel refuses to sleep on.
    if matches!(
        id,
        libc::CLOCK_MONOTONIC_RAW | libc::CLOCK_REALTIME_COARSE | libc::CLOCK_MONOTONIC_COARSE
    ) {
        return libc::ENOTSUP;
    }
    let request = match user_memory::spec(request) {
        Ok(spec) if spec.nanos().is_some() => spec,
        Ok(_) => return libc::EINVAL,
        Err(Errno(code)) => return code,
    };
    if flags & libc::TIMER_ABSTIME == 0 {
        return match sleep_for(&entry, request.nanos().unwrap_or(0)) {
            Ok(()) => 0,
            Err(rest) => store_left(left, rest),
        };
    }
    // Also where the time has come already.
    entry.cancellation_point();
    if clock_id::reached(&entry.engine, id, request) {
        spin_loop::futile();
        return 0;
    }
    loop {
        let cause = Cause::on(What::Sleep, &entry.engine, id);
        let Ok(deadline) = clock_id::instant(&entry.engine, id, request) else {
            return libc::EINVAL;
        };
        if sleep_until(&entry, cause, entry.engine.moment(), deadline) == Reason::Interrupted {
            return libc::EINTR;
        }
        if clock_id::reached(&entry.engine, id, request) {
            return 0;
        }
    }
}

/// usleep(3).
pub fn usleep(us: c_uint) -> Result<c_int, Errno> {
    let Some(entry) = enter() else {
        return Ok(next!(usleep: fn(c_uint) -> c_int)(us));
    };
    sleep_for(&entry, us as u64 * 1000).map(|()| 0).map_err(|_| Errno(libc::EINTR))
}

/// sleep(3): the seconds left, rounded as glibc does (down, so that 0 means nearly done).
pub fn sleep(seconds: c_uint) -> c_uint {
    let Some(entry) = enter() else {
        return next!(sleep: fn(c_uint) -> c_uint)(seconds);
    };
    match sleep_for(&entry, seconds as u64 * SECOND) {
        Ok(()) => 0,
        Err(rest) => {
            errno::set(libc::EINTR);
            (rest / SECOND) as c_uint
        }
    }
}

/// thrd_sleep(3): 0, -1 when a signal came, another negative value on errors.
pub fn thrd_sleep(request: *const timespec, left: *mut timespec) -> c_int {
    match clock_nanosleep(libc::CLOCK_REALTIME, 0, request, left) {
        0 => 0,
        libc::EINTR => -1,
        _ => -2,
    }
}
