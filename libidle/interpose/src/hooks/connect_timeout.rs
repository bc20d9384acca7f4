//! connect(2) on a socket with SO_SNDTIMEO: see [`crate::hooks::socket_timeouts`].

use crate::hooks::poll::poll_until;
use crate::hooks::socket_timeouts::{flags, is_local, option};
use crate::next;
use crate::patience::SLICE;
use crate::shim::clock_id;
use crate::shim::entry::{Entry, WaitKind, after_handler};
use crate::shim::errno;
use crate::shim::errno::outcome;
use crate::shim::polling_wait;
use engine::arch::syscall::syscall6;
use libc::{POLLOUT, c_int, pollfd, sockaddr, socklen_t, timeval};
use posix::errno::Errno;
use posix::time::Span;

/// connect(2) on a socket whose time-out for sending is `limit`.
pub fn connect(
    entry: &Entry,
    fd: c_int,
    to: *const sockaddr,
    len: socklen_t,
    limit: Span,
) -> c_int {
    let real = next!(connect: fn(c_int, *const sockaddr, socklen_t) -> c_int);
    let call = || outcome(real(fd, to, len));
    let deadline = clock_id::after(&entry.engine, limit);
    let answer: Result<c_int, Errno> = if is_local(fd) {
        connect_unix(entry, fd, deadline, call)
    } else {
        connect_started(entry, fd, deadline, call)
    };
    if answer == Err(Errno::EINTR) {
        after_handler();
    }
    errno::Answer::answer(answer)
}

/// The kernel's own limit, made short; nothing tells when a listener has room again.
fn connect_unix(
    entry: &Entry,
    fd: c_int,
    deadline: u64,
    call: impl Fn() -> Result<c_int, Errno>,
) -> Result<c_int, Errno> {
    let _short = Shortened::new(fd);
    polling_wait::wait_deaf(entry, WaitKind::Descriptor, deadline, std::ptr::null(), |_| call())
}

/// Others are started and then waited for.
fn connect_started(
    entry: &Entry,
    fd: c_int,
    deadline: u64,
    call: impl Fn() -> Result<c_int, Errno>,
) -> Result<c_int, Errno> {
    let started = {
        let _start = NonBlocking::new(fd);
        call()
    };
    // EALREADY: it was started by an earlier call.
    if !matches!(started, Err(Errno(libc::EINPROGRESS | libc::EALREADY))) {
        return started;
    }
    let mut set = pollfd { fd, events: POLLOUT, revents: 0 };
    // SAFETY: a set of our own.
    match unsafe { poll_until(entry, &mut set, 1, deadline, std::ptr::null()) }? {
        0 => started,
        // It has ended, one way or the other, and this says how.
        _ => call(),
    }
}

/// SO_SNDTIMEO is as short as it can be while this lives.
struct Shortened {
    fd: c_int,
    was: timeval,
}

impl Shortened {
    fn new(fd: c_int) -> Shortened {
        let was = option(fd, libc::SO_SNDTIMEO, timeval { tv_sec: 0, tv_usec: 0 })
            .unwrap_or(timeval { tv_sec: 0, tv_usec: 0 });
        Shortened::set(fd, &timeval { tv_sec: 0, tv_usec: (SLICE.ns() / 1000) as i64 });
        Shortened { fd, was }
    }

    fn set(fd: c_int, to: &timeval) {
        let (level, name) = (libc::SOL_SOCKET as usize, libc::SO_SNDTIMEO as usize);
        let at = to as *const timeval as usize;
        // SAFETY: a value of the option's type.
        unsafe {
            syscall6(libc::SYS_setsockopt, fd as usize, level, name, at, size_of::<timeval>(), 0)
        };
    }
}

impl Drop for Shortened {
    fn drop(&mut self) {
        Shortened::set(self.fd, &self.was);
    }
}

/// O_NONBLOCK is set while this lives.
struct NonBlocking {
    fd: c_int,
    was: c_int,
}

impl NonBlocking {
    fn new(fd: c_int) -> NonBlocking {
        let was = flags(fd);
        NonBlocking::set(fd, was | libc::O_NONBLOCK);
        NonBlocking { fd, was }
    }

    fn set(fd: c_int, flags: c_int) {
        // SAFETY: plain numbers.
        unsafe {
            syscall6(libc::SYS_fcntl, fd as usize, libc::F_SETFL as usize, flags as usize, 0, 0, 0)
        };
    }
}

impl Drop for NonBlocking {
    fn drop(&mut self) {
        NonBlocking::set(self.fd, self.was);
    }
}
