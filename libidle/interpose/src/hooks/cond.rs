//! pthread_cond_*: condition variables.
//!
//! A private one needs nothing but its address: waiters queue in [`crate::shim::wait_queue`], so
//! static initialisers, zeroed memory and `std::condition_variable` work as they are, and glibc's
//! functions are never called on it. Its first bytes hold our own mark of the clock, written by
//! `pthread_cond_init`; all zero means CLOCK_REALTIME, as POSIX has it. A process-shared one is a
//! counter that signallers raise and wake in the kernel (as in Bionic): kernel waits.

use crate::hooks::locks;
use crate::next;
use crate::shim::clock_id;
use crate::shim::entry::{Cause, Entry, WaitKind, enter};
use crate::shim::kernel_futex;
use crate::shim::session;
use crate::shim::user_memory;
use crate::shim::wait_queue::{self, Key};
use engine::{Reason, Signals};
use libc::{c_int, clockid_t, pthread_cond_t, pthread_condattr_t, pthread_mutex_t, timespec};
use posix::errno::Errno;
use posix::time::{NEVER, Spec};
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::SeqCst;

/// Marks a process-shared condition of ours.
const SHARED: u32 = 0x5ea1_ed00;

/// Our view of the 48 bytes.
#[repr(C)]
struct Cond {
    clock: u32,
    shared: u32,
    counter: AtomicU32,
    waiters: AtomicU32,
    rest: [u64; 4],
}

const _: () = assert!(size_of::<Cond>() == size_of::<pthread_cond_t>());

fn view<'a>(cond: *mut pthread_cond_t) -> &'a Cond {
    // SAFETY: a hook has a condition variable here; Cond has its size and alignment.
    unsafe { &*(cond as *const Cond) }
}

/// A real function on a condition variable, for processes outside a session. `dlsym` may answer
/// with the version of before glibc 2.3.2, so the version is named.
macro_rules! real {
    ($name:ident: fn($($t:ty),*)) => {
        crate::next!(@ stringify!($name), Some(c"GLIBC_2.3.2"), fn($($t),*) -> c_int)
    };
}

/// pthread_cond_init(3).
///
/// # Safety
/// As for the C function.
pub unsafe fn init(cond: *mut pthread_cond_t, attr: *const pthread_condattr_t) -> c_int {
    if session::engine().is_none() {
        return real!(pthread_cond_init: fn(*mut pthread_cond_t, *const pthread_condattr_t))(
            cond, attr,
        );
    }
    let (mut clock, mut shared): (clockid_t, c_int) = (0, 0);
    // SAFETY: an attribute that is not null is initialised; the condition variable is not in use.
    unsafe {
        if !attr.is_null() {
            libc::pthread_condattr_getclock(attr, &mut clock);
            libc::pthread_condattr_getpshared(attr, &mut shared);
        }
        (cond as *mut Cond).write(Cond {
            clock: clock as u32,
            shared: if shared == libc::PTHREAD_PROCESS_SHARED { SHARED } else { 0 },
            counter: AtomicU32::new(0),
            waiters: AtomicU32::new(0),
            rest: [0; 4],
        });
    }
    0
}

/// pthread_cond_destroy(3). Of a private one nothing is held; a shared one's waiters, woken before,
/// may still be about to look at it, so it waits until they have left, as glibc's does.
pub fn destroy(cond: *mut pthread_cond_t) -> c_int {
    if session::engine().is_none() {
        return real!(pthread_cond_destroy: fn(*mut pthread_cond_t))(cond);
    }
    let object = view(cond);
    if object.shared == SHARED
        && let Some(entry) = enter()
    {
        let mut seen = object.waiters.fetch_or(DESTROYED, SeqCst) | DESTROYED;
        while seen != DESTROYED {
            kernel_futex::wait(&entry, WaitKind::Cond, &object.waiters, seen, false, NEVER, None);
            seen = object.waiters.load(SeqCst);
        }
    }
    0
}

/// In the count of waiters: somebody waits for it to become zero.
const DESTROYED: u32 = 1 << 31;

/// A waiter of a shared condition, until dropped (cancellation unwinds).
struct Counted<'a>(&'a AtomicU32);

impl Counted<'_> {
    fn new(object: &Cond) -> Counted<'_> {
        object.waiters.fetch_add(1, SeqCst);
        Counted(&object.waiters)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        if self.0.fetch_sub(1, SeqCst) == DESTROYED + 1 {
            // The condition may be gone by now: its address is all that is used.
            kernel_futex::wake(self.0, 1, false);
        }
    }
}

/// One wait, with the mutex given up and taken back. Cancellation is acted on with the mutex held,
/// as POSIX wants.
fn wait_until(
    entry: &Entry,
    cond: *mut pthread_cond_t,
    mutex: *mut pthread_mutex_t,
    (cause, deadline): (Cause, u64),
) -> Result<Reason, c_int> {
    let cancels = entry.cancels();
    entry.cancellation_point();
    let object = view(cond);
    let reason = if object.shared == SHARED {
        let seen = object.counter.load(SeqCst);
        let _counted = Counted::new(object);
        match locks::unlock(mutex) {
            0 => kernel_futex::wait(
                entry,
                cause,
                &object.counter,
                seen,
                false,
                deadline,
                Some(cancels),
            ),
            code => return Err(code),
        }
    } else {
        let Some(place) = wait_queue::enqueue(entry, cause, Key::cond(cond), || false) else {
            return Err(libc::EINVAL);
        };
        match locks::unlock(mutex) {
            0 => place.wait(deadline, Signals::Ignore, Some(cancels)),
            code => {
                place.leave();
                return Err(code);
            }
        }
    };
    let locked = locks::lock_entered(entry, mutex);
    if reason == Reason::Cancelled {
        entry.cancellation_point();
    }
    // EOWNERDEAD too comes before what became of the wait: the mutex is held, and its user must be
    // told.
    if locked == 0 { Ok(reason) } else { Err(locked) }
}

/// pthread_cond_wait(3).
pub fn wait(cond: *mut pthread_cond_t, mutex: *mut pthread_mutex_t) -> c_int {
    let Some(entry) = enter() else {
        return real!(pthread_cond_wait: fn(*mut pthread_cond_t, *mut pthread_mutex_t))(
            cond, mutex,
        );
    };
    match wait_until(&entry, cond, mutex, (WaitKind::Cond.into(), NEVER)) {
        Ok(_) => 0,
        Err(code) => code,
    }
}

fn timed(
    entry: &Entry,
    cond: *mut pthread_cond_t,
    mutex: *mut pthread_mutex_t,
    clock: clockid_t,
    until: Spec,
) -> c_int {
    if until.instant().is_none() || !matches!(clock, libc::CLOCK_REALTIME | libc::CLOCK_MONOTONIC) {
        return libc::EINVAL;
    }
    let cause = Cause::on(WaitKind::Cond, &entry.engine, clock);
    let deadline = match clock_id::instant(&entry.engine, clock, until) {
        Ok(at) => at,
        Err(Errno(code)) => return code,
    };
    match wait_until(entry, cond, mutex, (cause, deadline)) {
        Ok(Reason::TimedOut) if clock_id::reached(&entry.engine, clock, until) => libc::ETIMEDOUT,
        // Also where the clock was set and the time has not come: the condition may have been
        // signalled just then.
        Ok(_) => 0,
        Err(code) => code,
    }
}

/// pthread_cond_timedwait(3), on the clock of the condition's attribute.
pub fn timedwait(
    cond: *mut pthread_cond_t,
    mutex: *mut pthread_mutex_t,
    until: *const timespec,
) -> c_int {
    let Some(entry) = enter() else {
        return real!(
            pthread_cond_timedwait:
            fn(*mut pthread_cond_t, *mut pthread_mutex_t, *const timespec)
        )(cond, mutex, until);
    };
    let clock = view(cond).clock as clockid_t;
    match user_memory::spec(until) {
        Ok(until) => timed(&entry, cond, mutex, clock, until),
        Err(_) => libc::EINVAL,
    }
}

/// pthread_cond_clockwait(3): what C++'s timed waits call.
pub fn clockwait(
    cond: *mut pthread_cond_t,
    mutex: *mut pthread_mutex_t,
    clock: clockid_t,
    until: *const timespec,
) -> c_int {
    let Some(entry) = enter() else {
        let real = next!(
            pthread_cond_clockwait: fn(
                *mut pthread_cond_t, *mut pthread_mutex_t, clockid_t, *const timespec
            ) -> c_int
        );
        return real(cond, mutex, clock, until);
    };
    match user_memory::spec(until) {
        Ok(until) => timed(&entry, cond, mutex, clock, until),
        Err(_) => libc::EINVAL,
    }
}

fn wake(cond: *mut pthread_cond_t, count: u32) -> c_int {
    let object = view(cond);
    if object.shared == SHARED {
        object.counter.fetch_add(1, SeqCst);
        if object.waiters.load(SeqCst) != 0 {
            kernel_futex::wake(&object.counter, count.min(i32::MAX as u32), false);
        }
    } else if !wait_queue::nobody(Key::cond(cond))
        && let Some(engine) = session::engine()
    {
        wait_queue::wake(&engine, Key::cond(cond), count, |_| true);
    }
    0
}

/// pthread_cond_signal(3).
pub fn signal(cond: *mut pthread_cond_t) -> c_int {
    if session::engine().is_none() {
        return real!(pthread_cond_signal: fn(*mut pthread_cond_t))(cond);
    }
    wake(cond, 1)
}

/// pthread_cond_broadcast(3).
pub fn broadcast(cond: *mut pthread_cond_t) -> c_int {
    if session::engine().is_none() {
        return real!(pthread_cond_broadcast: fn(*mut pthread_cond_t))(cond);
    }
    wake(cond, u32::MAX)
}

/// The answers of C11's functions: thrd_success 0, thrd_busy 1, thrd_error 2, thrd_nomem 3,
/// thrd_timedout 4.
pub fn c11(code: c_int) -> c_int {
    match code {
        0 => 0,
        libc::EBUSY => 1,
        libc::ENOMEM => 3,
        libc::ETIMEDOUT => 4,
        _ => 2,
    }
}
