//! alarm(2), ualarm(3), setitimer(2), getitimer(2), also across exec(2): see
//! [`crate::timer_table`].

use crate::posix_timers::{change, disarmed, own};
use crate::timer_table::{self, Role};
use crate::timer_thread;
use engine::arch::syscall::syscall6;
use engine::{Engine, Page};
use interpose::next;
use interpose::shim::clock_id;
use interpose::shim::session;
use interpose::shim::user_memory::plausible;
use interpose::shim::user_memory::store;
use libc::{c_int, c_uint, itimerval, timeval};
use posix::errno::{self, Errno};
use posix::time::{NEVER, Spec, whole_seconds};
use std::sync::atomic::Ordering::{Relaxed, SeqCst};

/// Sets ITIMER_REAL; returns what was left, 0 if it was not set, and the former interval. `None` if
/// this cannot be done here.
fn set_alarm(value: u64, interval: u64) -> Option<(u64, u64)> {
    let engine = own()?;
    if !timer_thread::start(&engine, Role::Signals) {
        return None;
    }
    if value == 0 {
        disarmed();
    }
    Some(change(&engine, Role::Signals, |table| {
        let (now, at) = (engine.now(), table.itimer());
        let before = (table.next(at, now).saturating_sub(now), table.timer(at).interval);
        let deadline = if value == 0 { NEVER } else { clock_id::after(&engine, value) };
        table.set(at, deadline, if value == 0 { 0 } else { interval }, false);
        before
    }))
}

/// alarm(2): the seconds that were left, rounded as the kernel does.
pub fn alarm(seconds: c_uint) -> c_uint {
    let ns = seconds.min(i32::MAX as c_uint) as u64 * 1_000_000_000;
    match set_alarm(ns, 0) {
        Some((left, _)) => whole_seconds(left) as c_uint,
        None => next!(alarm: fn(c_uint) -> c_uint)(seconds),
    }
}

/// ualarm(3).
///
/// # Safety
/// None beyond being called from C.
pub unsafe fn ualarm(value: c_uint, interval: c_uint) -> c_uint {
    let part = |us: c_uint| timeval { tv_sec: 0, tv_usec: us as libc::suseconds_t };
    let new = itimerval { it_interval: part(interval), it_value: part(value) };
    let mut old = itimerval { it_interval: part(0), it_value: part(0) };
    // SAFETY: values of our own.
    match unsafe { setitimer(libc::ITIMER_REAL, &new, &mut old) } {
        Ok(_) => (old.it_value.tv_sec * 1_000_000 + old.it_value.tv_usec) as c_uint,
        Err(Errno(code)) => {
            interpose::shim::errno::set(code);
            c_uint::MAX
        }
    }
}

fn micros(t: timeval) -> Option<u64> {
    let us = (0..1_000_000).contains(&t.tv_usec).then_some(t.tv_usec * 1000)?;
    Spec { sec: t.tv_sec, nsec: us }.nanos()
}

fn as_timeval(ns: u64) -> timeval {
    let spec = Spec::from_nanos(ns);
    timeval { tv_sec: spec.sec, tv_usec: spec.nsec / 1000 }
}

fn as_itimerval((left, interval): (u64, u64)) -> itimerval {
    // A timer that is still set shows a microsecond at least.
    let left = if left == 0 { 0 } else { left.max(1000) };
    itimerval { it_interval: as_timeval(interval), it_value: as_timeval(left) }
}

/// setitimer(2); ITIMER_VIRTUAL and ITIMER_PROF count the processor's time and stay with the
/// kernel.
///
/// # Safety
/// As for the C function.
pub unsafe fn setitimer(
    which: c_int,
    new: *const itimerval,
    old: *mut itimerval,
) -> Result<c_int, Errno> {
    let real = || {
        // SAFETY: the kernel checks the pointers.
        let raw = unsafe {
            syscall6(libc::SYS_setitimer, which as usize, new as usize, old as usize, 0, 0, 0)
        };
        errno::result(raw).map(|v| v as c_int)
    };
    if which != libc::ITIMER_REAL || (!new.is_null() && !plausible(new)) {
        return real();
    }
    // No value is a zero, on Linux.
    // SAFETY: plausible, and the caller vouches for it.
    let wanted = unsafe { new.as_ref() }
        .map_or(Some((0, 0)), |new| Some((micros(new.it_value)?, micros(new.it_interval)?)));
    let Some((value, interval)) = wanted else { return Err(Errno(libc::EINVAL)) };
    match set_alarm(value, interval) {
        Some(before) => store(old, as_itimerval(before)),
        None => real(),
    }
}

/// getitimer(2).
///
/// # Safety
/// As for the C function.
pub unsafe fn getitimer(which: c_int, out: *mut itimerval) -> Result<c_int, Errno> {
    let engine = own().filter(|_| which == libc::ITIMER_REAL && plausible(out));
    let Some(engine) = engine else {
        // SAFETY: the kernel checks the pointer.
        let raw =
            unsafe { syscall6(libc::SYS_getitimer, which as usize, out as usize, 0, 0, 0, 0) };
        return errno::result(raw).map(|v| v as c_int);
    };
    store(out, as_itimerval(alarm_left(&engine)))
}

/// What is left of ITIMER_REAL, and its interval.
fn alarm_left(engine: &Engine) -> (u64, u64) {
    let (_locked, table) = timer_table::table(engine);
    let (now, at) = (engine.now(), table.itimer());
    (table.next(at, now).saturating_sub(now), table.timer(at).interval)
}

/// What ITIMER_REAL is to be after exec(2), for which it survives: the kernel's own is set to what
/// is left, by the real clock, for a program without this library; one with it finds the exact
/// deadline in its credit, slot `credit`. Returns whether there is one.
pub fn before_exec(engine: &Engine, credit: usize) -> bool {
    if !timer_table::any() || session::in_vfork_child() {
        return false;
    }
    let (left, interval) = alarm_left(engine);
    if left != 0 {
        let slot = &engine.page.slots[credit];
        slot.credit().alarm_deadline.store(engine.now() + left, Relaxed);
        slot.credit().alarm_interval.store(interval, SeqCst);
        set_kernel_alarm(left, interval);
    }
    left != 0
}

/// The exec has failed.
pub fn exec_failed() {
    set_kernel_alarm(0, 0);
}

fn set_kernel_alarm(left: u64, interval: u64) {
    let new = as_itimerval((left, interval));
    // SAFETY: values of our own.
    unsafe {
        syscall6(
            libc::SYS_setitimer,
            libc::ITIMER_REAL as usize,
            &raw const new as usize,
            0,
            0,
            0,
            0,
        )
    };
}

/// A new program image: an alarm that the former one has left (or whoever started the session) goes
/// on in virtual time.
pub fn after_exec(page: &Page) {
    // SAFETY: zeroes are valid.
    let mut left: itimerval = unsafe { std::mem::zeroed() };
    // SAFETY: an out-parameter of our own.
    unsafe {
        syscall6(
            libc::SYS_getitimer,
            libc::ITIMER_REAL as usize,
            &raw mut left as usize,
            0,
            0,
            0,
            0,
        )
    };
    let me =
        interpose::shim::tls::tls().slot.get().checked_sub(1).map(|me| &page.slots[me as usize]);
    let (deadline, interval) = me.map_or((0, 0), |slot| {
        let credit = slot.credit();
        (credit.alarm_deadline.swap(0, Relaxed), credit.alarm_interval.swap(0, Relaxed))
    });
    let Some(engine) = session::engine() else { return };
    let value = micros(left.it_value).unwrap_or(0);
    if value == 0 && deadline == 0 {
        return;
    }
    set_kernel_alarm(0, 0);
    let deadline = if deadline != 0 { deadline } else { clock_id::after(&engine, value) };
    let interval = if value != 0 { micros(left.it_interval).unwrap_or(0) } else { interval };
    if timer_thread::start(&engine, Role::Signals) {
        change(&engine, Role::Signals, |table| {
            let at = table.itimer();
            table.set(at, deadline, interval, false);
        });
    }
}
