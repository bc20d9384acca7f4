//! Calls on one descriptor that may block: the real call between two marks. It keeps its
//! cancellation, its errors and its restarts.

use crate::next;
use crate::shim::entry::{WaitKind, enter};
use crate::shim::hidden_fds;
use crate::shim::{tcp_push, written_files};
use libc::{c_int, c_void, iovec, off_t, size_t, ssize_t};

/// Bodies that do the real call inside a kernel wait.
macro_rules! kernel_waits {
    ($what:expr; $($(#[$doc:meta])* fn $name:ident($($arg:ident: $t:ty),*) -> $r:ty;)*) => {$(
        $(#[$doc])*
        #[inline]
        pub fn $name($($arg: $t),*) -> $r {
            let real = $crate::next!($name: fn($($t),*) -> $r);
            let entry = $crate::shim::entry::enter();
            let _wait = entry.as_ref().map(|e| e.kernel_wait($what));
            real($($arg),*)
        }
    )*};
}
pub(crate) use kernel_waits;

kernel_waits! { WaitKind::Descriptor;
    /// __read_chk (`_FORTIFY_SOURCE`).
    fn __read_chk(fd: c_int, buf: *mut c_void, n: size_t, size: size_t) -> ssize_t;
    /// flock(2).
    fn flock(fd: c_int, op: c_int) -> c_int;
    /// lockf(3).
    fn lockf(fd: c_int, cmd: c_int, len: off_t) -> c_int;
    /// lockf64.
    fn lockf64(fd: c_int, cmd: c_int, len: off_t) -> c_int;
    /// tcdrain(3).
    fn tcdrain(fd: c_int) -> c_int;
    /// tee(2).
    fn tee(from: c_int, to: c_int, n: size_t, flags: u32) -> ssize_t;
    /// vmsplice(2).
    fn vmsplice(to: c_int, iov: *const iovec, n: size_t, flags: u32) -> ssize_t;
    /// pread(2).
    fn pread(fd: c_int, buf: *mut c_void, n: size_t, at: off_t) -> ssize_t;
    /// pread64.
    fn pread64(fd: c_int, buf: *mut c_void, n: size_t, at: off_t) -> ssize_t;
    /// preadv(2).
    fn preadv(fd: c_int, iov: *const iovec, n: c_int, at: off_t) -> ssize_t;
    /// preadv64.
    fn preadv64(fd: c_int, iov: *const iovec, n: c_int, at: off_t) -> ssize_t;
    /// preadv2(2): with an offset of -1 it reads like readv(2), also from pipes.
    fn preadv2(fd: c_int, iov: *const iovec, n: c_int, at: off_t, flags: c_int) -> ssize_t;
    /// preadv64v2.
    fn preadv64v2(fd: c_int, iov: *const iovec, n: c_int, at: off_t, flags: c_int) -> ssize_t;
    /// eventfd_read(3).
    fn eventfd_read(fd: c_int, value: *mut u64) -> c_int;
    /// eventfd_write(3).
    fn eventfd_write(fd: c_int, value: u64) -> c_int;
    /// getrandom(2): may wait for the machine's first random bytes.
    fn getrandom(buf: *mut c_void, n: size_t, flags: u32) -> ssize_t;
}

/// `done` bytes were written to `fd`.
#[inline]
fn wrote(fd: c_int, done: ssize_t) -> ssize_t {
    if done > 0 {
        written_files::wrote(fd);
    }
    done
}

/// Bodies that move bytes to descriptor `to`, which may be a socket or a file.
macro_rules! moves {
    ($($(#[$doc:meta])* fn $name:ident($($arg:ident: $t:ty),*) |$to:ident|;)*) => {$(
        $(#[$doc])*
        pub fn $name($($arg: $t),*) -> ssize_t {
            let real = next!($name: fn($($t),*) -> ssize_t);
            // A write to a regular file is no wait.
            let entry = if written_files::is_regular($to) { None } else { enter() };
            let Some(entry) = entry else { return wrote($to, real($($arg),*)) };
            tcp_push::writes(&entry, $to);
            let done = {
                let _wait = entry.kernel_wait(WaitKind::Descriptor);
                real($($arg),*)
            };
            if done > 0 {
                tcp_push::sent($to);
            }
            wrote($to, done)
        }
    )*};
}

moves! {
    /// splice(2).
    fn splice(
        from: c_int, off: *mut i64, to: c_int, off2: *mut i64, n: size_t, flags: u32
    ) |to|;
    /// sendfile(2).
    fn sendfile(to: c_int, from: c_int, off: *mut off_t, n: size_t) |to|;
    /// sendfile64.
    fn sendfile64(to: c_int, from: c_int, off: *mut off_t, n: size_t) |to|;
    /// pwrite(2).
    fn pwrite(fd: c_int, buf: *const c_void, n: size_t, at: off_t) |fd|;
    /// pwrite64.
    fn pwrite64(fd: c_int, buf: *const c_void, n: size_t, at: off_t) |fd|;
    /// pwritev(2).
    fn pwritev(fd: c_int, iov: *const iovec, n: c_int, at: off_t) |fd|;
    /// pwritev64.
    fn pwritev64(fd: c_int, iov: *const iovec, n: c_int, at: off_t) |fd|;
    /// pwritev2(2).
    fn pwritev2(fd: c_int, iov: *const iovec, n: c_int, at: off_t, flags: c_int) |fd|;
    /// pwritev64v2.
    fn pwritev64v2(fd: c_int, iov: *const iovec, n: c_int, at: off_t, flags: c_int) |fd|;
}

/// fcntl(2): only F_SETLKW and F_OFD_SETLKW wait. Of descriptors of this library it knows nothing.
pub fn fcntl(fd: c_int, cmd: c_int, arg: usize) -> c_int {
    control(next!(fcntl: fn(c_int, c_int, usize) -> c_int), fd, cmd, arg)
}

/// fcntl64.
pub fn fcntl64(fd: c_int, cmd: c_int, arg: usize) -> c_int {
    control(next!(fcntl64: fn(c_int, c_int, usize) -> c_int), fd, cmd, arg)
}
fn control(
    real: extern "C-unwind" fn(c_int, c_int, usize) -> c_int,
    fd: c_int,
    cmd: c_int,
    arg: usize,
) -> c_int {
    if hidden_fds::is_hidden(fd) {
        crate::shim::errno::set(libc::EBADF);
        return -1;
    }
    let entry = if matches!(cmd, libc::F_SETLKW | libc::F_OFD_SETLKW) { enter() } else { None };
    let _wait = entry.as_ref().map(|e| e.kernel_wait(WaitKind::Descriptor));
    let done = real(fd, cmd, arg);
    if matches!(cmd, libc::F_SETLK | libc::F_OFD_SETLK) {
        crate::shim::spin_loop::success(done as i64);
    }
    if matches!(cmd, libc::F_DUPFD | libc::F_DUPFD_CLOEXEC) {
        crate::hooks::close_dup::copied(fd, done)
    } else {
        done
    }
}

/// A blocking system call made through syscall(2).
pub fn waiting(number: libc::c_long, [a, b, c, d, e, f]: [usize; 6]) -> libc::c_long {
    let real =
        next!(syscall: fn(libc::c_long, usize, usize, usize, usize, usize, usize) -> libc::c_long);
    let entry = enter();
    let _wait = entry.as_ref().map(|e| e.kernel_wait(WaitKind::Descriptor));
    real(number, a, b, c, d, e, f)
}
