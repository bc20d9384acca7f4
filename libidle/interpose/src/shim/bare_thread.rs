//! Bare threads of the kernel (clone(2)), of which libc knows nothing: such a thread cannot be
//! joined, cancelled or signalled through libc, the last of libc's threads to end still ends the
//! process, and nothing of it is allocated, so that it can be started from a signal handler. It
//! blocks all signals, and makes system calls only.

use crate::shim::guard::Masked;
use engine::arch::syscall::syscall6;
use engine::sys::{self, Timespec};
use libc::c_int;
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
    /// Thread-local storage lies below the word that `fs` points to.
    local: [u8; LOCAL],
    /// That word points to itself; the others are zero.
    head: [usize; 32],
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
        let memory =
            UnsafeCell::new(Memory { stack: [0; STACK], local: [0; LOCAL], head: [0; 32] });
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
        let flags = if files { libc::CLONE_FILES } else { 0 };
        // SAFETY: memory that no other thread uses.
        unsafe {
            let head = &raw mut (*memory).head as *mut usize;
            // What x86-64's ABI wants of a thread's control block: its own address at 0 and at 16.
            head.write(head as usize);
            head.add(2).write(head as usize);
            let (top, tid) = ((&raw mut (*memory).local) as usize, self.tid.as_ptr() as usize);
            clone(top, head as usize, tid, flags, main) >= 0
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

/// clone(2) of a thread that runs `main` on the stack that ends at `top`; its number is stored at
/// `tid` as long as it lives.
///
/// # Safety
/// The stack and the control block are nobody else's.
unsafe fn clone(
    top: usize,
    head: usize,
    tid: usize,
    more: c_int,
    main: extern "C" fn() -> !,
) -> isize {
    let flags = libc::CLONE_VM
        | libc::CLONE_FS
        | libc::CLONE_SIGHAND
        | libc::CLONE_THREAD
        | libc::CLONE_SYSVSEM
        | libc::CLONE_SETTLS
        | libc::CLONE_PARENT_SETTID
        | libc::CLONE_CHILD_CLEARTID
        | more;
    let raw: isize;
    // SAFETY: the new thread leaves this frame at once, and never returns to it. Its registers are
    // those of its creator.
    unsafe {
        std::arch::asm!(
            "syscall",
            "test rax, rax",
            "jnz 2f",
            "xor ebp, ebp",
            "call r12",
            "ud2",
            "2:",
            in("r12") main,
            inlateout("rax") libc::SYS_clone as isize => raw,
            in("rdi") flags as usize, in("rsi") top, in("rdx") tid, in("r10") tid, in("r8") head,
            lateout("rcx") _, lateout("r11") _,
        );
    }
    raw
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
