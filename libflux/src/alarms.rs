//! alarm(2), ualarm(3), setitimer(2), getitimer(2), also across exec(2): see
//! [`crate::timer_table`].

use crate::posix_timers::{change, disarmed, own};
use crate::timer_table::{self, Role};
use crate::timer_thread;
use engine::arch::syscall::syscall6;
use engine::{Engine, Page};
use interpose::next;
use interpose::shim::clock_id::SessionClocks;
use interpose::shim::session;
use interpose::shim::user_memory::{plausible, store};
use libc::{c_int, c_uint, itimerval, timeval};
use posix::clock::Clocks;
use posix::errno::{self, Errno};
use posix::time::{Instant, Span};
use posix::timer::{self, Expired};
use std::sync::atomic::Ordering::{Relaxed, SeqCst};

/// Sets ITIMER_REAL; returns what was left, zero if it was not set, and the former interval. `None`
/// if this cannot be done here.
fn set_alarm((value, interval): (Span, Span)) -> Option<(Span, Span)> {
    let engine = own()?;
    if !timer_thread::start(&engine, Role::Signals) {
        return None;
    }
    if value.is_zero() {
        disarmed();
    }
    Some(change(&engine, Role::Signals, |table| {
        let (now, at) = (SessionClocks(&engine).now(), table.itimer());
        let before = (table.left(at, now), table.timer(at).interval);
        let first = if value.is_zero() { Instant::NEVER } else { now.after(value) };
        table.set(at, Expired { first, interval }, false);
        before
    }))
}

/// alarm(2): the seconds that were left, rounded as the kernel does.
pub fn alarm(seconds: c_uint) -> c_uint {
    match set_alarm((timer::alarm(seconds), Span::ZERO)) {
        Some((left, _)) => timer::alarm_seconds(left),
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
    let wanted = unsafe { new.cast::<[i64; 4]>().as_ref() }.copied().unwrap_or_default();
    match set_alarm(timer::itimer(wanted)?) {
        Some((left, interval)) => store(old.cast(), timer::itimerval(left, interval)),
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
    let (left, interval) = alarm_left(&engine);
    let told = timer::itimerval(left, interval);
    store(out.cast(), told)
}

/// What is left of ITIMER_REAL, and its interval.
fn alarm_left(engine: &Engine) -> (Span, Span) {
    let (_locked, table) = timer_table::table(engine);
    let at = table.itimer();
    (table.left(at, SessionClocks(engine).now()), table.timer(at).interval)
}

/// What ITIMER_REAL is to be after exec(2), for which it survives: the kernel's own is set to what
/// is left, by the real clock, for a program without this library; one with it finds the exact
/// deadline in its credit, slot `credit`. Returns whether there is one.
pub fn before_exec(engine: &Engine, credit: usize) -> bool {
    if !timer_table::any() || session::in_vfork_child() {
        return false;
    }
    let (left, interval) = alarm_left(engine);
    if !left.is_zero() {
        let slot = &engine.page.slots[credit];
        slot.credit().alarm_deadline.store(SessionClocks(engine).now().after(left).ns(), Relaxed);
        slot.credit().alarm_interval.store(interval.ns(), SeqCst);
        set_kernel_alarm(left, interval);
    }
    !left.is_zero()
}

/// The exec has failed.
pub fn exec_failed() {
    set_kernel_alarm(Span::ZERO, Span::ZERO);
}

fn set_kernel_alarm(left: Span, interval: Span) {
    let new = timer::itimerval(left, interval);
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
    let mut left = [0i64; 4];
    // SAFETY: an out-parameter of our own, as long as `struct itimerval`.
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
    let kept = me.map_or(Expired::NOTHING, |slot| Expired {
        first: Instant::from_ns(slot.credit().alarm_deadline.swap(0, Relaxed)),
        interval: Span::from_ns(slot.credit().alarm_interval.swap(0, Relaxed)),
    });
    let Some(engine) = session::engine() else { return };
    let (value, interval) = timer::itimer(left).unwrap_or_default();
    if value.is_zero() && kept.is_nothing() {
        return;
    }
    set_kernel_alarm(Span::ZERO, Span::ZERO);
    let to = Expired {
        first: if kept.is_nothing() {
            SessionClocks(&engine).now().after(value)
        } else {
            kept.first
        },
        interval: if value.is_zero() { kept.interval } else { interval },
    };
    if timer_thread::start(&engine, Role::Signals) {
        change(&engine, Role::Signals, |table| {
            let at = table.itimer();
            table.set(at, to, false);
        });
    }
}
