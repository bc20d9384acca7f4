//! This library's thread-local words.
//!
//! They lie in [`engine::arch::thread_block`], because hooks can use no `thread_local!`.

use engine::arch;
use posix::spin_rule::Asker;
use std::cell::Cell;

/// A thread's words. All zero in a new thread.
#[repr(C)]
pub struct Tls {
    /// Slot index + 1; 0 until the thread has one.
    pub slot: Cell<u32>,
    /// 0 while the thread lives, then the `Kind` that its slot returns to after a wait (`Ending`,
    /// `Leaving`).
    pub base: Cell<u32>,
    /// Stack pointer at the current wait: a `longjmp` to above it leaves the wait.
    pub wait_sp: Cell<usize>,
    /// Slot index + 1 whose wait the thread is in: a hook that finds it so is called by a signal
    /// handler.
    pub waiting: Cell<u32>,
    /// Does any signal handler end the current exact wait?
    pub wait_ends: Cell<bool>,
    /// The thread was made by the hook of pthread_create, whose frame is beneath its start routine.
    pub made_here: Cell<bool>,
    /// The thread's wake fd, or 0.
    pub wake_fd: Cell<i32>,
    /// TCP socket last sent on since the last wait, + 1; or a port that it did not get, negative.
    pub sent: Cell<i32>,
    /// [`engine::schedule::births::Credit`] for the child of the fork that is under way, as a word,
    /// or 0.
    pub fork_credit: Cell<u64>,
    /// Function and argument of the `clone` that is under way.
    pub clone_fn: Cell<usize>,
    /// See [`Tls::clone_fn`].
    pub clone_arg: Cell<usize>,
    /// What the thread asks for again and again.
    pub asker: Asker,
    /// While it spins, the session's words when the current iteration began
    /// ([`engine::Page::words`]); otherwise 0.
    pub spin_words: Cell<u32>,
    /// The page last found readable, see [`crate::shim::user_memory::readable`].
    pub readable: Cell<usize>,
    /// See [`crate::shim::forced`]: how many pairs the thread is in, and a bit for each, the
    /// innermost lowest: 1 for busy.
    pub forced_depth: Cell<u32>,
    /// See [`Tls::forced_depth`].
    pub forced_pairs: Cell<u32>,
}

const _: () = assert!(size_of::<Tls>() <= arch::SIZE && align_of::<Tls>() <= 64);

/// The calling thread's block. A vfork child shares its parent's.
#[inline(always)]
pub fn tls() -> &'static Tls {
    // SAFETY: large enough and zeroed, which is valid; there as long as the thread runs, and the
    // reference does not leave it (Tls is not Sync).
    unsafe { &*arch::thread_block().cast::<Tls>() }
}
