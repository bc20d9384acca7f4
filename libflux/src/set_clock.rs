//! Setting and adjusting clocks: clock_settime(2), adjtimex(2), ntp_gettime(3) and their relatives.
//! The machine's clock is asked and never set or adjusted: what would move it moves the session's,
//! at once.

use engine::Engine;
use engine::arch::syscall::syscall6;
use interpose::shim::clock_id::SessionClocks;
use interpose::shim::numbers;
use interpose::shim::session;
use interpose::shim::signal_mask::Masked;
use interpose::shim::user_memory::{self, Caller};
use libc::{c_int, clockid_t, ntptimeval, timespec, timeval, timex};
use posix::clock::{Clocks, Shift};
use posix::errno::{Errno, result};
use posix::set_clock::{self, Timex};
use posix::wait::Memory;

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
        return Err(Errno::EFAULT);
    }
    let asked = Timex::read(&Caller, at as u64).ok_or(Errno::EFAULT)?;
    set_ahead(&engine, asked.adjusts(may_set_time)?);
    // SAFETY: it can be written; numbers, for which zero is a valid value.
    unsafe { at.write(timex { modes: 0, ..std::mem::zeroed() }) };
    let state = asks(at)?;
    let now = SessionClocks(&engine).read(id)?;
    // SAFETY: as above.
    unsafe { (*at).modes = asked.modes };
    asked.tell(&Caller, at as u64, now).ok_or(Errno::EFAULT)?;
    Ok(state)
}

/// adjtimex(2) itself.
fn asks(at: *mut timex) -> Result<c_int, Errno> {
    // SAFETY: the kernel checks the pointer.
    let raw = unsafe { syscall6(libc::SYS_adjtimex, at as usize, 0, 0, 0, 0, 0) };
    result(raw).map(|state| state as c_int)
}

/// Has the thread the privilege to set the machine's clock? It is asked to set a tick that nobody
/// may: EINVAL is the answer to somebody who may set others.
fn may_set_time() -> bool {
    // SAFETY: numbers, for which zero is a valid value.
    let mut wrong = timex { modes: libc::ADJ_TICK, ..unsafe { std::mem::zeroed() } };
    asks(&mut wrong) == Err(Errno::EINVAL)
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
        let raw =
            unsafe { syscall6(libc::SYS_clock_settime, id as usize, to as usize, 0, 0, 0, 0) };
        return result(raw).map(|v| v as c_int);
    };
    let to = user_memory::spec(to)?;
    set_ahead(&engine, set_clock::clock_settime(&SessionClocks(&engine), id, to)?);
    Ok(0)
}

/// Sets the session's time of day ahead. Timers and waits for an instant of it hear of it.
fn set_ahead(engine: &Engine, by: Shift) {
    let _masked = Masked::new();
    engine.set_clock(by, numbers::my_thread());
}

/// settimeofday(2); see [`clock_settime`]. A time zone alone is ignored.
///
/// # Safety
/// As for the C function.
pub unsafe fn settimeofday(to: *const timeval, _zone: *const libc::c_void) -> Result<c_int, Errno> {
    if to.is_null() {
        return Ok(0);
    }
    let Some(engine) = session::engine() else {
        // SAFETY: the kernel checks the pointer.
        let raw = unsafe { syscall6(libc::SYS_settimeofday, to as usize, 0, 0, 0, 0, 0) };
        return result(raw).map(|v| v as c_int);
    };
    let [sec, usec] = Caller.read(to as u64).ok_or(Errno::EFAULT)?.map(|word| word as i64);
    set_ahead(&engine, set_clock::settimeofday(&SessionClocks(&engine), sec, usec)?);
    Ok(0)
}

/// adjtime(3), answered inside the session: the whole adjustment is made at once.
///
/// # Safety
/// As for the C function.
pub unsafe fn adjtime(delta: *const timeval, old: *mut timeval) -> Result<c_int, Errno> {
    let engine = session::engine().ok_or(Errno::EPERM)?;
    // SAFETY: the caller vouches for non-null pointers.
    unsafe {
        if let Some(delta) = delta.as_ref() {
            set_ahead(&engine, set_clock::adjtime(delta.tv_sec, delta.tv_usec)?);
        }
        if !old.is_null() {
            *old = timeval { tv_sec: 0, tv_usec: 0 };
        }
    }
    Ok(0)
}
