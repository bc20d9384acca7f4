//! Clocks by id: which are virtual, what they read, and when one of their absolute times comes.

use crate::shim::tls::tls;
use crate::shim::vdso;
use engine::sys::syscall6;
use engine::{ClockMode, Engine};
use libc::{clockid_t, timespec};
use posix::clock::is_virtual;
use posix::errno::Errno;
use posix::time::{NEVER, Span, Spec};

/// What clock `id` reads in virtual time.
#[inline]
pub fn read(engine: &Engine, id: clockid_t) -> Result<Spec, Errno> {
    if engine.page.mode() == ClockMode::Frozen && is_virtual(id) && engine.page.has_clock(id) {
        return Ok(engine.page.frozen(id as usize));
    }
    let mut ts = timespec { tv_sec: 0, tv_nsec: 0 };
    // The offset is read before the clock: a jump in between makes the sum late by that jump, never
    // early.
    let offset = engine.page.header.clock.value();
    let failed = vdso::clock_gettime(id, &mut ts);
    if failed != 0 {
        return Err(Errno(-failed));
    }
    let real = Spec { sec: ts.tv_sec, nsec: ts.tv_nsec };
    if !is_virtual(id) {
        return Ok(real);
    }
    Ok(engine.page.set_ahead(id, real.plus(Span::from_ns(offset))))
}

/// The virtual instant at which clock `id` reads `at`, as far as is known now: a clock that is set
/// meanwhile makes it wrong, so a waiter for anything but `CLOCK_MONOTONIC` asks again on waking
/// ([`reached`]).
pub fn instant(engine: &Engine, id: clockid_t, at: Spec) -> Result<u64, Errno> {
    let ns = at.nanos_absolute().ok_or(Errno(libc::EINVAL))?;
    if id == libc::CLOCK_MONOTONIC {
        return Ok(ns.min(NEVER - 1));
    }
    let now = read(engine, id)?;
    Ok(engine
        .now()
        .saturating_add(at.since(now).ns())
        .saturating_sub(now.since(at).ns())
        .min(NEVER - 1))
}

/// Has clock `id` reached `at`?
pub fn reached(engine: &Engine, id: clockid_t, at: Spec) -> bool {
    read(engine, id).map_or(true, |now| now >= at)
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
    if !readable(at) {
        return Err(Errno(libc::EFAULT));
    }
    // SAFETY: readable, and the caller vouches for the rest.
    let ts = unsafe { &*at };
    Ok(Spec { sec: ts.tv_sec, nsec: ts.tv_nsec })
}

/// Can the whole of it be read? Natively the kernel answers EFAULT where it can't, so the kernel is
/// asked; but only once for objects on the same page.
pub fn readable<T>(at: *const T) -> bool {
    const PAGE: usize = 4096;
    let (first, last) = (at as usize, (at as usize).wrapping_add(size_of::<T>() - 1));
    let (page, known) = (first / PAGE, &tls().readable);
    if !plausible(at) {
        return false;
    }
    if known.get() == page && last / PAGE == page {
        return true;
    }
    // No such operation: the set is read and nothing is done. It has 8 bytes, and what is asked for
    // is as large at least.
    const NO_OPERATION: usize = 0x7fff_ffff;
    let reads = |at: usize| {
        // SAFETY: the kernel checks the address; see above.
        let failed = unsafe { syscall6(libc::SYS_rt_sigprocmask, NO_OPERATION, at, 0, 8, 0, 0) };
        failed != -(libc::EFAULT as isize)
    };
    let good = reads(first) && (last / PAGE == page || reads(last - 7));
    if good {
        known.set(page);
    }
    good
}

/// Can 8 bytes be written there? They stay as they are.
pub fn writable<T>(at: *mut T) -> bool {
    let at = at as *mut u64;
    if !readable(at) {
        return false;
    }
    // SAFETY: it can be read.
    let before = unsafe { at.read_unaligned() };
    // SAFETY: the kernel checks the address, and writes its set of blocked signals.
    let good = unsafe { syscall6(libc::SYS_rt_sigprocmask, 0, 0, at as usize, 8, 0, 0) } == 0;
    if good {
        // SAFETY: the kernel has just written there.
        unsafe { at.write_unaligned(before) };
    }
    good
}

/// Can this be a user's address at all? The kernel answers EFAULT for those that are not; libc
/// passes them on.
pub fn plausible<T>(at: *const T) -> bool {
    (4096..0x0000_8000_0000_0000).contains(&(at as usize))
}
