//! What clocks read in virtual time.

use engine::{ClockMode, Engine};
use posix::clock::is_virtual;
use posix::time::{NEVER, Span, Spec};

/// What clock `id` reads in virtual time; `None` if the machine has no such clock.
pub fn read(engine: &Engine, id: i32) -> Option<Spec> {
    let page = engine.page;
    if page.mode() == ClockMode::Frozen && is_virtual(id) && page.has_clock(id) {
        return Some(page.frozen(id as usize));
    }
    // Read before the clock: a jump in between makes the sum late, never early.
    let offset = page.header.clock.value();
    let mut ts = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: a valid out-parameter.
    let failed = unsafe { libc::clock_gettime(id, &mut ts) };
    let real = Spec { sec: ts.tv_sec, nsec: ts.tv_nsec };
    (failed == 0).then(|| page.set_ahead(id, real.plus(Span::from_ns(offset))))
}

/// The virtual instant at which clock `id` reads `at`, as far as is known now.
pub fn deadline(engine: &Engine, id: i32, at: Spec) -> Option<u64> {
    let ns = at.nanos_absolute()?;
    if id == libc::CLOCK_MONOTONIC {
        return Some(ns.min(NEVER - 1));
    }
    let left = at.since(read(engine, id).filter(|_| is_virtual(id))?);
    Some(engine.now().saturating_add(left.ns()).min(NEVER - 1))
}
