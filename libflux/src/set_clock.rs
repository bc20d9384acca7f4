//! Setting and adjusting clocks: clock_settime(2), adjtimex(2), ntp_gettime(3) and their relatives.
//! The machine's clock is asked and never set or adjusted: what would move it moves the session's,
//! at once.

use engine::Engine;
use engine::arch::syscall::syscall6;
use interpose::shim::clock_id;
use interpose::shim::session;
use interpose::shim::signal_mask::Masked;
use interpose::shim::user_memory;
use libc::{c_int, c_uint, clockid_t, ntptimeval, timespec, timeval, timex};
use posix::errno::{Errno, result};
use posix::time::SECOND;

/// The modes of adjtime(3): the kernel's `ADJ_ADJTIME`, and what adds to it that nothing is to be
/// changed.
const SINGLE_SHOT: c_uint = 0x8000;
const READ_ONLY: c_uint = 0x2000;

/// clock_adjtime(2). A step (`ADJ_SETOFFSET`, and what adjtime(3) asks for) is the session's. Of
/// all else (frequency, status) the caller is told what the machine has, and nothing is set.
///
/// # Safety
/// As for the C function.
pub unsafe fn clock_adjtime(id: clockid_t, at: *mut timex) -> Result<c_int, Errno> {
    let Some(engine) = session::engine().filter(|_| id == libc::CLOCK_REALTIME) else {
        // SAFETY: the kernel checks the pointer.
        let raw =
            unsafe { syscall6(libc::SYS_clock_adjtime, id as usize, at as usize, 0, 0, 0, 0) };
        return result(raw).map(|state| state as c_int);
    };
    let last = at.cast::<u8>().wrapping_add(size_of::<timex>() - 8);
    if !user_memory::writable(at) || !user_memory::writable(last) {
        return Err(Errno(libc::EFAULT));
    }
    // SAFETY: it can be read and written, and the caller vouches for the rest.
    let at = unsafe { &mut *at };
    let (modes, single) = (at.modes, at.modes & SINGLE_SHOT != 0);
    if single && modes & READ_ONLY == 0 {
        set_ahead(&engine, at.offset.saturating_mul(1000));
    } else if !single && modes & libc::ADJ_SETOFFSET != 0 {
        let (unit, most) =
            if modes & libc::ADJ_NANO != 0 { (1, 1_000_000_000) } else { (1000, 1_000_000) };
        if !(0..most).contains(&at.time.tv_usec) {
            return Err(Errno(libc::EINVAL));
        }
        set_ahead(
            &engine,
            at.time.tv_sec.saturating_mul(1_000_000_000).saturating_add(at.time.tv_usec * unit),
        );
    }
    // SAFETY: numbers, for which zero is a valid value.
    let mut told: timex = unsafe { std::mem::zeroed() };
    // SAFETY: an out-parameter of our own, which asks for no change.
    let state =
        result(unsafe { syscall6(libc::SYS_adjtimex, &raw mut told as usize, 0, 0, 0, 0, 0) })?;
    let now = clock_id::read(&engine, id)?;
    told.modes = modes;
    told.time.tv_sec = now.sec;
    told.time.tv_usec = if told.status & libc::STA_NANO != 0 { now.nsec } else { now.nsec / 1000 };
    if single {
        // Nothing is left to be adjusted.
        told.offset = 0;
    }
    *at = told;
    Ok(state as c_int)
}

/// adjtimex(2), ntp_adjtime(3).
///
/// # Safety
/// As for the C function.
pub unsafe fn adjtimex(at: *mut timex) -> Result<c_int, Errno> {
    // SAFETY: adjtimex(2) is clock_adjtime(2) of this clock.
    unsafe { clock_adjtime(libc::CLOCK_REALTIME, at) }
}

fn ask() -> Result<(c_int, timex), Errno> {
    // SAFETY: numbers, for which zero is a valid value.
    let mut told: timex = unsafe { std::mem::zeroed() };
    // SAFETY: an object of our own.
    let state = unsafe { adjtimex(&mut told) }?;
    Ok((state, told))
}

/// The fields that both forms of the structure have.
///
/// # Safety
/// `out` can be written up to `esterror`.
unsafe fn fill(out: *mut ntptimeval, told: &timex) {
    // SAFETY: these fields can be written, by this function's contract.
    unsafe {
        (*out).time = told.time;
        (*out).maxerror = told.maxerror;
        (*out).esterror = told.esterror;
    }
}

/// ntp_gettime(3) as glibc exports it under this name, for programs from before 2.12: the structure
/// ends with `esterror`.
///
/// # Safety
/// As for the C function.
pub unsafe fn ntp_gettime(out: *mut ntptimeval) -> Result<c_int, Errno> {
    let (state, told) = ask()?;
    // SAFETY: the structure ends with `esterror`.
    unsafe { fill(out, &told) };
    Ok(state)
}

/// ntp_gettimex(3), which is what headers make of ntp_gettime(3).
///
/// # Safety
/// As for the C function.
pub unsafe fn ntp_gettimex(out: *mut ntptimeval) -> Result<c_int, Errno> {
    let (state, told) = ask()?;
    // SAFETY: the whole structure can be written; zeroes are valid numbers.
    unsafe {
        *out = std::mem::zeroed();
        fill(out, &told);
        (*out).tai = told.tai as libc::c_long;
    }
    Ok(state)
}

/// clock_settime(2), answered inside the session: every process of it sees the new time, the
/// machine does not.
///
/// # Safety
/// As for the C function.
pub unsafe fn clock_settime(id: clockid_t, to: *const timespec) -> Result<c_int, Errno> {
    let Some(engine) = session::engine() else {
        // SAFETY: the kernel checks the pointer.
        let raw = unsafe {
            engine::arch::syscall::syscall6(
                libc::SYS_clock_settime,
                id as usize,
                to as usize,
                0,
                0,
                0,
                0,
            )
        };
        return result(raw).map(|v| v as c_int);
    };
    let to = user_memory::spec(to)?;
    if id != libc::CLOCK_REALTIME || to.nanos().is_none() {
        return Err(Errno(libc::EINVAL));
    }
    let now = clock_id::read(&engine, id)?;
    let ahead = to.since(now).ns() as i64 - now.since(to).ns() as i64;
    set_ahead(&engine, ahead);
    Ok(0)
}

/// Sets the session's time of day ahead by `by` ns. Timers and waits for an instant of it hear of
/// it.
fn set_ahead(engine: &Engine, by: i64) {
    let _masked = Masked::new();
    engine.set_clock(by, session::gettid());
}

/// settimeofday(2); see [`clock_settime`]. A time zone alone is ignored.
///
/// # Safety
/// As for the C function.
pub unsafe fn settimeofday(to: *const timeval, _zone: *const libc::c_void) -> Result<c_int, Errno> {
    if to.is_null() {
        return Ok(0);
    }
    if !user_memory::readable(to) {
        return Err(Errno(libc::EFAULT));
    }
    // SAFETY: readable, and the caller vouches for it.
    let to = unsafe { &*to };
    if !(0..1_000_000).contains(&to.tv_usec) {
        return Err(Errno(libc::EINVAL));
    }
    let ts = timespec { tv_sec: to.tv_sec, tv_nsec: to.tv_usec * 1000 };
    // SAFETY: a timespec of our own.
    unsafe { clock_settime(libc::CLOCK_REALTIME, &ts) }
}

/// adjtime(3), answered inside the session: the whole adjustment is made at once.
///
/// # Safety
/// As for the C function.
pub unsafe fn adjtime(delta: *const timeval, old: *mut timeval) -> Result<c_int, Errno> {
    let engine = session::engine().ok_or(Errno(libc::EPERM))?;
    // SAFETY: adjtime(3) has values or null.
    unsafe {
        if !old.is_null() {
            *old = timeval { tv_sec: 0, tv_usec: 0 };
        }
        if !delta.is_null() {
            let by = (*delta)
                .tv_sec
                .saturating_mul(SECOND as i64)
                .saturating_add((*delta).tv_usec * 1000);
            set_ahead(&engine, by);
        }
    }
    Ok(0)
}
