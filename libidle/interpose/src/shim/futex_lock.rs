//! A lock for what hooks share within a process: no allocation, no std, and no signal handler can
//! meet it held by the thread that it interrupts.

use crate::shim::signal_mask::Masked;
use engine::sys;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

/// 0 free, 1 taken, 2 taken and waited for (Drepper, "Futexes are tricky", mutex 2).
pub struct FutexLock(AtomicU32);

/// The lock, taken.
pub struct Locked<'a> {
    lock: &'a FutexLock,
    // Dropped after the lock is free.
    _masked: Option<Masked>,
}

impl FutexLock {
    /// A free one.
    pub const fn new() -> FutexLock {
        FutexLock(AtomicU32::new(0))
    }

    /// Takes it, with all signals blocked.
    pub fn lock(&self) -> Locked<'_> {
        self.take(Some(Masked::new()))
    }

    /// Takes it where no signal handler ever wants it.
    pub fn lock_unmasked(&self) -> Locked<'_> {
        self.take(None)
    }

    fn take(&self, masked: Option<Masked>) -> Locked<'_> {
        if self.0.compare_exchange(0, 1, Acquire, Relaxed).is_err() {
            while self.0.swap(2, Acquire) != 0 {
                sys::futex_wait(&self.0, 2, None, true);
            }
        }
        Locked { lock: self, _masked: masked }
    }

    /// In a forked child: whoever held it is not there.
    pub fn reset(&self) {
        self.0.store(0, Relaxed);
    }
}

impl Default for FutexLock {
    fn default() -> FutexLock {
        FutexLock::new()
    }
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        if self.lock.0.swap(0, Release) == 2 {
            sys::futex_wake(&self.lock.0, 1, true);
        }
    }
}
