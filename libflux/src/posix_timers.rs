//! timer_create(2) and its relatives: see [`crate::timer_table`].

use crate::timer_signals;
use crate::timer_table::{self, Notify, Role, Table, Timer};
use crate::timer_thread;
use engine::Engine;
use interpose::next;
use interpose::shim::clock_id::SessionClocks;
use interpose::shim::entry::enter;
use interpose::shim::session;
use interpose::shim::spin_loop;
use interpose::shim::user_memory::{plausible, readable, store};
use libc::{c_int, clockid_t, itimerspec, pthread_attr_t, timer_t};
use posix::clock::{Clocks, is_virtual};
use posix::errno::Errno;
use posix::time::Instant;
use posix::timer::{self, itimerspec};

/// The engine, where this process's timers are ours.
pub fn own() -> Option<Engine> {
    let entry = enter()?;
    (!session::in_vfork_child()).then_some(entry.engine)
}

/// Changes the table by `body`, and lets who serves `role` know if that changed what comes next.
pub fn change<R>(engine: &Engine, role: Role, body: impl FnOnce(&mut Table) -> R) -> R {
    let (answer, changed) = {
        let (_locked, table) = timer_table::table(engine);
        let before = table.earliest(role);
        let answer = body(table);
        (answer, table.earliest(role) != before)
    };
    if changed {
        timer_thread::tell(engine, role);
    }
    answer
}

/// A timer was armed for nothing: some runtimes do that in each round of a loop that waits for an
/// instant.
pub fn disarmed() {
    spin_loop::futile();
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
    let engine = own().filter(|_| is_virtual(clock) && plausible(timer));
    let engine = engine.filter(|_| event.is_null() || plausible(event));
    let Some(engine) = engine else {
        return real(clock, event, timer);
    };
    let default = SigEvent {
        value: 0,
        signal: libc::SIGALRM,
        notify: libc::SIGEV_SIGNAL,
        first: 0,
        second: 0,
        rest: [0; 4],
    };
    // SAFETY: plausible, and the caller vouches for it.
    let event = unsafe { event.as_ref() }.copied().unwrap_or(default);
    // The kernel's timer checks the arguments; it never tells anybody.
    let quiet = event.notify == libc::SIGEV_THREAD;
    let asked = if quiet { SigEvent { notify: libc::SIGEV_NONE, ..event } } else { event };
    let failed = real(clock, &asked, timer);
    if failed != 0 {
        return failed;
    }
    // SAFETY: just written. glibc keeps the kernel's number in it, unless it starts threads itself.
    let handle = unsafe { *timer };
    let notify = match event.notify {
        libc::SIGEV_NONE => Notify::Nobody,
        libc::SIGEV_SIGNAL => Notify::Process(event.signal),
        libc::SIGEV_THREAD_ID => Notify::Thread(event.signal, event.first as u32),
        // SAFETY: null, or attributes that the program has initialised.
        _ => Notify::Function(event.first, unsafe {
            timer_thread::attributes(event.second as *const pthread_attr_t)
        }),
    };
    if let Notify::Process(number) | Notify::Thread(number, _) = notify {
        timer_signals::used(number);
    }
    let new = Timer::new(clock, notify, event.value);
    let role = notify.role();
    if timer_thread::start(&engine, role)
        && change(&engine, role, |table| table.add(handle as usize as c_int, new)).is_some()
    {
        return 0;
    }
    next!(timer_delete: fn(timer_t) -> c_int)(handle);
    interpose::shim::errno::set(libc::EAGAIN);
    -1
}

/// The same as a system call, whose numbers are libc's handles; `None` for what the kernel refuses:
/// it starts no threads.
///
/// # Safety
/// As for timer_create(2).
pub unsafe fn create_raw(
    clock: clockid_t,
    event: *const SigEvent,
    number: *mut c_int,
) -> Option<c_int> {
    // Memory is made of pages: what holds for the eight bytes around it holds for the number.
    let good = readable((number as usize & !7) as *const u64);
    let good = good && (event.is_null() || readable(event));
    // SAFETY: readable.
    if !good || unsafe { event.as_ref() }.is_some_and(|e| e.notify == libc::SIGEV_THREAD) {
        return None;
    }
    let mut timer: timer_t = std::ptr::null_mut();
    // SAFETY: asked above whether they can be read; a handle of our own.
    let failed = unsafe { create(clock, event, &mut timer) };
    if failed == 0 {
        // SAFETY: asked above, by the eight bytes around it.
        unsafe { *number = timer as usize as c_int };
    }
    Some(failed)
}

/// The place of one of this process's own timers.
fn find(engine: &Engine, timer: timer_t) -> Option<(usize, Role)> {
    let id = c_int::try_from(timer as isize).ok()?;
    if !timer_table::any() {
        return None;
    }
    let (_locked, table) = timer_table::table(engine);
    table.find(id).map(|at| (at, table.timer(at).notify.role()))
}

fn own_timer(timer: timer_t) -> Option<(Engine, usize, Role)> {
    let engine = own()?;
    find(&engine, timer).map(|(at, role)| (engine, at, role))
}

fn remaining(table: &Table, at: usize, now: Instant) -> [i64; 4] {
    itimerspec(table.left(at, now), table.timer(at).interval)
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
    let found = own_timer(timer).filter(|_| readable(new));
    let Some((engine, at, role)) = found else {
        let real =
            next!(timer_settime: fn(timer_t, c_int, *const itimerspec, *mut itimerspec) -> c_int);
        return interpose::shim::errno::outcome(real(timer, flags, new, old));
    };
    // SAFETY: readable, and the caller vouches for it.
    let new = unsafe { *new.cast() };
    let absolute = flags & libc::TIMER_ABSTIME != 0;
    let clocks = SessionClocks(&engine);
    let (before, to) = change(&engine, role, |table| {
        let before = remaining(table, at, clocks.now());
        let to = timer::setting(new, absolute, table.timer(at).clock, &clocks)?;
        table.set(at, to.or_stopped(), to.settable);
        Ok((before, to.expired))
    })?;
    if to.first.is_never() {
        disarmed();
    }
    store(old.cast(), before)
}

/// timer_gettime(2).
pub fn gettime(timer: timer_t, out: *mut itimerspec) -> Result<c_int, Errno> {
    let Some((engine, at, _)) = own_timer(timer).filter(|_| plausible(out)) else {
        return interpose::shim::errno::outcome(
            next!(timer_gettime: fn(timer_t, *mut itimerspec) -> c_int)(timer, out),
        );
    };
    let now = {
        let (_locked, table) = timer_table::table(&engine);
        remaining(table, at, SessionClocks(&engine).now())
    };
    store(out.cast(), now)
}

/// timer_getoverrun(2).
pub fn getoverrun(timer: timer_t) -> Result<c_int, Errno> {
    // The lock is taken once: while it is waited for all signals are blocked, so that one which is
    // ignored stays pending.
    let counted = own().filter(|_| timer_table::any()).and_then(|engine| {
        let (_locked, table) = timer_table::table(&engine);
        let at = table.find(c_int::try_from(timer as isize).ok()?)?;
        Some(table.overrun(at, SessionClocks(&engine).now()))
    });
    match counted {
        Some(overrun) => Ok(overrun),
        None => {
            interpose::shim::errno::outcome(next!(timer_getoverrun: fn(timer_t) -> c_int)(timer))
        }
    }
}

/// timer_delete(2).
pub fn delete(timer: timer_t) -> Result<c_int, Errno> {
    if let Some((engine, at, role)) = own_timer(timer) {
        change(&engine, role, |table| table.remove(at));
    }
    interpose::shim::errno::outcome(next!(timer_delete: fn(timer_t) -> c_int)(timer))
}

/// In a forked child: no timer is inherited.
pub fn reset() {
    timer_signals::reset();
    timer_table::reset();
    timer_thread::reset();
}
