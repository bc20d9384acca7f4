//! What libflux.so and libidle.so have each for itself, beside their rows.
//!
//! The library that this crate is linked into brings one value of [`Library`] by
//! [`library!`](crate::library!). Hooks may be called before any constructor, so nobody could
//! register it in time: the macro defines a function of a fixed name, hidden from the program, and
//! the linker leads [`library`] to it.

use engine::{Engine, Page};
use libc::FILE;
use posix::names::Names;
use posix::session_name::LONGEST;
use std::ffi::{c_char, c_int, c_void};
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;

/// One of the two libraries.
pub trait Library: Sync {
    /// The names of environment variables that it uses. The session is a path, `/proc/PID/fd/N` of
    /// the launcher or of a descriptor that is inherited ([`crate::shim::inherited_fds`]), or see
    /// [`crate::statefile::process_tree`]; the slot is a credit
    /// ([`engine::schedule::births::Credit::word`]).
    fn names(&self) -> &'static Names;

    /// The region that this process shares with others; `None`: the program runs as if the library
    /// were not there. Called once, with all signals blocked.
    fn region(&self) -> Option<&'static Page>;

    /// The process has joined, and has its first slot.
    fn joined(&self, page: &Page);

    /// From the library's constructor.
    fn constructed(&self) {}

    /// In a forked child, which has no slot yet.
    fn forked(&self);

    /// What [`Names::session`] says to the next program image.
    fn session_of_next_image<'a>(&self, into: &'a mut [u8; LONGEST]) -> &'a [u8];

    /// What this process executes may soon have no access to the launcher's files: keeps the region
    /// open.
    fn keep_session(&self) {}

    /// exec(2) is about to be tried, with slot `credit` for the new image; answers what
    /// [`Library::exec_failed`] is to be told.
    fn before_exec(&self, _engine: &Engine, _credit: usize) -> bool {
        false
    }

    /// The exec has failed.
    fn exec_failed(&self, _answer: bool) {}

    /// The number of the thread that the library has in this process; 0 when there is none.
    fn own_thread(&self) -> u32;

    /// Ends that thread; answers whether there is to be another one.
    fn stop_own_thread(&self) -> bool;

    /// There may be one again.
    fn restart_own_thread(&self);

    /// A thread is about to wait, and [`THREAD_NEEDED`] is set.
    fn start_own_thread(&self, _engine: &Engine) {}

    /// Files were written since the last call: see [`crate::shim::written_files`].
    fn look_at_written(&self) {}

    /// A file that may have been created was opened; `before` is what
    /// [`Library::before_creation`] has answered.
    fn opened(&self, _dir: c_int, _path: *const c_char, _flags: c_int, _fd: c_int, _before: i64) {}

    /// The same of a stream.
    fn opened_stream(
        &self,
        _path: *const c_char,
        _mode: *const c_char,
        _stream: *mut FILE,
        _before: i64,
    ) {
    }

    /// A file may be about to be created.
    fn before_creation(&self) -> i64 {
        0
    }

    /// The process is about to end.
    fn leaves(&self) {}

    /// Prints a row of the states of all threads. `about_to` is the slot of one that is about to
    /// wait.
    fn print_row(&self, _engine: &Engine, _about_to: Option<usize>) {}
}

/// The library that this crate is part of.
pub fn library() -> &'static dyn Library {
    unsafe extern "C" {
        /// Defined by `library!`.
        fn interpose_library() -> *const c_void;
    }
    // SAFETY: the function returns the address of a static of this type.
    unsafe { *interpose_library().cast::<&'static dyn Library>() }
}

/// Does this process need a thread of the library's when it waits, and has it none?
#[unsafe(link_section = ".data.interpose")]
pub static THREAD_NEEDED: AtomicBool = AtomicBool::new(false);

/// The calling thread is about to wait: from now on the library has its thread, if the kernel
/// allows.
#[inline(always)]
pub fn ensure_thread(engine: &Engine) {
    if THREAD_NEEDED.load(Relaxed) {
        library().start_own_thread(engine);
    }
}
