//! nanosleep(2), clock_nanosleep(2), usleep(3), sleep(3), thrd_sleep(3): a deadline and nothing
//! else.

use engine::schedule::engine::Moment;
use engine::{Reason, Signals};
use interpose::next;
use interpose::shim::clock_id::SessionClocks;
use interpose::shim::entry::{Cause, Entry, WaitKind, after_handler, enter};
use interpose::shim::errno;
use interpose::shim::spin_loop;
use interpose::shim::user_memory::{Caller, begins};
use libc::{c_int, c_uint, clockid_t, timespec};
use posix::clock::Until;
use posix::errno::Errno;
use posix::time::{Instant, SECOND, Span};
use posix::wait::{Call, Wait};
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

/// Sleeps for so long; the error is what is left after a handler.
fn sleep_for(entry: &Entry, span: Span) -> Result<(), Span> {
    if span.is_zero() {
        entry.cancellation_point();
        spin_loop::futile();
        return Ok(());
    }
    let at = entry.engine.moment();
    let deadline = Instant::from_ns(at.now).after(span);
    // Where a handler that waited itself notes when it came; see `entry::nested`.
    let interrupted = &entry.slot().thread().interrupted_at;
    interrupted.store(0, Relaxed);
    match sleep_until(entry, WaitKind::Sleep.into(), at, deadline.ns()) {
        Reason::Interrupted => {
            after_handler();
            let at = Some(interrupted.load(Relaxed))
                .filter(|&at| at != 0)
                .unwrap_or_else(|| entry.now());
            Err(deadline - Instant::from_ns(at))
        }
        _ => Ok(()),
    }
}

/// Sleeps until a clock reads that, which may be set meanwhile.
fn sleep_until_reads(entry: &Entry, until: Until) -> Result<(), Errno> {
    let clocks = SessionClocks(&entry.engine);
    // Also where the time has come already.
    entry.cancellation_point();
    loop {
        let cause = Cause::until(WaitKind::Sleep, &entry.engine, until);
        let deadline = until.deadline(&clocks)?;
        let at = entry.engine.moment();
        if deadline <= Instant::from_ns(at.now) {
            spin_loop::futile();
            return Ok(());
        }
        if sleep_until(entry, cause, at, deadline.ns()) == Reason::Interrupted {
            after_handler();
            return Err(Errno::EINTR);
        }
        if until.reached(&clocks) {
            return Ok(());
        }
    }
}

/// Does what the call means, and tells what is left of a sleep that was interrupted.
fn sleeps(entry: &Entry, wait: Wait) -> Result<(), Errno> {
    match wait.until {
        Until::After(span) => {
            sleep_for(entry, span).map_err(|left| match wait.left.tell(&Caller, left, true) {
                Some(()) => Errno::EINTR,
                None => Errno::EFAULT,
            })
        }
        until => sleep_until_reads(entry, until),
    }
}

/// nanosleep(2).
pub fn nanosleep(request: *const timespec, left: *mut timespec) -> Result<c_int, Errno> {
    let Some(entry) = enter() else {
        return Ok(next!(nanosleep: fn(*const timespec, *mut timespec) -> c_int)(request, left));
    };
    let arguments = [request as u64, left as u64, 0, 0, 0, 0];
    match begins(Call::Nanosleep, arguments)? {
        Some(wait) => sleeps(&entry, wait).map(|()| 0),
        None => Ok(0),
    }
}

/// clock_nanosleep(2): returns the error number.
pub fn clock_nanosleep(
    id: clockid_t,
    flags: c_int,
    request: *const timespec,
    left: *mut timespec,
) -> c_int {
    let arguments = [id as u64, flags as u64, request as u64, left as u64, 0, 0];
    let entry = enter();
    let begun = entry.as_ref().map(|_| begins(Call::ClockNanosleep, arguments));
    match (&entry, begun) {
        (Some(entry), Some(Ok(Some(wait)))) => {
            sleeps(entry, wait).map_or_else(|Errno(code)| code, |()| 0)
        }
        (_, Some(Err(Errno(code)))) => code,
        _ => next!(clock_nanosleep: fn(clockid_t, c_int, *const timespec, *mut timespec) -> c_int)(
            id, flags, request, left,
        ),
    }
}

/// usleep(3).
pub fn usleep(us: c_uint) -> Result<c_int, Errno> {
    let Some(entry) = enter() else {
        return Ok(next!(usleep: fn(c_uint) -> c_int)(us));
    };
    sleep_for(&entry, Span::from_us(us as u64)).map(|()| 0).map_err(|_| Errno::EINTR)
}

/// sleep(3): the seconds left, rounded as glibc does (down, so that 0 means nearly done).
pub fn sleep(seconds: c_uint) -> c_uint {
    let Some(entry) = enter() else {
        return next!(sleep: fn(c_uint) -> c_uint)(seconds);
    };
    match sleep_for(&entry, Span::from_secs(seconds as u64)) {
        Ok(()) => 0,
        Err(rest) => {
            errno::set(libc::EINTR);
            (rest.ns() / SECOND) as c_uint
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
