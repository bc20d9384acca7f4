//! Mutexes, read-write locks and barriers stay glibc's; a contended one is a kernel wait, an
//! uncontended one costs a try. Only waits with a time-out need more, because glibc would time them
//! by the real clock.

use crate::next;
use crate::patience::SLICE;
use crate::shim::clock_id;
use crate::shim::entry::{Cause, Entry, WaitKind, enter};
use crate::shim::kernel_futex;
use crate::shim::session;
use crate::shim::user_memory;
use libc::{c_int, clockid_t, pthread_mutex_t, pthread_rwlock_t, timespec};
use posix::time::{NEVER, Spec};
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::SeqCst;

/// glibc's mutex on x86-64, as far as it is needed.
#[repr(C)]
struct Mutex {
    /// 0 free, 1 taken, 2 taken and waited for (of the kinds below [`PLAIN`]).
    lock: AtomicU32,
    count: u32,
    owner: u32,
    users: u32,
    kind: u32,
}

/// Kinds 0 to 3: normal, recursive, error-checking, adaptive; higher bits are robust, priority and
/// sharing.
const PLAIN: u32 = 127 - 3;
const SHARED: u32 = 128;

fn try_lock(mutex: *mut pthread_mutex_t) -> c_int {
    next!(pthread_mutex_trylock: fn(*mut pthread_mutex_t) -> c_int)(mutex)
}

/// The real pthread_mutex_unlock(3).
pub fn unlock(mutex: *mut pthread_mutex_t) -> c_int {
    next!(pthread_mutex_unlock: fn(*mut pthread_mutex_t) -> c_int)(mutex)
}

/// pthread_mutex_lock(3).
#[inline]
pub fn mutex_lock(mutex: *mut pthread_mutex_t) -> c_int {
    match try_lock(mutex) {
        libc::EBUSY => {}
        done => return done,
    }
    match enter() {
        Some(entry) => lock_contended(&entry, mutex),
        None => next!(pthread_mutex_lock: fn(*mut pthread_mutex_t) -> c_int)(mutex),
    }
}

/// The same from inside another hook.
pub fn lock_entered(entry: &Entry, mutex: *mut pthread_mutex_t) -> c_int {
    match try_lock(mutex) {
        libc::EBUSY => lock_contended(entry, mutex),
        done => done,
    }
}

fn lock_contended(entry: &Entry, mutex: *mut pthread_mutex_t) -> c_int {
    let _wait = entry.kernel_wait(WaitKind::Lock);
    next!(pthread_mutex_lock: fn(*mut pthread_mutex_t) -> c_int)(mutex)
}

/// pthread_mutex_clocklock(3), and timedlock with CLOCK_REALTIME.
///
/// A plain mutex is waited for on its lock word, with glibc's own protocol: the word is set to
/// "waited for" before each wait, and left so after a lock that was waited for, since others may
/// wait too.
///
/// # Safety
/// As for the C function.
pub unsafe fn mutex_clocklock(
    mutex: *mut pthread_mutex_t,
    clock: clockid_t,
    until: *const timespec,
) -> c_int {
    if !supported(clock) {
        return libc::EINVAL;
    }
    match try_lock(mutex) {
        libc::EBUSY => {}
        done => return done,
    }
    // SAFETY: a mutex has at least these fields.
    let view = unsafe { &*(mutex as *const Mutex) };
    let real = next!(
        pthread_mutex_clocklock: fn(*mut pthread_mutex_t, clockid_t, *const timespec) -> c_int
    );
    let Some(entry) = enter() else {
        return real(mutex, clock, until);
    };
    let until = match user_memory::spec(until) {
        Ok(spec) if spec.instant().is_some() => spec,
        _ => return libc::EINVAL,
    };
    const ERRORCHECK: u32 = 2;
    if view.kind & 127 == ERRORCHECK && view.owner == session::gettid() {
        return libc::EDEADLK;
    }
    loop {
        if clock_id::reached(&entry.engine, clock, until) {
            return libc::ETIMEDOUT;
        }
        let cause = Cause::on(WaitKind::Lock, &entry.engine, clock);
        let Ok(deadline) = clock_id::instant(&entry.engine, clock, until) else {
            return libc::EINVAL;
        };
        if view.kind & PLAIN != 0 {
            // Robust and priority-inheriting mutexes: the word belongs to kernel and glibc alone.
            if let Some(mut wait) = entry.kernel_wait_until(cause, deadline, || true) {
                let done = loop {
                    let done = real(mutex, libc::CLOCK_REALTIME, &in_a_moment());
                    if done != libc::ETIMEDOUT || wait.passed() {
                        break done;
                    }
                };
                wait.end();
                if done != libc::ETIMEDOUT {
                    return done;
                }
            }
        } else if view.lock.compare_exchange(1, 2, SeqCst, SeqCst).unwrap_or_else(|now| now) != 0 {
            kernel_futex::wait(
                &entry,
                cause,
                &view.lock,
                2,
                view.kind & SHARED == 0,
                deadline,
                None,
            );
        }
        match try_lock(mutex) {
            libc::EBUSY => {}
            0 => {
                if view.kind & PLAIN == 0 {
                    let _ = view.lock.compare_exchange(1, 2, SeqCst, SeqCst);
                }
                return 0;
            }
            done => return done,
        }
    }
}

/// One slice from now by the real clock: for the few objects whose waits can't be ended from
/// outside, a wait is made of short real ones. Virtual time is exact all the same, since the
/// deadline is the slot's.
pub(super) fn in_a_moment() -> timespec {
    let mut now = timespec { tv_sec: 0, tv_nsec: 0 };
    crate::shim::vdso::clock_gettime(libc::CLOCK_REALTIME, &mut now);
    let at = Spec { sec: now.tv_sec, nsec: now.tv_nsec }.plus(SLICE);
    timespec { tv_sec: at.sec, tv_nsec: at.nsec }
}

/// The clocks that timed waits for locks know.
fn supported(clock: clockid_t) -> bool {
    matches!(clock, libc::CLOCK_REALTIME | libc::CLOCK_MONOTONIC)
}

type RwFn = extern "C-unwind" fn(*mut pthread_rwlock_t) -> c_int;

fn rw_lock(lock: *mut pthread_rwlock_t, attempt: RwFn, real: RwFn) -> c_int {
    {
        match attempt(lock) {
            libc::EBUSY => {}
            done => return done,
        }
        let entry = enter();
        let _wait = entry.as_ref().map(|e| e.kernel_wait(WaitKind::Lock));
        real(lock)
    }
}

/// pthread_rwlock_rdlock(3).
pub fn rdlock(lock: *mut pthread_rwlock_t) -> c_int {
    let attempt = next!(pthread_rwlock_tryrdlock: fn(*mut pthread_rwlock_t) -> c_int);
    let real = next!(pthread_rwlock_rdlock: fn(*mut pthread_rwlock_t) -> c_int);
    rw_lock(lock, attempt, real)
}

/// pthread_rwlock_wrlock(3).
pub fn wrlock(lock: *mut pthread_rwlock_t) -> c_int {
    let attempt = next!(pthread_rwlock_trywrlock: fn(*mut pthread_rwlock_t) -> c_int);
    let real = next!(pthread_rwlock_wrlock: fn(*mut pthread_rwlock_t) -> c_int);
    rw_lock(lock, attempt, real)
}

type RwTimedFn = extern "C-unwind" fn(*mut pthread_rwlock_t, clockid_t, *const timespec) -> c_int;

/// The timed forms: short real waits until it has the lock or the virtual time has come. Not those
/// of [`crate::shim::polling_wait`]: no handler ends a wait for a lock, so they may run in it at
/// any moment, and need not be held back until a slice is over.
///
/// # Safety
/// As for pthread_rwlock_clockrdlock(3).
fn rw_clocklock(
    lock: *mut pthread_rwlock_t,
    attempt: RwFn,
    real: RwTimedFn,
    clock: clockid_t,
    until: *const timespec,
) -> c_int {
    let Some(entry) = enter() else {
        return real(lock, clock, until);
    };
    let until = match user_memory::spec(until) {
        Ok(spec) if spec.instant().is_some() && supported(clock) => spec,
        _ => return libc::EINVAL,
    };
    let mut done = attempt(lock);
    if done == libc::EBUSY {
        // Held for writing by the caller itself: only the real function says EDEADLK.
        done = real(lock, libc::CLOCK_REALTIME, &timespec { tv_sec: 0, tv_nsec: 0 });
    }
    while done == libc::ETIMEDOUT && !clock_id::reached(&entry.engine, clock, until) {
        let cause = Cause::on(WaitKind::Lock, &entry.engine, clock);
        let deadline = clock_id::instant(&entry.engine, clock, until).unwrap_or(NEVER);
        let mut wait = entry.kernel_wait_until(cause, deadline, || true);
        while let Some(wait) = &mut wait {
            done = real(lock, libc::CLOCK_REALTIME, &in_a_moment());
            if done != libc::ETIMEDOUT || wait.passed() {
                break;
            }
        }
        if done == libc::ETIMEDOUT {
            // The deadline may have come while nobody else could run: one more try then, with a
            // time that is past.
            done = real(lock, libc::CLOCK_REALTIME, &timespec { tv_sec: 0, tv_nsec: 0 });
        }
    }
    done
}

/// pthread_rwlock_clockrdlock(3), and timedrdlock with CLOCK_REALTIME.
pub fn clockrdlock(lock: *mut pthread_rwlock_t, clock: clockid_t, until: *const timespec) -> c_int {
    let real = next!(
        pthread_rwlock_clockrdlock: fn(*mut pthread_rwlock_t, clockid_t, *const timespec) -> c_int
    );
    let attempt = next!(pthread_rwlock_tryrdlock: fn(*mut pthread_rwlock_t) -> c_int);
    rw_clocklock(lock, attempt, real, clock, until)
}

/// pthread_rwlock_clockwrlock(3), and timedwrlock with CLOCK_REALTIME.
pub fn clockwrlock(lock: *mut pthread_rwlock_t, clock: clockid_t, until: *const timespec) -> c_int {
    let real = next!(
        pthread_rwlock_clockwrlock: fn(*mut pthread_rwlock_t, clockid_t, *const timespec) -> c_int
    );
    let attempt = next!(pthread_rwlock_trywrlock: fn(*mut pthread_rwlock_t) -> c_int);
    rw_clocklock(lock, attempt, real, clock, until)
}

/// pthread_barrier_wait(3).
pub fn barrier_wait(barrier: *mut libc::pthread_barrier_t) -> c_int {
    let real = next!(pthread_barrier_wait: fn(*mut libc::pthread_barrier_t) -> c_int);
    let entry = enter();
    let _wait = entry.as_ref().map(|e| e.kernel_wait(WaitKind::Lock));
    real(barrier)
}
