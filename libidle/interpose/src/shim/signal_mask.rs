//! The signals that the calling thread blocks.

use engine::arch::syscall::syscall6;
use libc::sigset_t;

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
    unsafe { syscall6(libc::SYS_rt_sigprocmask, 0, 0, &raw mut mask as usize, 8, 0, 0) };
    mask
}

fn set_mask(new: &u64, old: &mut u64) {
    let (new, old) = (new as *const u64 as usize, old as *mut u64 as usize);
    // SAFETY: rt_sigprocmask with the kernel's 8-byte sets.
    unsafe { syscall6(libc::SYS_rt_sigprocmask, libc::SIG_SETMASK as usize, new, old, 8, 0, 0) };
}
