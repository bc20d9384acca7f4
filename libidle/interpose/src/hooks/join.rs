//! pthread_join and its other forms: waiting for the end of a thread, see
//! [`crate::hooks::threads`].

use crate::hooks::locks;
use crate::hooks::threads::find;
use crate::next;
use crate::shim::clock_id;
use crate::shim::entry::{Cause, Entry, WaitKind, enter};
use crate::shim::user_memory;
use engine::{Kind, Reason, Signals};
use libc::{c_int, c_void, clockid_t, pthread_t, timespec};
use posix::time::{NEVER, Spec};
use std::sync::atomic::Ordering::SeqCst;

/// thrd_join(3).
///
/// # Safety
/// As for the C function.
pub unsafe fn c11_join(thread: pthread_t, result: *mut c_int) -> c_int {
    let mut value = std::ptr::null_mut();
    let code = join(thread, &mut value);
    if code == 0 && !result.is_null() {
        // SAFETY: thrd_join(3) stores the result where it is not null.
        unsafe { *result = value as usize as c_int };
    }
    crate::hooks::cond::c11(code)
}

/// The wait for the end of a thread, and the virtual instant up to which it is to last.
fn join_until(entry: &Entry, until: Option<(clockid_t, Spec)>) -> (Cause, u64) {
    let Some((clock, at)) = until else { return (WaitKind::Join.into(), NEVER) };
    let cause = Cause::on(WaitKind::Join, &entry.engine, clock);
    (cause, clock_id::instant(&entry.engine, clock, at).unwrap_or(NEVER))
}

/// Waits until `thread` has left its last hook: `Woken`, or the deadline came. A cancellation
/// point.
fn await_end(entry: &Entry, thread: pthread_t, until: Option<(clockid_t, Spec)>) -> Reason {
    loop {
        let (cause, deadline) = join_until(entry, until);
        // SAFETY: no arguments.
        let myself = unsafe { libc::pthread_self() } == thread;
        // Not found: its slot was given back already, or it was not made by pthread_create; the
        // real join knows.
        let Some(target) = find(&entry.engine, thread).filter(|_| !myself) else {
            return Reason::Woken;
        };
        let target = &entry.engine.page.slots[target];
        let seq = entry.prepare_cancellable(cause);
        target.thread().joiner.store(entry.me as u32 + 1, SeqCst);
        let over = matches!(target.state.load().kind(), Kind::Ending | Kind::Free | Kind::Leaving);
        let reason = if over || target.thread().pthread.load(SeqCst) != thread {
            entry.stay();
            Reason::Woken
        } else {
            entry.park(seq, deadline, Signals::Ignore, false)
        };
        let _ = target.thread().joiner.compare_exchange(entry.me as u32 + 1, 0, SeqCst, SeqCst);
        match reason {
            Reason::Woken => {
                // Not joined yet, so the number is still this thread's alone; once it is, libc
                // gives it to another.
                if target.state.load().kind() == Kind::Ending {
                    let _ = target.thread().pthread.compare_exchange(thread, 0, SeqCst, SeqCst);
                }
                return reason;
            }
            Reason::TimedOut => return reason,
            Reason::Cancelled | Reason::Interrupted => {}
        }
    }
}

/// pthread_join(3).
pub fn join(thread: pthread_t, result: *mut *mut c_void) -> c_int {
    let real = next!(pthread_join: fn(pthread_t, *mut *mut c_void) -> c_int);
    let entry = enter();
    let _ = entry.as_ref().map(|e| await_end(e, thread, None));
    // It is on its way out, and the kernel says when it is gone.
    let _wait = entry.as_ref().map(|e| e.kernel_wait(WaitKind::Join));
    real(thread, result)
}

/// pthread_clockjoin_np(3), and timedjoin_np with CLOCK_REALTIME.
pub fn clockjoin(
    thread: pthread_t,
    result: *mut *mut c_void,
    clock: clockid_t,
    until: *const timespec,
) -> c_int {
    let real = next!(
        pthread_clockjoin_np: fn(pthread_t, *mut *mut c_void, clockid_t, *const timespec) -> c_int
    );
    let tryjoin = next!(pthread_tryjoin_np: fn(pthread_t, *mut *mut c_void) -> c_int);
    let Some(entry) = enter().filter(|_| !until.is_null()) else {
        return real(thread, result, clock, until);
    };
    {
        match tryjoin(thread, result) {
            libc::EBUSY => {}
            done => return done,
        }
        let until = match user_memory::spec(until) {
            Ok(spec) if spec.instant().is_some() => spec,
            _ => return libc::EINVAL,
        };
        if !matches!(clock, libc::CLOCK_REALTIME | libc::CLOCK_MONOTONIC) {
            return libc::EINVAL;
        }
        let mut over = false;
        while !clock_id::reached(&entry.engine, clock, until) {
            if !over {
                over = await_end(&entry, thread, Some((clock, until))) == Reason::Woken;
                continue;
            }
            let (cause, deadline) = join_until(&entry, Some((clock, until)));
            // Nobody here says when it is gone, and destructors of its own may still wait: short
            // real waits.
            if let Some(mut wait) = entry.kernel_wait_until(cause, deadline, || true) {
                let done = loop {
                    let done = real(thread, result, libc::CLOCK_REALTIME, &locks::in_a_moment());
                    if done != libc::ETIMEDOUT || wait.passed() {
                        break done;
                    }
                };
                wait.end();
                if done != libc::ETIMEDOUT {
                    return done;
                }
            }
        }
        match tryjoin(thread, result) {
            libc::EBUSY => libc::ETIMEDOUT,
            done => done,
        }
    }
}
