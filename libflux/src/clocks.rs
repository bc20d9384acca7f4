//! clock_gettime(2), gettimeofday(2), time(2) and their relatives. A clock read enters nothing: it
//! is a load from the shared page, in elapsed mode added to what the vDSO says.

use engine::Page;
use engine::arch::syscall::syscall6;
use interpose::shim::clock_id::real;
use interpose::shim::session;
use interpose::shim::spin_loop;
use interpose::shim::user_memory::plausible;
use libc::{c_int, clockid_t, time_t, timespec, timeval};
use posix::errno::{Errno, result};
use posix::time::Spec;

/// Before this library's own constructor has run, the first to ask joins the session.
#[cold]
fn joined() -> Option<&'static Page> {
    session::engine().map(|engine| engine.page)
}

/// What clock `id` reads.
#[inline(always)]
fn now(id: clockid_t) -> Result<Spec, Errno> {
    let page = session::page().or_else(joined);
    let Some(page) = page else { return real(id) };
    spin_loop::look();
    page.reads(id, || real(id))
}

/// clock_gettime(2).
///
/// # Safety
/// As for the C function.
#[inline(always)]
pub unsafe fn clock_gettime(id: clockid_t, out: *mut timespec) -> Result<c_int, Errno> {
    let now = now(id)?;
    if !plausible(out) {
        return Err(Errno::EFAULT);
    }
    // SAFETY: plausible, and the caller vouches for it.
    unsafe { *out = timespec { tv_sec: now.sec, tv_nsec: now.nsec } };
    Ok(0)
}

/// clock_getres(2): the real clocks' resolutions hold.
///
/// # Safety
/// As for the C function.
pub unsafe fn clock_getres(id: clockid_t, out: *mut timespec) -> Result<c_int, Errno> {
    // SAFETY: the kernel checks the pointer.
    let raw = unsafe { syscall6(libc::SYS_clock_getres, id as usize, out as usize, 0, 0, 0, 0) };
    result(raw).map(|v| v as c_int)
}

/// gettimeofday(2); the time zone is the kernel's (always zero).
///
/// # Safety
/// As for the C function.
pub unsafe fn gettimeofday(out: *mut timeval, zone: *mut libc::c_void) -> Result<c_int, Errno> {
    let now = now(libc::CLOCK_REALTIME)?;
    // SAFETY: gettimeofday(2) has places or null; struct timezone is two ints.
    unsafe {
        if !out.is_null() {
            *out = timeval { tv_sec: now.sec, tv_usec: now.nsec / 1000 };
        }
        if !zone.is_null() {
            (zone as *mut [c_int; 2]).write([0, 0]);
        }
    }
    Ok(0)
}

/// time(2). Reads the precise clock, so that it never lags behind a deadline that was reached.
///
/// # Safety
/// As for the C function.
pub unsafe fn time(out: *mut time_t) -> time_t {
    let now = now(libc::CLOCK_REALTIME).map_or(-1, |t| t.sec);
    if !out.is_null() {
        // SAFETY: time(2) stores the time where it is not null.
        unsafe { *out = now };
    }
    now
}

/// [`clock_gettime`] with the vDSO's answer: 0, or a negated error code.
///
/// # Safety
/// As for the C function.
pub unsafe extern "C" fn vdso_clock_gettime(id: clockid_t, out: *mut timespec) -> c_int {
    // SAFETY: what is called has this function's contract.
    unsafe { clock_gettime(id, out) }.unwrap_or_else(|Errno(code)| -code)
}

/// [`gettimeofday`] with the vDSO's answer.
///
/// # Safety
/// As for the C function.
pub unsafe extern "C" fn vdso_gettimeofday(out: *mut timeval, zone: *mut libc::c_void) -> c_int {
    // SAFETY: what is called has this function's contract.
    unsafe { gettimeofday(out, zone) }.unwrap_or_else(|Errno(code)| -code)
}

/// [`time`], for the vDSO.
///
/// # Safety
/// As for the C function.
pub unsafe extern "C" fn vdso_time(out: *mut time_t) -> time_t {
    // SAFETY: what is called has this function's contract.
    unsafe { time(out) }
}

/// `struct timeb` of ftime(3).
#[repr(C)]
pub struct Timeb {
    time: time_t,
    millitm: u16,
    timezone: i16,
    dstflag: i16,
}

/// ftime(3).
///
/// # Safety
/// As for the C function.
pub unsafe fn ftime(out: *mut Timeb) -> c_int {
    let Ok(now) = now(libc::CLOCK_REALTIME) else { return -1 };
    let millitm = (now.nsec / 1_000_000) as u16;
    // SAFETY: ftime(3) has a place for it.
    unsafe { *out = Timeb { time: now.sec, millitm, timezone: 0, dstflag: 0 } };
    0
}

/// timespec_get(3): base 1 is TIME_UTC, and the answer is the base, or 0.
///
/// # Safety
/// As for the C function.
pub unsafe fn timespec_get(out: *mut timespec, base: c_int) -> c_int {
    // SAFETY: timespec_get(3) has a place for it.
    if base == 1 && unsafe { clock_gettime(libc::CLOCK_REALTIME, out) }.is_ok() { base } else { 0 }
}
