//! What a thread says itself that it counts as: the four functions that programs may call. See
//! `libidle/include/libidle.h`.
//!
//! Pairs nest, and the outermost is in effect. The pairs that a thread is in are kept in its
//! thread-local block; what is in effect is also in the shared region ([`engine::region::forced`]),
//! for whatever slot speaks for the thread.

use crate::shim::session;
use crate::shim::tls::{Tls, tls};
use engine::Engine;
pub use engine::region::forced::Forced;
use engine::statefile::file;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;

/// Pairs that are remembered; of deeper ones only the number.
const DEEPEST: u32 = 32;

/// What is in effect for a thread: the kind of its outermost pair.
fn effect(tls: &Tls) -> Option<Forced> {
    let depth = tls.forced_depth.get().min(DEEPEST);
    depth.checked_sub(1).map(|below| kind(tls.forced_pairs.get() >> below))
}

fn kind(bits: u32) -> Forced {
    if bits & 1 == 0 { Forced::Idle } else { Forced::Busy }
}

/// The slot that speaks for the calling thread has changed: it says the same.
#[inline]
pub fn again(engine: &Engine, slot: usize) {
    let tls = tls();
    if tls.forced_depth.get() != 0 {
        engine.page.force(slot, effect(tls));
    }
}

/// The thread ends: so do its pairs.
pub fn over(engine: &Engine, slot: usize) {
    if tls().forced_depth.replace(0) != 0 {
        engine.page.force(slot, None);
        engine.page.awake();
    }
}

fn apply(what: Option<Forced>) {
    let tls = tls();
    // A thread that libc did not make gets its slot here.
    let entry = if tls.slot.get() == 0 { crate::shim::entry::enter() } else { None };
    let Some(engine) = session::engine() else { return };
    let Some(slot) = tls.slot.get().checked_sub(1) else { return };
    engine.page.force(slot as usize, what);
    match what {
        Some(Forced::Idle) => engine.after_blocking(slot as usize),
        Some(Forced::Busy) => {}
        // It was not counted as busy, and is.
        None => engine.page.awake(),
    }
    crate::statefile::verbose::changed(&engine);
    drop(entry);
}

/// `libidle_enable_forced_idle` and `libidle_enable_forced_busy`.
pub fn enable(what: Forced) {
    let tls = tls();
    let depth = tls.forced_depth.get();
    if depth < DEEPEST {
        tls.forced_pairs.set(tls.forced_pairs.get() << 1 | (what == Forced::Busy) as u32);
    }
    tls.forced_depth.set(depth + 1);
    if depth == 0 {
        apply(Some(what));
    }
}

/// `libidle_disable_forced_idle` and `libidle_disable_forced_busy`.
pub fn disable(what: Forced) {
    let tls = tls();
    let depth = tls.forced_depth.get();
    if depth == 0 || depth <= DEEPEST && kind(tls.forced_pairs.get()) != what {
        return mismatch(what);
    }
    if depth <= DEEPEST {
        tls.forced_pairs.set(tls.forced_pairs.get() >> 1);
    }
    tls.forced_depth.set(depth - 1);
    if depth == 1 {
        apply(None);
    }
}

/// Once.
fn mismatch(what: Forced) {
    static TOLD: AtomicBool = AtomicBool::new(false);
    if session::page().is_some() && !TOLD.swap(true, Relaxed) {
        file::say(match what {
            Forced::Idle => {
                "libidle_disable_forced_idle() does not close the innermost pair of its thread; ignored"
            }
            Forced::Busy => {
                "libidle_disable_forced_busy() does not close the innermost pair of its thread; ignored"
            }
        });
    }
}
