//! The seam between the real atomics and loom's, so that parking and quiescence run under a model checker.

#[cfg(loom)]
pub use loom::sync::atomic::{AtomicI32, AtomicI64, AtomicU32, AtomicU64, fence};
#[cfg(not(loom))]
pub use std::sync::atomic::{AtomicI32, AtomicI64, AtomicU32, AtomicU64, fence};

pub use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};

/// Lets another thread run: a hint to the processor, and a scheduling point in the model.
pub fn spin_hint() {
    #[cfg(loom)]
    loom::thread::yield_now();
    #[cfg(not(loom))]
    std::hint::spin_loop();
}
