//! A lock for what hooks share within a process: no allocation, no std, and no signal handler can
//! meet it held by the thread that it interrupts.

use engine::sys;
use libc::sigset_t;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

/// All signals blocked, until dropped.
pub struct Masked(u64);

impl Masked {
    /// Blocks them.
    #[allow(clippy::new_without_default, reason = "making one has an effect")]
    pub fn new() -> Masked {
        Masked::blocking(u64::MAX)
    }

    /// The same but for libc's own signal for cancellation, so that cancellation points of libc can
    /// be called: they wait for it when it is on its way, and for ever if it is blocked.
    pub fn but_cancellation() -> Masked {
        const SIGCANCEL: u32 = 32;
        Masked::blocking(!(1 << (SIGCANCEL - 1)))
    }

    fn blocking(set: u64) -> Masked {
        let mut old = 0u64;
        set_mask(&set, &mut old);
        Masked(old)
    }

    /// The thread's mask before.
    pub fn before(&self) -> u64 {
        self.0
    }

    /// The same for a call, which reads the kernel's 8 bytes of it.
    pub fn before_as_set(&self) -> *const sigset_t {
        &raw const self.0 as *const sigset_t
    }
}

impl Drop for Masked {
    fn drop(&mut self) {
        set_mask(&self.0, &mut 0);
    }
}

/// The signals that the calling thread blocks.
pub fn blocked() -> u64 {
    let mut mask = 0u64;
    // SAFETY: reads the mask into 8 bytes.
    unsafe {
        engine::arch::syscall::syscall6(
            libc::SYS_rt_sigprocmask,
            0,
            0,
            &raw mut mask as usize,
            8,
            0,
            0,
        )
    };
    mask
}

fn set_mask(new: &u64, old: &mut u64) {
    let (new, old) = (new as *const u64 as usize, old as *mut u64 as usize);
    // SAFETY: rt_sigprocmask with the kernel's 8-byte sets.
    unsafe {
        engine::arch::syscall::syscall6(
            libc::SYS_rt_sigprocmask,
            libc::SIG_SETMASK as usize,
            new,
            old,
            8,
            0,
            0,
        )
    };
}

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
