//! Sockets with SO_RCVTIMEO or SO_SNDTIMEO. The kernel keeps these by the real clock, so on such a
//! socket the waiting is done here: tries that do not wait, and between them waits for readiness
//! until the virtual deadline.

use crate::hooks::poll::poll_until;
use crate::shim::clock_id;
use crate::shim::entry::{Cause, Entry, WaitKind, after_handler};
use crate::shim::errno;
use crate::shim::polling_wait;
use crate::shim::scratch::Scratch;
use crate::shim::tcp_push;
use engine::arch::syscall::syscall6;
use libc::{
    POLLERR, POLLIN, POLLOUT, c_int, c_short, iovec, msghdr, pollfd, sigset_t, socklen_t, ssize_t,
    timespec,
};
use posix::errno::Errno;
use posix::socket_timeout::{self, Way, limit};
use posix::time::Span;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;

/// Has this process set a time-out on any socket? Spares all others the question. Inherited by
/// fork.
pub static TIMEOUTS: AtomicBool = AtomicBool::new(false);

/// An option of the socket, or `None` where there is no such thing.
pub(super) fn option<T: Copy>(fd: c_int, name: c_int, mut value: T) -> Option<T> {
    let mut len = size_of::<T>() as socklen_t;
    let (level, at) = (libc::SOL_SOCKET as usize, &raw mut value as usize);
    // SAFETY: valid out-parameters; a descriptor that is no socket is an error.
    let failed = unsafe {
        syscall6(
            libc::SYS_getsockopt,
            fd as usize,
            level,
            name as usize,
            at,
            &raw mut len as usize,
            0,
        )
    };
    (failed == 0).then_some(value)
}

fn way(events: c_short) -> Way {
    if events == POLLIN { Way::In } else { Way::Out }
}

pub(super) fn is_local(fd: c_int) -> bool {
    option(fd, libc::SO_DOMAIN, 0) == Some(libc::AF_UNIX)
}

/// The socket's time-out for that direction, if it has one and blocks at all.
pub fn timeout(fd: c_int, events: c_short) -> Option<Span> {
    if !TIMEOUTS.load(Relaxed) {
        return None;
    }
    let [sec, usec] = option(fd, way(events).option(), [0i64; 2])?;
    limit(sec, usec).filter(|_| flags(fd) & libc::O_NONBLOCK == 0)
}

/// The descriptor's flags; all of them where there is no such thing.
pub fn flags(fd: c_int) -> c_int {
    // SAFETY: plain numbers.
    unsafe { syscall6(libc::SYS_fcntl, fd as usize, libc::F_GETFL as usize, 0, 0, 0, 0) as c_int }
}

/// Does a call with these flags wait, if its socket's descriptor lets it?
pub fn waits(fd: c_int, events: c_short, flags: c_int) -> bool {
    socket_timeout::waits(way(events), flags, || is_local(fd))
}

/// What a try that must not wait says when it would have to.
const NOTHING: Result<ssize_t, Errno> = Err(Errno(libc::EAGAIN));

/// A wait for `fd` as the kernel's would have ended, but by the virtual clock.
struct Patience {
    fd: c_int,
    events: c_short,
    deadline: u64,
    /// The last wait said that it is ready.
    told: bool,
}

impl Patience {
    /// Waits for a reason to try; `None` at the deadline.
    fn wait(&mut self, entry: &Entry) -> Result<Option<c_short>, Errno> {
        let mut set = pollfd { fd: self.fd, events: self.events, revents: 0 };
        // SAFETY: a set of our own.
        let ready = unsafe { poll_until(entry, &mut set, 1, self.deadline, std::ptr::null()) }?;
        self.told = ready != 0;
        Ok(self.told.then_some(set.revents))
    }

    /// It was said to be ready, and the try found nothing all the same: tries again after a while.
    /// To read, because somebody else was quicker; then the next wait tells. But a datagram socket
    /// whose peer, named by the call, is full is ready all the time, and only tries tell of room.
    /// `None` at the deadline.
    fn insist(
        &self,
        entry: &Entry,
        attempt: impl Fn() -> Result<ssize_t, Errno>,
    ) -> Option<Result<ssize_t, Errno>> {
        let cause = Cause::from(WaitKind::Descriptor).rechecking();
        let try_again = |slice: Option<(&timespec, *const sigset_t)>| {
            let Some((time, mask)) = slice else { return Some(NOTHING) };
            let got = attempt();
            if got != NOTHING {
                return Some(got);
            }
            match polling_wait::pause(time, mask) {
                Err(interrupted) => Some(Err(interrupted)),
                Ok(()) => (self.events == POLLIN).then_some(NOTHING),
            }
        };
        polling_wait::wait(entry, cause, self.deadline, std::ptr::null(), try_again)
    }
}

/// A transfer on a socket whose time-out is `limit`. `part` does the real call without the bytes
/// that are done, with more flags; `len` is how many bytes are asked for, `flags` the program's.
pub fn transfer(
    entry: &Entry,
    (fd, events, limit): (c_int, c_short, Span),
    flags: c_int,
    part: impl Fn(usize, c_int) -> ssize_t,
    len: impl Fn() -> usize,
) -> ssize_t {
    let sends = events == POLLOUT;
    let wanted = if sends {
        true
    } else {
        flags & (libc::MSG_WAITALL | libc::MSG_PEEK) == libc::MSG_WAITALL
    };
    let all = wanted && option(fd, libc::SO_TYPE, 0) == Some(libc::SOCK_STREAM);
    let attempt = |done: usize| {
        // Of what was sent already the caller is told; the signal for the rest comes with the next
        // call.
        let quiet = if sends && done != 0 { libc::MSG_NOSIGNAL } else { 0 };
        let got = part(done, libc::MSG_DONTWAIT | quiet);
        if got < 0 { Err(Errno(errno::get())) } else { Ok(got) }
    };
    let mut patience =
        Patience { fd, events, deadline: clock_id::after(&entry.engine, limit), told: false };
    let mut done = 0;
    let last = loop {
        let mut got = attempt(done);
        if got == NOTHING && std::mem::take(&mut patience.told) {
            let Some(again) = patience.insist(entry, || attempt(done)) else { break NOTHING };
            got = again;
        }
        if let Ok(bytes @ 1..) = got {
            done += bytes as usize;
            if sends {
                tcp_push::sent(fd);
                if is_local(fd) {
                    // There the limit is one for each buffer.
                    patience.deadline = clock_id::after(&entry.engine, limit);
                }
            }
        }
        if got != NOTHING && !(all && matches!(got, Ok(1..)) && done < len()) {
            break got;
        }
        match patience.wait(entry) {
            // The error is the next call's.
            Ok(Some(seen)) if seen & POLLERR != 0 && done != 0 => break NOTHING,
            Ok(Some(_)) => {}
            Ok(None) => break NOTHING,
            Err(error) => break Err(error),
        }
    };
    if done != 0 {
        return done as ssize_t;
    }
    if last == Err(Errno::EINTR) {
        after_handler();
    }
    errno::Answer::answer(last)
}

/// Bytes that `n` parts hold.
///
/// # Safety
/// There are as many.
pub unsafe fn total(parts: *const iovec, n: usize) -> usize {
    // SAFETY: `n` parts, by this function's contract.
    (0..n).map(|i| unsafe { (*parts.add(i)).iov_len }).sum()
}

/// Gives `call` a message without the first `done` bytes of `whole`. What is beside the bytes went
/// with the first of them.
///
/// # Safety
/// `whole` is a message that the kernel has taken `done` bytes of, or none.
pub unsafe fn rest(
    whole: *mut msghdr,
    done: usize,
    call: impl Fn(*mut msghdr) -> ssize_t,
) -> ssize_t {
    if done == 0 {
        return call(whole);
    }
    // SAFETY: the kernel has read it; a zeroed iovec is valid.
    let (mut message, room) =
        unsafe { (*whole, Scratch::<iovec, 16>::zeroed((*whole).msg_iovlen)) };
    let Some(mut room) = room else {
        errno::set(libc::EAGAIN);
        return -1;
    };
    let mut skip = done;
    for (i, part) in room.slice().iter_mut().enumerate() {
        // SAFETY: i < msg_iovlen, and within the part.
        unsafe {
            *part = *message.msg_iov.add(i);
            let over = skip.min(part.iov_len);
            part.iov_base = part.iov_base.byte_add(over);
            part.iov_len -= over;
            skip -= over;
        }
    }
    message.msg_iov = room.slice().as_mut_ptr();
    (message.msg_name, message.msg_namelen) = (std::ptr::null_mut(), 0);
    (message.msg_control, message.msg_controllen) = (std::ptr::null_mut(), 0);
    call(&mut message)
}

/// accept(2) on a socket whose time-out is `limit`. It waits again, by the real clock, only where
/// somebody else was quicker.
pub fn accept(entry: &Entry, fd: c_int, limit: Span, call: impl Fn() -> c_int) -> c_int {
    let mut patience = Patience {
        fd,
        events: POLLIN,
        deadline: clock_id::after(&entry.engine, limit),
        told: false,
    };
    let late = match patience.wait(entry) {
        Ok(Some(_)) => {
            let _wait = entry.kernel_wait(WaitKind::Descriptor);
            return call();
        }
        Ok(None) => libc::EAGAIN,
        Err(Errno(code)) => code,
    };
    errno::set(late);
    -1
}
