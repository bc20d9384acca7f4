//! What a thread says itself that it counts as, kept for whatever slot speaks for it.
//!
//! Pairs nest, and the outermost is in effect. The pairs that a thread is in are kept in its
//! thread-local block; what is in effect is also in the shared region ([`engine::region::forced`]).
//! The functions that programs call are in [`crate::hooks::forced`].

use crate::shim::tls::{Tls, tls};
use engine::Engine;
pub use engine::region::forced::Forced;

/// Pairs that are remembered; of deeper ones only the number.
pub const DEEPEST: u32 = 32;

/// What is in effect for a thread: the kind of its outermost pair.
fn effect(tls: &Tls) -> Option<Forced> {
    let depth = tls.forced_depth.get().min(DEEPEST);
    depth.checked_sub(1).map(|below| kind(tls.forced_pairs.get() >> below))
}

/// The kind of the pair that the lowest bit stands for.
pub fn kind(bits: u32) -> Forced {
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
