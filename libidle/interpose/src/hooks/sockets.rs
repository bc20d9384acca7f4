//! Socket calls that may block: the real call inside a kernel wait, or, on a socket with a
//! time-out, what [`socket_timeouts`] makes of it.

use crate::hooks::connect_timeout;
use crate::hooks::socket_timeouts;
use crate::next;
use crate::shim::entry::{WaitKind, enter};
use crate::shim::errno;
use crate::shim::tcp_push;
use crate::shim::timer_fds;
use crate::shim::written_files;
use libc::{
    POLLIN, POLLOUT, c_int, c_short, c_void, iovec, msghdr, size_t, sockaddr, socklen_t, ssize_t,
};
use posix::socket_timeout::is_limit;
use std::sync::atomic::Ordering::Relaxed;

/// setsockopt(2): notes that there are time-outs.
pub fn setsockopt(
    fd: c_int,
    level: c_int,
    name: c_int,
    value: *const c_void,
    len: socklen_t,
) -> c_int {
    if is_limit(level, name) {
        socket_timeouts::TIMEOUTS.store(true, Relaxed);
    }
    if (level, name) == (libc::SOL_SOCKET, libc::SO_LINGER) {
        tcp_push::LINGERS.store(true, Relaxed);
    }
    next!(setsockopt: fn(c_int, c_int, c_int, *const c_void, socklen_t) -> c_int)(
        fd, level, name, value, len,
    )
}

/// One transfer: `whole` is the real call, to be made inside a kernel wait; the other two are for a
/// socket with a time-out, see [`socket_timeouts::transfer`].
#[inline]
fn transfer(
    fd: c_int,
    events: c_short,
    flags: c_int,
    whole: impl Fn() -> ssize_t,
    part: impl Fn(usize, c_int) -> ssize_t,
    len: impl Fn() -> usize,
) -> ssize_t {
    if events == POLLOUT && written_files::is_regular(fd) {
        let done = whole();
        written_files::wrote(fd);
        return done;
    }
    let Some(entry) = enter() else { return whole() };
    if events == POLLOUT {
        tcp_push::writes(&entry, fd);
    }
    if flags & libc::MSG_DONTWAIT == 0
        && let Some(limit) = socket_timeouts::timeout(fd, events)
        && socket_timeouts::waits(fd, events, flags)
    {
        return socket_timeouts::transfer(&entry, (fd, events, limit), flags, part, len);
    }
    let done = {
        let _wait = entry.kernel_wait(WaitKind::Descriptor);
        whole()
    };
    if events == POLLOUT && done > 0 {
        // Bytes after which more is announced are to be held back.
        if flags & libc::MSG_MORE == 0 {
            tcp_push::sent(fd);
        }
        written_files::wrote(fd);
    }
    done
}

/// Transfers of one buffer: the real call, and the same of `done` bytes less and with more flags,
/// by that function or another one.
macro_rules! buffers {
    ($(
        $(#[$doc:meta])*
        fn $name:ident[$events:expr, $flags:expr](
            $fd:ident: c_int, $buf:ident: $b:ty, $n:ident: size_t $(, $arg:ident: $t:ty)*
        ) = |$real:ident, $done:ident, $more:ident| $part:expr;
    )*) => {$(
        $(#[$doc])*
        ///
        /// # Safety
        /// As for the C function.
        #[inline]
        pub unsafe fn $name($fd: c_int, $buf: $b, $n: size_t, $($arg: $t),*) -> ssize_t {
            let $real = next!($name: fn(c_int, $b, size_t, $($t),*) -> ssize_t);
            let whole = || $real($fd, $buf, $n, $($arg),*);
            // SAFETY: the same without the first `done` bytes, which the kernel has had.
            let part = |$done: usize, $more: c_int| unsafe { $part };
            transfer($fd, $events, $flags, whole, part, || $n)
        }
    )*};
}

/// recv(2) beneath the hook.
type Recv = extern "C-unwind" fn(c_int, *mut c_void, size_t, c_int) -> ssize_t;
/// send(2) beneath the hook.
type Send = extern "C-unwind" fn(c_int, *const c_void, size_t, c_int) -> ssize_t;

fn real_recv() -> Recv {
    next!(recv: fn(c_int, *mut c_void, size_t, c_int) -> ssize_t)
}

fn real_send() -> Send {
    next!(send: fn(c_int, *const c_void, size_t, c_int) -> ssize_t)
}

buffers! {
    /// recv(2).
    fn recv[POLLIN, flags](fd: c_int, buf: *mut c_void, n: size_t, flags: c_int)
        = |real, done, more| real(fd, buf.byte_add(done), n - done, flags | more);
    /// recvfrom(2).
    fn recvfrom[POLLIN, flags](
        fd: c_int, buf: *mut c_void, n: size_t, flags: c_int,
        from: *mut sockaddr, len: *mut socklen_t
    ) = |real, done, more| real(fd, buf.byte_add(done), n - done, flags | more, from, len);
    /// __recv_chk (`_FORTIFY_SOURCE`).
    fn __recv_chk[POLLIN, flags](
        fd: c_int, buf: *mut c_void, n: size_t, size: size_t, flags: c_int
    ) = |real, done, more| {
        real(fd, buf.byte_add(done), n - done, size.wrapping_sub(done), flags | more)
    };
    /// __recvfrom_chk (`_FORTIFY_SOURCE`).
    fn __recvfrom_chk[POLLIN, flags](
        fd: c_int, buf: *mut c_void, n: size_t, size: size_t, flags: c_int,
        from: *mut sockaddr, len: *mut socklen_t
    ) = |real, done, more| {
        real(fd, buf.byte_add(done), n - done, size.wrapping_sub(done), flags | more, from, len)
    };
    /// send(2).
    fn send[POLLOUT, flags](fd: c_int, buf: *const c_void, n: size_t, flags: c_int)
        = |real, done, more| real(fd, buf.byte_add(done), n - done, flags | more);
    /// sendto(2).
    fn sendto[POLLOUT, flags](
        fd: c_int, buf: *const c_void, n: size_t, flags: c_int,
        to: *const sockaddr, len: socklen_t
    ) = |real, done, more| real(fd, buf.byte_add(done), n - done, flags | more, to, len);
    /// read(2): a socket may have a time-out. Reading nothing never waits.
    fn read[POLLIN, if n == 0 { libc::MSG_DONTWAIT } else { 0 }](
        fd: c_int, buf: *mut c_void, n: size_t
    ) = |real, done, more| real_recv()(fd, buf.byte_add(done), n - done, more);
    /// write(2).
    fn write[POLLOUT, 0](fd: c_int, buf: *const c_void, n: size_t)
        = |real, done, more| real_send()(fd, buf.byte_add(done), n - done, more);
}

fn real_recvmsg(fd: c_int, msg: *mut msghdr, flags: c_int) -> ssize_t {
    next!(recvmsg: fn(c_int, *mut msghdr, c_int) -> ssize_t)(fd, msg, flags)
}

fn real_sendmsg(fd: c_int, msg: *const msghdr, flags: c_int) -> ssize_t {
    next!(sendmsg: fn(c_int, *const msghdr, c_int) -> ssize_t)(fd, msg, flags)
}

/// A message of nothing but parts.
fn plain(iov: *const iovec, n: c_int) -> msghdr {
    // SAFETY: null pointers and zeroes are valid.
    let empty: msghdr = unsafe { std::mem::zeroed() };
    msghdr { msg_iov: iov.cast_mut(), msg_iovlen: n as size_t, ..empty }
}

/// recvmsg(2).
///
/// # Safety
/// As for the C function.
pub unsafe fn recvmsg(fd: c_int, msg: *mut msghdr, flags: c_int) -> ssize_t {
    // SAFETY: the message of recvmsg(2), of which the kernel has had `done` bytes.
    let part = |done, more| unsafe {
        socket_timeouts::rest(msg, done, |m| real_recvmsg(fd, m, flags | more))
    };
    // SAFETY: asked for after the kernel has read the message.
    let len = || unsafe { socket_timeouts::total((*msg).msg_iov, (*msg).msg_iovlen) };
    let done = transfer(fd, POLLIN, flags, || real_recvmsg(fd, msg, flags), part, len);
    // SAFETY: the kernel has filled the message in.
    if done >= 0 && unsafe { (*msg).msg_controllen } != 0 {
        // SAFETY: as above.
        unsafe { descriptors_arrived(msg) };
    }
    done
}

/// Descriptors that came with a message may be timers.
///
/// # Safety
/// A message that recvmsg(2) has filled in.
pub unsafe fn descriptors_arrived(msg: *const msghdr) {
    let Some(engine) = crate::shim::session::engine() else { return };
    // SAFETY: the kernel's control messages, walked as cmsg(3) says.
    unsafe {
        let mut part = libc::CMSG_FIRSTHDR(msg);
        while let Some(header) = part.as_ref() {
            if (header.cmsg_level, header.cmsg_type) == (libc::SOL_SOCKET, libc::SCM_RIGHTS) {
                let bytes = header.cmsg_len.saturating_sub(libc::CMSG_LEN(0) as usize);
                let first = libc::CMSG_DATA(part).cast::<c_int>();
                (0..bytes / size_of::<c_int>())
                    .for_each(|i| timer_fds::arrived(&engine, first.add(i).read_unaligned()));
            }
            part = libc::CMSG_NXTHDR(msg, part);
        }
    }
}

/// sendmsg(2).
///
/// # Safety
/// As for the C function.
pub unsafe fn sendmsg(fd: c_int, msg: *const msghdr, flags: c_int) -> ssize_t {
    timer_fds::share_all();
    // SAFETY: the message of sendmsg(2), which is not written.
    let part = |done, more| unsafe {
        socket_timeouts::rest(msg.cast_mut(), done, |m| real_sendmsg(fd, m, flags | more))
    };
    // SAFETY: asked for after the kernel has read the message.
    let len = || unsafe { socket_timeouts::total((*msg).msg_iov, (*msg).msg_iovlen) };
    transfer(fd, POLLOUT, flags, || real_sendmsg(fd, msg, flags), part, len)
}

/// readv(2).
///
/// # Safety
/// As for the C function.
pub unsafe fn readv(fd: c_int, iov: *const iovec, n: c_int) -> ssize_t {
    let whole = || next!(readv: fn(c_int, *const iovec, c_int) -> ssize_t)(fd, iov, n);
    // SAFETY: `n` parts, of which the kernel has had `done` bytes.
    let part = |done, more| unsafe {
        socket_timeouts::rest(&mut plain(iov, n), done, |m| real_recvmsg(fd, m, more))
    };
    // SAFETY: asked for after the kernel has read the parts.
    transfer(fd, POLLIN, 0, whole, part, || unsafe { socket_timeouts::total(iov, n as usize) })
}

/// writev(2).
///
/// # Safety
/// As for the C function.
pub unsafe fn writev(fd: c_int, iov: *const iovec, n: c_int) -> ssize_t {
    let whole = || next!(writev: fn(c_int, *const iovec, c_int) -> ssize_t)(fd, iov, n);
    // SAFETY: `n` parts, of which the kernel has had `done` bytes.
    let part = |done, more| unsafe {
        socket_timeouts::rest(&mut plain(iov, n), done, |m| real_sendmsg(fd, m, more))
    };
    // SAFETY: asked for after the kernel has read the parts.
    transfer(fd, POLLOUT, 0, whole, part, || unsafe { socket_timeouts::total(iov, n as usize) })
}

/// socket(2): notes which are TCP.
pub fn socket(domain: c_int, kind: c_int, protocol: c_int) -> c_int {
    let fd = next!(socket: fn(c_int, c_int, c_int) -> c_int)(domain, kind, protocol);
    let stream = kind & !(libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC) == libc::SOCK_STREAM;
    tcp_push::mark(fd, stream && matches!(domain, libc::AF_INET | libc::AF_INET6));
    fd
}

/// bind(2): notes which port it did not get.
///
/// # Safety
/// As for the C function.
pub unsafe fn bind(fd: c_int, to: *const sockaddr, len: socklen_t) -> c_int {
    let done = next!(bind: fn(c_int, *const sockaddr, socklen_t) -> c_int)(fd, to, len);
    if done != 0 && errno::get() == libc::EADDRINUSE && tcp_push::is_socket(fd) {
        // SAFETY: the kernel has read the address of an internet socket: the port is the second
        // word in both families.
        let port = unsafe { to.cast::<u16>().add(1).read_unaligned() };
        tcp_push::refused(u16::from_be(port));
    }
    done
}

/// accept(2).
pub fn accept(fd: c_int, from: *mut sockaddr, len: *mut socklen_t) -> c_int {
    accepted(fd, || next!(accept: fn(c_int, *mut sockaddr, *mut socklen_t) -> c_int)(fd, from, len))
}

/// accept4(2).
pub fn accept4(fd: c_int, from: *mut sockaddr, len: *mut socklen_t, flags: c_int) -> c_int {
    let real = next!(accept4: fn(c_int, *mut sockaddr, *mut socklen_t, c_int) -> c_int);
    accepted(fd, || real(fd, from, len, flags))
}

fn accepted(fd: c_int, call: impl Fn() -> c_int) -> c_int {
    let new = match enter() {
        Some(entry) => match socket_timeouts::timeout(fd, POLLIN) {
            Some(limit) => socket_timeouts::accept(&entry, fd, limit, call),
            None => {
                let _wait = entry.kernel_wait(WaitKind::Descriptor);
                call()
            }
        },
        None => call(),
    };
    tcp_push::mark(new, tcp_push::is_socket(fd));
    new
}

/// connect(2). With SO_SNDTIMEO the kernel gives up by the real clock.
pub fn connect(fd: c_int, to: *const sockaddr, len: socklen_t) -> c_int {
    let entry = enter();
    if let Some(entry) = &entry {
        tcp_push::connects(entry, fd);
    }
    if let (Some(entry), Some(limit)) = (&entry, socket_timeouts::timeout(fd, POLLOUT)) {
        return connect_timeout::connect(entry, fd, to, len, limit);
    }
    let _wait = entry.as_ref().map(|e| e.kernel_wait(WaitKind::Descriptor));
    next!(connect: fn(c_int, *const sockaddr, socklen_t) -> c_int)(fd, to, len)
}
