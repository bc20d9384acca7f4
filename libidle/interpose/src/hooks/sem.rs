//! sem_*: semaphores. The value and the count of waiters stay exactly where glibc keeps them, so
//! `sem_getvalue`, `sem_init` and `sem_open` are glibc's own. An uncontended post or wait is one
//! atomic operation.
//!
//! Waiters of a private semaphore queue in [`crate::shim::wait_queue`]; a process-shared or named
//! one is waited for in the kernel with glibc's protocol, so processes without this library can
//! take part.
//!
//! No wake-up is lost: a waiter counts itself before it looks at the value for the last time; a
//! poster raises the value before it looks at the count.

use crate::next;
use crate::shim::clock_id;
use crate::shim::entry::{Cause, Entry, WaitKind, after_handler, enter};
use crate::shim::kernel_futex;
use crate::shim::session;
use crate::shim::user_memory;
use crate::shim::wait_queue::{self, Key};
use engine::{Reason, Signals};
use libc::{c_int, clockid_t, sem_t, timespec};
use posix::errno::Errno;
use posix::time::{NEVER, Spec};
use std::sync::atomic::Ordering::SeqCst;
use std::sync::atomic::{AtomicU32, AtomicU64};

/// glibc's layout on 64-bit machines (`struct new_sem`).
#[repr(C)]
struct Sem {
    /// Value in the low half, waiters in the high half.
    data: AtomicU64,
    /// Not zero when process-shared.
    shared: u32,
}

const WAITER: u64 = 1 << 32;

impl Sem {
    fn try_take(&self, waiter: bool) -> bool {
        let mut seen = self.data.load(SeqCst);
        while seen as u32 != 0 {
            let next = seen - 1 - if waiter { WAITER } else { 0 };
            match self.data.compare_exchange_weak(seen, next, SeqCst, SeqCst) {
                Ok(_) => return true,
                Err(now) => seen = now,
            }
        }
        false
    }

    fn value(&self) -> &AtomicU32 {
        // SAFETY: the low half of `data` (little-endian) is the value; the kernel waits on these
        // four bytes.
        unsafe { &*(&raw const self.data as *const AtomicU32) }
    }
}

fn view<'a>(sem: *mut sem_t) -> &'a Sem {
    // SAFETY: a hook has a semaphore here, which has this layout.
    unsafe { &*(sem as *const Sem) }
}

/// Counts a waiter in, and out again however the wait ends (cancellation unwinds).
struct Counted<'a>(&'a Sem, bool);

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        if self.1 {
            self.0.data.fetch_sub(WAITER, SeqCst);
        }
    }
}

/// Waits until the semaphore is taken or the instant comes.
fn take(
    entry: &Entry,
    sem: *mut sem_t,
    instant: Option<(clockid_t, Spec)>,
) -> Result<Reason, Errno> {
    let object = view(sem);
    object.data.fetch_add(WAITER, SeqCst);
    let mut counted = Counted(object, true);
    loop {
        let cancels = entry.cancels();
        entry.cancellation_point();
        if object.try_take(true) {
            counted.1 = false;
            return Ok(Reason::Woken);
        }
        let (cause, until) = match instant {
            None => (WaitKind::Sem.into(), NEVER),
            Some((clock, at)) => (
                Cause::on(WaitKind::Sem, &entry.engine, clock),
                clock_id::instant(&entry.engine, clock, at)?,
            ),
        };
        let reason = if object.shared != 0 {
            kernel_futex::wait(entry, cause, object.value(), 0, false, until, Some(cancels))
        } else {
            let signals = if until == NEVER { Signals::EndUnlessRestart } else { Signals::End };
            let ready = || object.data.load(SeqCst) as u32 != 0;
            match wait_queue::enqueue(entry, cause, Key::any(sem), ready) {
                Some(place) => place.wait(until, signals, Some(cancels)),
                None => Reason::Woken,
            }
        };
        match reason {
            Reason::Woken | Reason::Cancelled => {}
            Reason::Interrupted => {
                after_handler();
                return Err(Errno(libc::EINTR));
            }
            Reason::TimedOut if object.try_take(true) => {
                counted.1 = false;
                return Ok(Reason::Woken);
            }
            Reason::TimedOut => return Ok(Reason::TimedOut),
        }
    }
}

/// A wait is a cancellation point even where it need not wait.
#[inline]
fn cancellation_point() {
    next!(pthread_testcancel: fn() -> ())();
}

/// sem_wait(3).
pub fn wait(sem: *mut sem_t) -> Result<c_int, Errno> {
    cancellation_point();
    if view(sem).try_take(false) {
        return Ok(0);
    }
    let Some(entry) = enter() else {
        return crate::shim::errno::outcome(next!(sem_wait: fn(*mut sem_t) -> c_int)(sem));
    };
    take(&entry, sem, None).map(|_| 0)
}

/// sem_trywait(3).
pub fn trywait(sem: *mut sem_t) -> Result<c_int, Errno> {
    if view(sem).try_take(false) { Ok(0) } else { Err(Errno(libc::EAGAIN)) }
}

fn timed(entry: &Entry, sem: *mut sem_t, clock: clockid_t, until: Spec) -> Result<c_int, Errno> {
    if until.instant().is_none() {
        return Err(Errno(libc::EINVAL));
    }
    loop {
        match take(entry, sem, Some((clock, until)))? {
            Reason::Woken => return Ok(0),
            _ if clock_id::reached(&entry.engine, clock, until) => {
                return Err(Errno(libc::ETIMEDOUT));
            }
            _ => {}
        }
    }
}

/// sem_timedwait(3).
pub fn timedwait(sem: *mut sem_t, until: *const timespec) -> Result<c_int, Errno> {
    clockwait(sem, libc::CLOCK_REALTIME, until)
}

/// sem_clockwait(3).
pub fn clockwait(
    sem: *mut sem_t,
    clock: clockid_t,
    until: *const timespec,
) -> Result<c_int, Errno> {
    if !matches!(clock, libc::CLOCK_REALTIME | libc::CLOCK_MONOTONIC) {
        return Err(Errno(libc::EINVAL));
    }
    let spec = user_memory::spec(until);
    if spec.is_ok_and(|s| s.instant().is_some()) {
        cancellation_point();
        if view(sem).try_take(false) {
            return Ok(0);
        }
    }
    let Some(entry) = enter() else {
        let real = next!(sem_clockwait: fn(*mut sem_t, clockid_t, *const timespec) -> c_int);
        return crate::shim::errno::outcome(real(sem, clock, until));
    };
    timed(&entry, sem, clock, spec?)
}

/// sem_post(3). Async-signal-safe.
pub fn post(sem: *mut sem_t) -> Result<c_int, Errno> {
    let object = view(sem);
    let mut seen = object.data.load(SeqCst);
    loop {
        if seen as u32 >= i32::MAX as u32 {
            return Err(Errno(libc::EOVERFLOW));
        }
        match object.data.compare_exchange_weak(seen, seen + 1, SeqCst, SeqCst) {
            Ok(_) => break,
            Err(now) => seen = now,
        }
    }
    if seen >= WAITER {
        if object.shared != 0 {
            kernel_futex::wake(object.value(), 1, false);
        } else {
            match session::engine() {
                Some(engine) => wait_queue::wake(&engine, Key::any(sem), 1, |_| true),
                None => kernel_futex::wake(object.value(), 1, true) as u32,
            };
        }
    }
    Ok(0)
}
