//! recvmmsg(2) and sendmmsg(2). Where a time-out is involved, of the call or of the socket, the
//! messages go one by one.

use crate::hooks::poll::poll_until;
use crate::hooks::socket_timeouts;
use crate::hooks::sockets;
use crate::next;
use crate::shim::clock_id::{self, SessionClocks};
use crate::shim::entry::{Entry, WaitKind, enter};
use crate::shim::errno;
use crate::shim::tcp_push;
use crate::shim::timer_fds;
use crate::shim::user_memory::{Caller, begins};
use libc::{POLLERR, POLLIN, POLLOUT, c_int, c_uint, mmsghdr, pollfd, ssize_t, timespec};
use posix::clock::Clocks;
use posix::time::NEVER;
use posix::wait::Call;

/// More messages than this the kernel does not take (UIO_MAXIOV).
const MOST: c_uint = 1024;

/// recvmmsg(2). As in the kernel the call's time-out is only looked at after each message; before
/// the first it limits nothing.
///
/// # Safety
/// As for the C function.
pub unsafe fn recvmmsg(
    fd: c_int,
    msgs: *mut mmsghdr,
    n: c_uint,
    flags: c_int,
    timeout: *mut timespec,
) -> c_int {
    let real = next!(recvmmsg: fn(c_int, *mut mmsghdr, c_uint, c_int, *mut timespec) -> c_int);
    let Some(entry) = enter() else {
        return real(fd, msgs, n, flags, timeout);
    };
    let arguments = [fd as u64, msgs as u64, n as u64, flags as u64, timeout as u64, 0];
    let clocks = SessionClocks(&entry.engine);
    let begun = begins(Call::Recvmmsg, arguments).ok().flatten();
    if begun.is_none() && (!timeout.is_null() || socket_timeouts::timeout(fd, POLLIN).is_none()) {
        let got = {
            let _wait = entry.kernel_wait(WaitKind::Descriptor);
            real(fd, msgs, n, flags, timeout)
        };
        for i in 0..got.max(0) as usize {
            // SAFETY: the kernel has filled in as many.
            unsafe { sockets::descriptors_arrived(&(*msgs.add(i)).msg_hdr) };
        }
        return got;
    }
    let end = begun.and_then(|wait| Some((wait.left, wait.until.deadline(&clocks).ok()?)));
    let (mut flags, mut later) = (flags, false);
    let one = |message: &mut mmsghdr| {
        if std::mem::replace(&mut later, true) && !more(&entry, fd, flags) {
            return (-1, true);
        }
        let once = flags & libc::MSG_WAITFORONE != 0;
        // SAFETY: one of the `n` messages, which `each` goes through.
        let got =
            unsafe { sockets::recvmsg(fd, &mut message.msg_hdr, flags & !libc::MSG_WAITFORONE) };
        if once {
            flags |= libc::MSG_DONTWAIT;
        }
        let left = end.map(|(to, end)| (to, end - clocks.now()));
        if let Some((to, left)) = left.filter(|_| got >= 0) {
            // It was good a moment ago.
            let _ = to.tell(&Caller, left, false);
        }
        let over = left.is_some_and(|(_, left)| left.is_zero());
        (got, over || message.msg_hdr.msg_flags & libc::MSG_OOB != 0)
    };
    // SAFETY: recvmmsg(2) and sendmmsg(2) have `n` messages.
    unsafe { each(msgs, n, one) }.unwrap_or(-1)
}

/// Is there to be one more message? Waits for it if the call does. An error that comes meanwhile is
/// left for the next call, and so is what a handler has interrupted: the messages that are there
/// already are the answer.
fn more(entry: &Entry, fd: c_int, flags: c_int) -> bool {
    let waits = socket_timeouts::waits(fd, POLLIN, flags)
        && socket_timeouts::flags(fd) & libc::O_NONBLOCK == 0;
    let deadline = match socket_timeouts::timeout(fd, POLLIN) {
        _ if !waits => 0,
        Some(limit) => clock_id::after(&entry.engine, limit),
        None => NEVER,
    };
    let mut set = pollfd { fd, events: POLLIN, revents: 0 };
    // SAFETY: a set of our own.
    let ready = unsafe { poll_until(entry, &mut set, 1, deadline, std::ptr::null()) };
    ready.is_ok_and(|ready| (ready != 0 || !waits) && set.revents & POLLERR == 0)
}

/// sendmmsg(2).
///
/// # Safety
/// As for the C function.
pub unsafe fn sendmmsg(fd: c_int, msgs: *mut mmsghdr, n: c_uint, flags: c_int) -> c_int {
    let real = next!(sendmmsg: fn(c_int, *mut mmsghdr, c_uint, c_int) -> c_int);
    let Some(entry) = enter() else {
        return real(fd, msgs, n, flags);
    };
    if socket_timeouts::timeout(fd, POLLOUT).is_none() {
        timer_fds::share_all();
        tcp_push::writes(&entry, fd);
        let sent = {
            let _wait = entry.kernel_wait(WaitKind::Descriptor);
            real(fd, msgs, n, flags)
        };
        if sent > 0 {
            tcp_push::sent(fd);
        }
        return sent;
    }
    // SAFETY: as above.
    let one =
        |message: &mut mmsghdr| (unsafe { sockets::sendmsg(fd, &message.msg_hdr, flags) }, false);
    // SAFETY: recvmmsg(2) and sendmmsg(2) have `n` messages.
    unsafe { each(msgs, n, one) }.unwrap_or(-1)
}

/// Does `transfer` for each of `n` messages until it fails or says that it was the last; how many
/// were done, or `None` if the first has failed.
///
/// # Safety
/// `msgs` holds as many.
unsafe fn each(
    msgs: *mut mmsghdr,
    n: c_uint,
    mut transfer: impl FnMut(&mut mmsghdr) -> (ssize_t, bool),
) -> Option<c_int> {
    let before = errno::get();
    let mut done = 0;
    for i in 0..n.min(MOST) {
        // SAFETY: i < n.
        let message = unsafe { &mut *msgs.add(i as usize) };
        let (bytes, last) = transfer(message);
        if bytes < 0 {
            if done != 0 {
                errno::set(before);
            }
            return (done != 0).then_some(done);
        }
        message.msg_len = bytes as c_uint;
        done += 1;
        if last {
            break;
        }
    }
    Some(done)
}
