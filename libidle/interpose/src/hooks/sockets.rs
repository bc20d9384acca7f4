//! Socket calls that may block. SO_RCVTIMEO and SO_SNDTIMEO are kept by the real clock in the kernel, so on a socket
//! that has one the wait is made here: for readiness, until the virtual deadline, with the error the kernel would give.

use super::descriptors::kernel_waits;
use super::poll::{limit, poll_until};
use crate::enter::{Entry, What, enter};
use crate::errno;
use crate::{next, tcp};
use engine::time;
use libc::{
    POLLIN, POLLOUT, c_int, c_short, c_void, iovec, msghdr, pollfd, size_t, sockaddr, socklen_t, ssize_t, timeval,
};
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;

kernel_waits! { What::Descriptor;
    /// sendmmsg(2).
    fn sendmmsg(fd: c_int, msgs: *mut libc::mmsghdr, n: u32, flags: c_int) -> c_int;
    /// recvmmsg(2).
    fn recvmmsg(fd: c_int, msgs: *mut libc::mmsghdr, n: u32, flags: c_int, timeout: *mut libc::timespec) -> c_int;
}

/// Has this process set a time-out on any socket? Spares all others the question. Inherited by fork.
static TIMEOUTS: AtomicBool = AtomicBool::new(false);

/// setsockopt(2): notes that there are time-outs.
///
/// # Safety
/// As for the C function.
pub unsafe fn setsockopt(fd: c_int, level: c_int, name: c_int, value: *const c_void, len: socklen_t) -> c_int {
    if level == libc::SOL_SOCKET && matches!(name, libc::SO_RCVTIMEO | libc::SO_SNDTIMEO) {
        TIMEOUTS.store(true, Relaxed);
    }
    // SAFETY: the caller's arguments.
    unsafe {
        next!(setsockopt: fn(c_int, c_int, c_int, *const c_void, socklen_t) -> c_int)(fd, level, name, value, len)
    }
}

/// The socket's time-out for that direction, ns, if it has one and blocks at all.
fn timeout(fd: c_int, events: c_short) -> Option<u64> {
    if !TIMEOUTS.load(Relaxed) {
        return None;
    }
    let name = if events == POLLIN { libc::SO_RCVTIMEO } else { libc::SO_SNDTIMEO };
    let mut tv = timeval { tv_sec: 0, tv_usec: 0 };
    let mut len = size_of::<timeval>() as socklen_t;
    let saved = errno::get();
    // SAFETY: valid out-parameters; a descriptor that is no socket is an error.
    let failed = unsafe {
        libc::getsockopt(fd, libc::SOL_SOCKET, name, (&raw mut tv).cast(), &mut len) != 0
            || next!(fcntl: fn(c_int, c_int, usize) -> c_int)(fd, libc::F_GETFL, 0) & libc::O_NONBLOCK != 0
    };
    errno::set(saved);
    if failed {
        return None;
    }
    time::timeval(tv.tv_sec, tv.tv_usec).filter(|&ns| ns != 0)
}

/// Does `call` inside a kernel wait, or, on a socket with a time-out, after a wait of our own; `late` is the error when
/// the time is over. `call` blocks only if the readiness was taken by somebody else, then in real time.
fn within(entry: &Entry, fd: c_int, events: c_short, late: c_int, call: impl Fn() -> ssize_t) -> ssize_t {
    if let Some(ns) = timeout(fd, events) {
        let mut set = pollfd { fd, events, revents: 0 };
        // SAFETY: a set of our own.
        match unsafe { poll_until(entry, &mut set, 1, limit(entry, Some(ns)), std::ptr::null()) } {
            Ok(0) => {
                errno::set(late);
                return -1;
            }
            Err(errno::Errno(code)) => {
                errno::set(code);
                return -1;
            }
            Ok(_) => {}
        }
    }
    let done = {
        let _wait = entry.kernel_wait(What::Descriptor);
        call()
    };
    if events == POLLOUT && done > 0 {
        tcp::sent(fd);
    }
    done
}

macro_rules! transfers {
    ($($(#[$doc:meta])* fn $name:ident[$events:expr, $late:expr]($fd:ident: c_int $(, $arg:ident: $t:ty)*) -> $r:ty;)*) => {$(
        $(#[$doc])*
        ///
        /// # Safety
        /// As for the C function.
        #[inline]
        pub unsafe fn $name($fd: c_int, $($arg: $t),*) -> $r {
            let real = next!($name: fn(c_int, $($t),*) -> $r);
            match enter() {
                // SAFETY: the caller's arguments.
                Some(entry) => within(&entry, $fd, $events, $late, || unsafe { real($fd, $($arg),*) as ssize_t }) as $r,
                // SAFETY: the caller's arguments.
                None => unsafe { real($fd, $($arg),*) },
            }
        }
    )*};
}

transfers! {
    /// recv(2).
    fn recv[POLLIN, libc::EAGAIN](fd: c_int, buf: *mut c_void, n: size_t, flags: c_int) -> ssize_t;
    /// recvfrom(2).
    fn recvfrom[POLLIN, libc::EAGAIN](fd: c_int, buf: *mut c_void, n: size_t, flags: c_int, from: *mut sockaddr, len: *mut socklen_t) -> ssize_t;
    /// recvmsg(2).
    fn recvmsg[POLLIN, libc::EAGAIN](fd: c_int, msg: *mut msghdr, flags: c_int) -> ssize_t;
    /// __recv_chk (`_FORTIFY_SOURCE`).
    fn __recv_chk[POLLIN, libc::EAGAIN](fd: c_int, buf: *mut c_void, n: size_t, size: size_t, flags: c_int) -> ssize_t;
    /// __recvfrom_chk (`_FORTIFY_SOURCE`).
    fn __recvfrom_chk[POLLIN, libc::EAGAIN](fd: c_int, buf: *mut c_void, n: size_t, size: size_t, flags: c_int, from: *mut sockaddr, len: *mut socklen_t) -> ssize_t;
    /// send(2).
    fn send[POLLOUT, libc::EAGAIN](fd: c_int, buf: *const c_void, n: size_t, flags: c_int) -> ssize_t;
    /// sendto(2).
    fn sendto[POLLOUT, libc::EAGAIN](fd: c_int, buf: *const c_void, n: size_t, flags: c_int, to: *const sockaddr, len: socklen_t) -> ssize_t;
    /// sendmsg(2).
    fn sendmsg[POLLOUT, libc::EAGAIN](fd: c_int, msg: *const msghdr, flags: c_int) -> ssize_t;
    /// read(2): a socket may have a time-out.
    fn read[POLLIN, libc::EAGAIN](fd: c_int, buf: *mut c_void, n: size_t) -> ssize_t;
    /// write(2).
    fn write[POLLOUT, libc::EAGAIN](fd: c_int, buf: *const c_void, n: size_t) -> ssize_t;
    /// readv(2).
    fn readv[POLLIN, libc::EAGAIN](fd: c_int, iov: *const iovec, n: c_int) -> ssize_t;
    /// writev(2).
    fn writev[POLLOUT, libc::EAGAIN](fd: c_int, iov: *const iovec, n: c_int) -> ssize_t;
}

/// socket(2): notes which are TCP.
///
/// # Safety
/// As for the C function.
pub unsafe fn socket(domain: c_int, kind: c_int, protocol: c_int) -> c_int {
    // SAFETY: plain numbers.
    let fd = unsafe { next!(socket: fn(c_int, c_int, c_int) -> c_int)(domain, kind, protocol) };
    let stream = kind & !(libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC) == libc::SOCK_STREAM;
    tcp::mark(fd, stream && matches!(domain, libc::AF_INET | libc::AF_INET6));
    fd
}

/// accept(2).
///
/// # Safety
/// As for the C function.
pub unsafe fn accept(fd: c_int, from: *mut sockaddr, len: *mut socklen_t) -> c_int {
    // SAFETY: the caller's arguments.
    unsafe { accepted(fd, || next!(accept: fn(c_int, *mut sockaddr, *mut socklen_t) -> c_int)(fd, from, len)) }
}

/// accept4(2).
///
/// # Safety
/// As for the C function.
pub unsafe fn accept4(fd: c_int, from: *mut sockaddr, len: *mut socklen_t, flags: c_int) -> c_int {
    let real = next!(accept4: fn(c_int, *mut sockaddr, *mut socklen_t, c_int) -> c_int);
    // SAFETY: the caller's arguments.
    unsafe { accepted(fd, || real(fd, from, len, flags)) }
}

fn accepted(fd: c_int, call: impl Fn() -> c_int) -> c_int {
    let new = match enter() {
        Some(entry) => within(&entry, fd, POLLIN, libc::EAGAIN, || call() as ssize_t) as c_int,
        None => call(),
    };
    tcp::mark(new, tcp::is_socket(fd));
    new
}

/// connect(2). With SO_SNDTIMEO the kernel gives up with EINPROGRESS by the real clock.
///
/// # Safety
/// As for the C function.
pub unsafe fn connect(fd: c_int, to: *const sockaddr, len: socklen_t) -> c_int {
    let real = next!(connect: fn(c_int, *const sockaddr, socklen_t) -> c_int);
    let entry = enter();
    let _wait = entry.as_ref().map(|e| e.kernel_wait(What::Descriptor));
    // SAFETY: the caller's arguments.
    unsafe { real(fd, to, len) }
}
