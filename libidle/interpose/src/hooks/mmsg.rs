//! recvmmsg(2) and sendmmsg(2). Where a time-out is involved, of the call or of the socket, the messages go one by one.

use super::{sockets, timed};
use crate::enter::{What, enter};
use crate::{clockid, errno, next, tcp, timerfd};
use engine::time::Spec;
use libc::{POLLIN, POLLOUT, c_int, c_uint, mmsghdr, ssize_t, timespec};

/// More messages than this the kernel does not take (UIO_MAXIOV).
const MOST: c_uint = 1024;

/// recvmmsg(2). As in the kernel the call's time-out is only looked at after each message; before the first it limits
/// nothing.
///
/// # Safety
/// As for the C function.
pub unsafe fn recvmmsg(fd: c_int, msgs: *mut mmsghdr, n: c_uint, flags: c_int, timeout: *mut timespec) -> c_int {
    let real = next!(recvmmsg: fn(c_int, *mut mmsghdr, c_uint, c_int, *mut timespec) -> c_int);
    let Some(entry) = enter() else {
        // SAFETY: the caller's arguments.
        return unsafe { real(fd, msgs, n, flags, timeout) };
    };
    // SAFETY: the caller's pointer.
    let limit = unsafe { clockid::spec(timeout) }.ok().and_then(Spec::nanos);
    if limit.is_none() && (!timeout.is_null() || timed::timeout(fd, POLLIN).is_none()) {
        let got = {
            let _wait = entry.kernel_wait(What::Descriptor);
            // SAFETY: the caller's arguments; a time-out is one that the kernel refuses.
            unsafe { real(fd, msgs, n, flags, timeout) }
        };
        for i in 0..got.max(0) as usize {
            // SAFETY: the kernel has filled in as many.
            unsafe { sockets::descriptors_arrived(&(*msgs.add(i)).msg_hdr) };
        }
        return got;
    }
    let end = limit.map(|ns| clockid::after(&entry.engine, ns));
    let mut flags = flags;
    let one = |message: &mut mmsghdr| {
        let once = flags & libc::MSG_WAITFORONE != 0;
        // SAFETY: the caller's message.
        let got = unsafe { sockets::recvmsg(fd, &mut message.msg_hdr, flags & !libc::MSG_WAITFORONE) };
        if once {
            flags |= libc::MSG_DONTWAIT;
        }
        let left = end.map(|end| end.saturating_sub(entry.now()));
        if let Some(left) = left.filter(|_| got >= 0) {
            // SAFETY: the caller's pointer, which was good a moment ago.
            unsafe { *timeout = timerfd::as_timespec(left) };
        }
        (got, left == Some(0) || message.msg_hdr.msg_flags & libc::MSG_OOB != 0)
    };
    // SAFETY: the caller's messages.
    unsafe { each(msgs, n, one) }.unwrap_or(-1)
}

/// sendmmsg(2).
///
/// # Safety
/// As for the C function.
pub unsafe fn sendmmsg(fd: c_int, msgs: *mut mmsghdr, n: c_uint, flags: c_int) -> c_int {
    let real = next!(sendmmsg: fn(c_int, *mut mmsghdr, c_uint, c_int) -> c_int);
    let Some(entry) = enter() else {
        // SAFETY: the caller's arguments.
        return unsafe { real(fd, msgs, n, flags) };
    };
    if timed::timeout(fd, POLLOUT).is_none() {
        timerfd::share_all();
        let sent = {
            let _wait = entry.kernel_wait(What::Descriptor);
            // SAFETY: the caller's arguments.
            unsafe { real(fd, msgs, n, flags) }
        };
        if sent > 0 {
            tcp::sent(fd);
        }
        return sent;
    }
    // SAFETY: the caller's message.
    let one = |message: &mut mmsghdr| (unsafe { sockets::sendmsg(fd, &message.msg_hdr, flags) }, false);
    // SAFETY: the caller's messages.
    unsafe { each(msgs, n, one) }.unwrap_or(-1)
}

/// Does `transfer` for each of `n` messages until it fails or says that it was the last; how many were done, or `None` if
/// the first has failed.
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
