//! Bare threads of the kernel (clone(2)), of which libc knows nothing: such a thread cannot be
//! joined, cancelled or signalled through libc, the last of libc's threads to end still ends the
//! process, and nothing of it is allocated, so that it can be started from a signal handler. It
//! blocks all signals, and makes system calls only.

use crate::shim::signal_mask::Masked;
use engine::arch;
use engine::arch::syscall::syscall6;
use engine::sys::{self, Timespec};
use std::cell::UnsafeCell;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::SeqCst;

const STACK: usize = 64 << 10;
/// Above what this library has of thread-local storage.
const LOCAL: usize = 8 << 10;

/// What one runs on; aligned as thread-local storage wants it.
#[repr(C, align(64))]
struct Memory {
    stack: [u8; STACK],
    /// Thread-local storage lies below the control block.
    local: [u8; LOCAL],
    head: [usize; arch::CONTROL_BLOCK],
}

/// A place for one thread.
pub struct BareThread {
    memory: UnsafeCell<Memory>,
    /// Its number as long as it is there; then the kernel makes it 0 and wakes who waits for that.
    tid: AtomicU32,
}

// SAFETY: used by the one thread that runs on it; whoever calls `start` lets nobody start a second.
unsafe impl Sync for BareThread {}

impl BareThread {
    /// For a static: threads never give their memory back.
    #[allow(clippy::new_without_default, reason = "too large for anything but a static")]
    pub const fn new() -> BareThread {
        let memory = UnsafeCell::new(Memory {
            stack: [0; STACK],
            local: [0; LOCAL],
            head: [0; arch::CONTROL_BLOCK],
        });
        BareThread { memory, tid: AtomicU32::new(0) }
    }

    /// Starts it; false if the kernel refuses. `files`: it shares the process's descriptors;
    /// otherwise it has a copy of its own.
    ///
    /// # Safety
    /// No other thread runs on this memory.
    pub unsafe fn start(&'static self, files: bool, main: extern "C" fn() -> !) -> bool {
        // It inherits the mask.
        let _masked = Masked::new();
        let memory = self.memory.get();
        let shared = libc::CLONE_VM | libc::CLONE_FS | libc::CLONE_SIGHAND | libc::CLONE_THREAD;
        let told = libc::CLONE_SETTLS | libc::CLONE_PARENT_SETTID | libc::CLONE_CHILD_CLEARTID;
        let files = if files { libc::CLONE_FILES } else { 0 };
        let flags = (shared | told | libc::CLONE_SYSVSEM | files) as usize;
        // SAFETY: memory that no other thread uses, and that stays.
        unsafe {
            arch::init_control_block(&mut (*memory).head);
            let top = (&raw mut (*memory).local) as usize;
            let (tid, head) = (self.tid.as_ptr() as usize, (&raw mut (*memory).head) as usize);
            arch::clone_thread(flags, top, tid, head, main as *const ()) >= 0
        }
    }

    /// Is the thread of process `pid` gone, so that it is not counted any more? Waits a moment for
    /// that.
    pub fn gone(&'static self, pid: u32) -> bool {
        const MOMENT: Timespec = Timespec { sec: 0, nsec: 10_000_000 };
        let tid = self.tid.load(SeqCst);
        if tid == 0 {
            return true;
        }
        sys::futex_wait(&self.tid, tid, Some(&MOMENT), false);
        if self.tid.load(SeqCst) != 0 {
            return false;
        }
        // It has left its memory, but not yet the process.
        while !sys::thread_gone(pid, tid) {
            // SAFETY: no arguments.
            unsafe { syscall6(libc::SYS_sched_yield, 0, 0, 0, 0, 0, 0) };
        }
        true
    }

    /// Its number; 0 when there is none.
    pub fn tid(&self) -> u32 {
        self.tid.load(SeqCst)
    }

    /// In a forked child: it is not there.
    pub fn forget(&self) {
        self.tid.store(0, SeqCst);
    }
}

/// Ends the calling thread, which is a bare one.
pub fn end() -> ! {
    // SAFETY: ends the calling thread, and nothing else.
    unsafe { syscall6(libc::SYS_exit, 0, 0, 0, 0, 0, 0) };
    std::process::abort()
}

/// Names the calling thread.
pub fn name(name: &std::ffi::CStr) {
    // SAFETY: a name with its NUL.
    unsafe {
        syscall6(libc::SYS_prctl, libc::PR_SET_NAME as usize, name.as_ptr() as usize, 0, 0, 0, 0)
    };
}
