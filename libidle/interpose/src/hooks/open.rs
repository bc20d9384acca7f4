//! open(2) and its relatives: may wait for the other end of a FIFO, and may create a file.

use crate::next;
use crate::shim::entry::{WaitKind, enter};
use crate::shim::library::library;
use crate::shim::{terminals, written_files};
use libc::{AT_FDCWD, O_CREAT, O_TRUNC, O_WRONLY, c_char, c_int, mode_t};

/// creat(2) opens with these.
const CREAT: c_int = O_CREAT | O_WRONLY | O_TRUNC;

/// Bodies that open inside a kernel wait, and tell of files that are new or empty now: the call's
/// folder and flags stand in brackets.
macro_rules! opens {
    ($(
        $(#[$doc:meta])*
        fn $name:ident[$dir:expr, $path:ident, $flags:expr]($($arg:ident: $t:ty),*);
    )*) => {$(
        $(#[$doc])*
        ///
        /// # Safety
        /// As for the C function.
        #[inline]
        pub unsafe fn $name($($arg: $t),*) -> c_int {
            let real = next!($name: fn($($t),*) -> c_int);
            let changes = $flags & (O_CREAT | O_TRUNC) != 0 && written_files::wanted();
            let before = if changes { library().before_creation() } else { 0 };
            let entry = enter();
            let fd = {
                let _wait = entry.as_ref().map(|e| e.kernel_wait(WaitKind::Descriptor));
                real($($arg),*)
            };
            if changes && fd >= 0 {
                library().opened($dir, $path, $flags, fd, before);
            }
            // SAFETY: the kernel has read the path to its end if it has opened it.
            unsafe { terminals::opened($path, fd) }
        }
    )*};
}

opens! {
    /// creat(2): may wait for a FIFO's reader.
    fn creat[AT_FDCWD, path, CREAT](path: *const c_char, mode: mode_t);
    /// creat64.
    fn creat64[AT_FDCWD, path, CREAT](path: *const c_char, mode: mode_t);
    /// open(2): may wait for the other end of a FIFO. The mode is read whether or not it was
    /// passed.
    fn open[AT_FDCWD, path, flags](path: *const c_char, flags: c_int, mode: mode_t);
    /// open64.
    fn open64[AT_FDCWD, path, flags](path: *const c_char, flags: c_int, mode: mode_t);
    /// openat(2).
    fn openat[dir, path, flags](dir: c_int, path: *const c_char, flags: c_int, mode: mode_t);
    /// openat64.
    fn openat64[dir, path, flags](dir: c_int, path: *const c_char, flags: c_int, mode: mode_t);
    /// __open_2 (`_FORTIFY_SOURCE`).
    fn __open_2[AT_FDCWD, path, flags](path: *const c_char, flags: c_int);
    /// __open64_2 (`_FORTIFY_SOURCE`).
    fn __open64_2[AT_FDCWD, path, flags](path: *const c_char, flags: c_int);
    /// __openat_2 (`_FORTIFY_SOURCE`).
    fn __openat_2[dir, path, flags](dir: c_int, path: *const c_char, flags: c_int);
    /// __openat64_2 (`_FORTIFY_SOURCE`).
    fn __openat64_2[dir, path, flags](dir: c_int, path: *const c_char, flags: c_int);
}
