//! `LIBIDLE_VERBOSE`: the thread that changes a thread's state has a row printed. What a row says
//! is libidle.so's business ([`crate::statefile::verbose`]).

use crate::shim::library::library;
use engine::Engine;
use std::sync::atomic::Ordering::Relaxed;

/// Are rows printed?
#[inline(always)]
fn wanted(engine: &Engine) -> bool {
    engine.page.header.verbose.load(Relaxed) != 0 && engine.page.real()
}

/// A thread's state has changed.
#[inline(always)]
pub fn changed(engine: &Engine) {
    if wanted(engine) {
        library().print_row(engine, None);
    }
}

/// Slot `me`'s thread is about to wait.
#[inline(always)]
pub fn waits(engine: &Engine, me: usize) {
    if wanted(engine) {
        library().print_row(engine, Some(me));
    }
}

/// Slot `me`'s thread waits for nothing any more.
#[inline(always)]
pub fn goes_on(engine: &Engine, me: usize) {
    if wanted(engine) {
        engine.page.slots[me].thread().what.store(0, Relaxed);
        library().print_row(engine, None);
    }
}
