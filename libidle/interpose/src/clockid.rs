//! Clocks by id: which are virtual, what they read, and when one of their absolute times comes.

use crate::errno::Errno;
use crate::vdso;
pub use engine::clock::{is_realtime, is_virtual};
use engine::time::{NEVER, Spec};
use engine::{ClockMode, Engine};
use libc::{clockid_t, timespec};

/// What clock `id` reads in virtual time.
#[inline]
pub fn read(engine: &Engine, id: clockid_t) -> Result<Spec, Errno> {
    if engine.page.mode() == ClockMode::Frozen && is_virtual(id) && engine.page.has_clock(id) {
        return Ok(engine.page.frozen(id as usize));
    }
    let mut ts = timespec { tv_sec: 0, tv_nsec: 0 };
    // The offset is read before the clock: a jump in between makes the sum late by that jump, never early.
    let offset = engine.page.header.clock.value();
    let failed = vdso::clock_gettime(id, &mut ts);
    if failed != 0 {
        return Err(Errno(-failed));
    }
    let real = Spec { sec: ts.tv_sec, nsec: ts.tv_nsec };
    if !is_virtual(id) {
        return Ok(real);
    }
    Ok(engine.page.set_ahead(id, real.plus(offset)))
}

/// The virtual instant at which clock `id` reads `at`, as far as is known now: a clock that is set meanwhile makes it
/// wrong, so a waiter for anything but `CLOCK_MONOTONIC` asks again on waking ([`reached`]).
pub fn instant(engine: &Engine, id: clockid_t, at: Spec) -> Result<u64, Errno> {
    let ns = at.nanos_absolute().ok_or(Errno(libc::EINVAL))?;
    if id == libc::CLOCK_MONOTONIC {
        return Ok(ns.min(NEVER - 1));
    }
    let left = at.since(read(engine, id)?);
    Ok(engine.now().saturating_add(left).min(NEVER - 1))
}

/// Has clock `id` reached `at`?
pub fn reached(engine: &Engine, id: clockid_t, at: Spec) -> bool {
    read(engine, id).map_or(true, |now| now.since(at) > 0 || now == at)
}

/// A duration from now as a virtual instant.
pub fn after(engine: &Engine, ns: u64) -> u64 {
    engine.now().saturating_add(ns).min(NEVER - 1)
}

/// Reads a timespec that C passed by pointer; EFAULT where the kernel would say so.
///
/// # Safety
/// `at` is null, another address the kernel would refuse, or a valid timespec.
pub unsafe fn spec(at: *const timespec) -> Result<Spec, Errno> {
    if !plausible(at) {
        return Err(Errno(libc::EFAULT));
    }
    // SAFETY: plausible, and the caller vouches for the rest.
    let ts = unsafe { &*at };
    Ok(Spec { sec: ts.tv_sec, nsec: ts.tv_nsec })
}

/// Can this be a user's address at all? The kernel answers EFAULT for those that are not; libc passes them on.
pub fn plausible<T>(at: *const T) -> bool {
    (4096..0x0000_8000_0000_0000).contains(&(at as usize))
}
