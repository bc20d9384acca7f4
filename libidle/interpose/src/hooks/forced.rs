//! The four functions by which a program says what a thread counts as: `libidle/include/libidle.h`.

use crate::shim::entry::enter;
use crate::shim::forced::{DEEPEST, Forced, kind};
use crate::shim::library;
use crate::shim::session;
use crate::shim::state_rows;
use crate::shim::tls::tls;
use engine::statefile::file;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;

fn apply(what: Option<Forced>) {
    let tls = tls();
    // A thread that libc did not make gets its slot here.
    let entry = if tls.slot.get() == 0 { enter() } else { None };
    let Some(engine) = session::engine() else { return };
    let Some(slot) = tls.slot.get().checked_sub(1) else { return };
    // Nobody has found out yet whether the program is at rest, if nobody has waited.
    library::ensure_thread(&engine);
    engine.page.force(slot as usize, what);
    match what {
        Some(Forced::Idle) => engine.after_blocking(slot as usize),
        Some(Forced::Busy) => {}
        // It was not counted as busy, and is.
        None => engine.page.awake(),
    }
    state_rows::changed(&engine);
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
