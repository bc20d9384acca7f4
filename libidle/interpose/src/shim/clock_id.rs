//! Clocks by id: which are virtual, what they read, and when one of their absolute times comes.

use crate::shim::vdso;
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
