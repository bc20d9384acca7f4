//! adjtimex(2), clock_adjtime(2), ntp_gettime(3) and their relatives. The machine's clock is asked
//! and never adjusted: what would move it moves the session's, at once.

use crate::hooks::clocks::set_ahead;
use crate::shim::clock_id;
use crate::shim::session;
use engine::sys::syscall6;
use libc::{c_int, c_uint, clockid_t, ntptimeval, timex};
use posix::errno::{self, Errno};

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
        return errno::result(raw).map(|state| state as c_int);
    };
    let last = at.cast::<u8>().wrapping_add(size_of::<timex>() - 8);
    if !clock_id::writable(at) || !clock_id::writable(last) {
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
    let state = errno::result(unsafe {
        syscall6(libc::SYS_adjtimex, &raw mut told as usize, 0, 0, 0, 0, 0)
    })?;
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
    // SAFETY: the caller's pointer.
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
    // SAFETY: the caller vouches for it.
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
    // SAFETY: the caller's pointer.
    unsafe { fill(out, &told) };
    Ok(state)
}

/// ntp_gettimex(3), which is what headers make of ntp_gettime(3).
///
/// # Safety
/// As for the C function.
pub unsafe fn ntp_gettimex(out: *mut ntptimeval) -> Result<c_int, Errno> {
    let (state, told) = ask()?;
    // SAFETY: the caller's pointer; numbers, for which zero is a valid value.
    unsafe {
        *out = std::mem::zeroed();
        fill(out, &told);
        (*out).tai = told.tai as libc::c_long;
    }
    Ok(state)
}
