//! alarm(2), ualarm(3), setitimer(2), getitimer(2), timer_create(2) and its relatives: see [`crate::timers`].

use crate::clockid::{self, plausible};
use crate::enter::enter;
use crate::errno::{Errno, kernel};
use crate::next;
use crate::session;
use crate::spin;
use crate::ticker;
use crate::timerfd::{as_timespec, store};
use crate::timers::{self, Notify, Role, Table, Timer};
use engine::sys::syscall6;
use engine::time::{NEVER, Spec, whole_seconds};
use engine::{Engine, Page};
use libc::{c_int, c_uint, clockid_t, itimerspec, itimerval, pthread_attr_t, timer_t, timeval};
use std::sync::atomic::Ordering::{Relaxed, SeqCst};

/// The engine, where this process's timers are ours.
fn own() -> Option<Engine> {
    let entry = enter()?;
    (!timers::foreign(&entry.engine)).then_some(entry.engine)
}

/// Changes the table by `body`, and lets who serves `role` know if that changed what comes next.
fn change<R>(engine: &Engine, role: Role, body: impl FnOnce(&mut Table) -> R) -> R {
    let (answer, changed) = {
        let (_locked, table) = timers::table(engine);
        let before = table.earliest(role);
        let answer = body(table);
        (answer, table.earliest(role) != before)
    };
    if changed {
        ticker::tell(engine, role);
    }
    answer
}

/// A timer was armed for nothing: some runtimes do that in each round of a loop that waits for an instant.
fn disarmed() {
    spin::futile();
}

/// Sets ITIMER_REAL; returns what was left, 0 if it was not set, and the former interval. `None` if this cannot be done
/// here.
fn set_alarm(value: u64, interval: u64) -> Option<(u64, u64)> {
    let engine = own()?;
    if !ticker::start(&engine, Role::Signals) {
        return None;
    }
    if value == 0 {
        disarmed();
    }
    Some(change(&engine, Role::Signals, |table| {
        let (now, at) = (engine.now(), table.itimer());
        let before = (table.next(at, now).saturating_sub(now), table.timer(at).interval);
        let deadline = if value == 0 { NEVER } else { clockid::after(&engine, value) };
        table.set(at, deadline, if value == 0 { 0 } else { interval }, false);
        before
    }))
}

/// alarm(2): the seconds that were left, rounded as the kernel does.
///
/// # Safety
/// None beyond being called from C.
pub unsafe fn alarm(seconds: c_uint) -> c_uint {
    let ns = seconds.min(i32::MAX as c_uint) as u64 * 1_000_000_000;
    match set_alarm(ns, 0) {
        Some((left, _)) => whole_seconds(left) as c_uint,
        // SAFETY: a plain number.
        None => unsafe { next!(alarm: fn(c_uint) -> c_uint)(seconds) },
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
            crate::errno::set(code);
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

/// setitimer(2); ITIMER_VIRTUAL and ITIMER_PROF count the processor's time and stay with the kernel.
///
/// # Safety
/// As for the C function.
pub unsafe fn setitimer(which: c_int, new: *const itimerval, old: *mut itimerval) -> Result<c_int, Errno> {
    let real = || {
        // SAFETY: the kernel checks the pointers.
        let raw = unsafe { syscall6(libc::SYS_setitimer, which as usize, new as usize, old as usize, 0, 0, 0) };
        kernel(raw).map(|v| v as c_int)
    };
    if which != libc::ITIMER_REAL || (!new.is_null() && !plausible(new)) {
        return real();
    }
    // No value is a zero, on Linux.
    // SAFETY: plausible, and the caller vouches for it.
    let wanted =
        unsafe { new.as_ref() }.map_or(Some((0, 0)), |new| Some((micros(new.it_value)?, micros(new.it_interval)?)));
    let Some((value, interval)) = wanted else { return Err(Errno(libc::EINVAL)) };
    match set_alarm(value, interval) {
        // SAFETY: the caller's pointer.
        Some(before) => unsafe { store(old, as_itimerval(before)) },
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
        let raw = unsafe { syscall6(libc::SYS_getitimer, which as usize, out as usize, 0, 0, 0, 0) };
        return kernel(raw).map(|v| v as c_int);
    };
    // SAFETY: the caller's pointer.
    unsafe { store(out, as_itimerval(alarm_left(&engine))) }
}

/// What is left of ITIMER_REAL, and its interval.
fn alarm_left(engine: &Engine) -> (u64, u64) {
    let (_locked, table) = timers::table(engine);
    let (now, at) = (engine.now(), table.itimer());
    (table.next(at, now).saturating_sub(now), table.timer(at).interval)
}

/// `struct sigevent`, with what follows the first three fields by number.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct SigEvent {
    value: usize,
    signal: c_int,
    notify: c_int,
    /// The thread's number in its lower half (`SIGEV_THREAD_ID`), or the function.
    first: usize,
    /// The function's attributes.
    second: usize,
    rest: [usize; 4],
}

const _: () = assert!(size_of::<SigEvent>() == 64);

/// timer_create(2).
///
/// # Safety
/// As for the C function.
pub unsafe fn create(clock: clockid_t, event: *const SigEvent, timer: *mut timer_t) -> c_int {
    let real = next!(timer_create: fn(clockid_t, *const SigEvent, *mut timer_t) -> c_int);
    let engine = own().filter(|_| clockid::is_virtual(clock) && plausible(timer));
    let engine = engine.filter(|_| event.is_null() || plausible(event));
    let Some(engine) = engine else {
        // SAFETY: the caller's arguments.
        return unsafe { real(clock, event, timer) };
    };
    let default =
        SigEvent { value: 0, signal: libc::SIGALRM, notify: libc::SIGEV_SIGNAL, first: 0, second: 0, rest: [0; 4] };
    // SAFETY: plausible, and the caller vouches for it.
    let event = unsafe { event.as_ref() }.copied().unwrap_or(default);
    // The kernel's timer checks the arguments; it never tells anybody.
    let quiet = event.notify == libc::SIGEV_THREAD;
    let asked = if quiet { SigEvent { notify: libc::SIGEV_NONE, ..event } } else { event };
    // SAFETY: arguments of our own, and the caller's pointer.
    let failed = unsafe { real(clock, &asked, timer) };
    if failed != 0 {
        return failed;
    }
    // SAFETY: just written. glibc keeps the kernel's number in it, unless it starts threads itself.
    let handle = unsafe { *timer };
    let notify = match event.notify {
        libc::SIGEV_NONE => Notify::Nobody,
        libc::SIGEV_SIGNAL => Notify::Process(event.signal),
        libc::SIGEV_THREAD_ID => Notify::Thread(event.signal, event.first as u32),
        // SAFETY: the caller's attributes.
        _ => Notify::Function(event.first, unsafe { ticker::attributes(event.second as *const pthread_attr_t) }),
    };
    let new = Timer::new(clock, notify, event.value);
    let role = notify.role();
    if ticker::start(&engine, role) && change(&engine, role, |table| table.add(handle as usize as c_int, new)).is_some()
    {
        return 0;
    }
    // SAFETY: the timer made above.
    unsafe { next!(timer_delete: fn(timer_t) -> c_int)(handle) };
    crate::errno::set(libc::EAGAIN);
    -1
}

/// The same as a system call, whose numbers are libc's handles; `None` for what the kernel refuses: it starts no threads.
///
/// # Safety
/// As for timer_create(2).
pub unsafe fn create_raw(clock: clockid_t, event: *const SigEvent, number: *mut c_int) -> Option<c_int> {
    // Memory is made of pages: what holds for the eight bytes around it holds for the number.
    let good = clockid::readable((number as usize & !7) as *const u64);
    let good = good && (event.is_null() || clockid::readable(event));
    // SAFETY: readable.
    if !good || unsafe { event.as_ref() }.is_some_and(|e| e.notify == libc::SIGEV_THREAD) {
        return None;
    }
    let mut timer: timer_t = std::ptr::null_mut();
    // SAFETY: the caller's arguments, a handle of our own.
    let failed = unsafe { create(clock, event, &mut timer) };
    if failed == 0 {
        // SAFETY: the caller's pointer.
        unsafe { *number = timer as usize as c_int };
    }
    Some(failed)
}

/// The place of one of this process's own timers.
fn find(engine: &Engine, timer: timer_t) -> Option<(usize, Role)> {
    let id = c_int::try_from(timer as isize).ok()?;
    if !timers::any() {
        return None;
    }
    let (_locked, table) = timers::table(engine);
    table.find(id).map(|at| (at, table.timer(at).notify.role()))
}

fn own_timer(timer: timer_t) -> Option<(Engine, usize, Role)> {
    let engine = own()?;
    find(&engine, timer).map(|(at, role)| (engine, at, role))
}

fn spec(t: libc::timespec) -> Spec {
    Spec { sec: t.tv_sec, nsec: t.tv_nsec }
}

fn remaining(table: &Table, at: usize, now: u64) -> itimerspec {
    let left = table.next(at, now).saturating_sub(now);
    itimerspec { it_interval: as_timespec(table.timer(at).interval), it_value: as_timespec(left) }
}

/// timer_settime(2).
///
/// # Safety
/// As for the C function.
pub unsafe fn settime(
    timer: timer_t,
    flags: c_int,
    new: *const itimerspec,
    old: *mut itimerspec,
) -> Result<c_int, Errno> {
    let found = own_timer(timer).filter(|_| clockid::readable(new));
    let Some((engine, at, role)) = found else {
        let real = next!(timer_settime: fn(timer_t, c_int, *const itimerspec, *mut itimerspec) -> c_int);
        // SAFETY: the caller's arguments.
        return super::poll::outcome(unsafe { real(timer, flags, new, old) });
    };
    // SAFETY: plausible, and the caller vouches for it.
    let (value, interval) = unsafe { (spec((*new).it_value), spec((*new).it_interval)) };
    let (Some(ns), Some(interval)) = (value.nanos(), interval.nanos()) else { return Err(Errno(libc::EINVAL)) };
    let absolute = flags & libc::TIMER_ABSTIME != 0;
    let before = change(&engine, role, |table| {
        let (now, clock) = (engine.now(), table.timer(at).clock);
        let before = remaining(table, at, now);
        let deadline = match (ns, absolute) {
            (0, _) => NEVER,
            (_, true) => clockid::instant(&engine, clock, value)?,
            (_, false) => clockid::after(&engine, ns),
        };
        table.set(at, deadline, if ns == 0 { 0 } else { interval }, absolute && timers::settable(clock));
        Ok(before)
    })?;
    if ns == 0 {
        disarmed();
    }
    // SAFETY: the caller's pointer.
    unsafe { store(old, before) }
}

/// timer_gettime(2).
///
/// # Safety
/// As for the C function.
pub unsafe fn gettime(timer: timer_t, out: *mut itimerspec) -> Result<c_int, Errno> {
    let Some((engine, at, _)) = own_timer(timer).filter(|_| plausible(out)) else {
        // SAFETY: the caller's arguments.
        return super::poll::outcome(unsafe {
            next!(timer_gettime: fn(timer_t, *mut itimerspec) -> c_int)(timer, out)
        });
    };
    let now = {
        let (_locked, table) = timers::table(&engine);
        remaining(table, at, engine.now())
    };
    // SAFETY: the caller's pointer.
    unsafe { store(out, now) }
}

/// timer_getoverrun(2).
///
/// # Safety
/// None beyond being called from C.
pub unsafe fn getoverrun(timer: timer_t) -> Result<c_int, Errno> {
    let Some((engine, at, _)) = own_timer(timer) else {
        // SAFETY: the caller's argument.
        return super::poll::outcome(unsafe { next!(timer_getoverrun: fn(timer_t) -> c_int)(timer) });
    };
    let mut pending = 0u64;
    // SAFETY: the kernel's 8-byte set.
    unsafe { syscall6(libc::SYS_rt_sigpending, &raw mut pending as usize, 8, 0, 0, 0, 0) };
    let (_locked, table) = timers::table(&engine);
    let signal = match table.timer(at).notify {
        Notify::Process(number) | Notify::Thread(number, _) => number,
        Notify::Nobody | Notify::Function(..) => 0,
    };
    Ok(table.overrun(at, signal != 0 && pending >> (signal - 1) & 1 != 0))
}

/// timer_delete(2).
///
/// # Safety
/// None beyond being called from C.
pub unsafe fn delete(timer: timer_t) -> Result<c_int, Errno> {
    if let Some((engine, at, role)) = own_timer(timer) {
        change(&engine, role, |table| table.remove(at));
    }
    // SAFETY: the caller's argument.
    super::poll::outcome(unsafe { next!(timer_delete: fn(timer_t) -> c_int)(timer) })
}

/// In a forked child: no timer is inherited.
pub fn reset() {
    timers::reset();
    ticker::reset();
}

/// `CLOCK_REALTIME` was set: those who serve timers in this session look at their deadlines again.
pub fn clock_was_set(engine: &Engine) {
    for (index, slot) in engine.page.slots[..engine.page.high()].iter().enumerate() {
        let seen = slot.state.load();
        if slot.is_for(crate::enter::What::Timer) && seen.kind() == engine::Kind::Parked {
            engine.unpark(index, seen.seq(), engine::Reason::Woken);
        }
    }
}

/// What ITIMER_REAL is to be after exec(2), for which it survives: the kernel's own is set to what is left, by the real
/// clock, for a program without this library; one with it finds the exact deadline in its credit, slot `credit`.
/// Returns whether there is one.
pub fn before_exec(engine: &Engine, credit: usize) -> bool {
    if !timers::any() || timers::foreign(engine) {
        return false;
    }
    let (left, interval) = alarm_left(engine);
    if left != 0 {
        let slot = &engine.page.slots[credit];
        slot.start.store(engine.now() + left, Relaxed);
        slot.start_arg.store(interval, SeqCst);
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
    unsafe { syscall6(libc::SYS_setitimer, libc::ITIMER_REAL as usize, &raw const new as usize, 0, 0, 0, 0) };
}

/// A new program image: an alarm that the former one has left (or whoever started the session) goes on in virtual time.
pub fn after_exec(page: &Page) {
    // SAFETY: zeroes are valid.
    let mut left: itimerval = unsafe { std::mem::zeroed() };
    // SAFETY: an out-parameter of our own.
    unsafe { syscall6(libc::SYS_getitimer, libc::ITIMER_REAL as usize, &raw mut left as usize, 0, 0, 0, 0) };
    let me = crate::tls::tls().slot.get().checked_sub(1).map(|me| &page.slots[me as usize]);
    let (deadline, interval) = me.map_or((0, 0), |slot| (slot.start.swap(0, Relaxed), slot.start_arg.swap(0, Relaxed)));
    let Some(engine) = session::engine() else { return };
    let value = micros(left.it_value).unwrap_or(0);
    if value == 0 && deadline == 0 {
        return;
    }
    set_kernel_alarm(0, 0);
    let deadline = if deadline != 0 { deadline } else { clockid::after(&engine, value) };
    let interval = if value != 0 { micros(left.it_interval).unwrap_or(0) } else { interval };
    if ticker::start(&engine, Role::Signals) {
        change(&engine, Role::Signals, |table| {
            let at = table.itimer();
            table.set(at, deadline, interval, false);
        });
    }
}
