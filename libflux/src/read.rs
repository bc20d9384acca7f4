//! read(2), readv(2), __read_chk: of a timer descriptor the expirations that were counted in
//! virtual time, and of a signalfd those of the timers whose signals are taken.

use crate::timer_signals;
use crate::timerfd;
use interpose::hooks::descriptors;
use interpose::hooks::sockets;
use interpose::next;
use interpose::shim::timer_fds;
use libc::{c_int, c_void, iovec, size_t, ssize_t};

/// read(2).
///
/// # Safety
/// As for the C function.
#[inline]
pub unsafe fn read(fd: c_int, buf: *mut c_void, n: size_t) -> ssize_t {
    if timer_fds::is_timer(fd) {
        let real = next!(read: fn(c_int, *mut c_void, size_t) -> ssize_t);
        let done = timerfd::read(
            fd,
            n,
            || real(fd, buf, n),
            // SAFETY: the kernel has just written these 8 bytes.
            |count| unsafe { buf.cast::<[u8; 8]>().write(count) },
        );
        if let Some(done) = done {
            return done;
        }
    }
    // SAFETY: what is called has this function's contract.
    let done = unsafe { sockets::read(fd, buf, n) };
    if done >= SIGNAL && timer_signals::any() {
        // SAFETY: the kernel has written as many bytes.
        unsafe { timer_signals::read(fd, buf, done as usize) };
    }
    done
}

/// What a signalfd(2) tells of one signal, at least.
const SIGNAL: ssize_t = size_of::<libc::signalfd_siginfo>() as ssize_t;

/// __read_chk (`_FORTIFY_SOURCE`).
///
/// # Safety
/// As for the C function.
pub unsafe fn __read_chk(fd: c_int, buf: *mut c_void, n: size_t, size: size_t) -> ssize_t {
    if timer_fds::is_timer(fd) && n <= size {
        // SAFETY: what is called has this function's contract.
        return unsafe { read(fd, buf, n) };
    }
    descriptors::__read_chk(fd, buf, n, size)
}

/// readv(2).
///
/// # Safety
/// As for the C function.
pub unsafe fn readv(fd: c_int, iov: *const iovec, n: c_int) -> ssize_t {
    if timer_fds::is_timer(fd) && (1..=1024).contains(&n) {
        let real = next!(readv: fn(c_int, *const iovec, c_int) -> ssize_t);
        // SAFETY: readv(2) has `n` parts.
        let total = unsafe { interpose::hooks::socket_timeouts::total(iov, n as usize) };
        let call = || real(fd, iov, n);
        // SAFETY: the kernel has written 8 bytes over these parts.
        let put = |count: [u8; 8]| unsafe {
            let mut bytes = count.iter();
            for part in std::slice::from_raw_parts(iov, n as usize) {
                let to = part.iov_base.cast::<u8>();
                (0..part.iov_len).zip(&mut bytes).for_each(|(i, &byte)| to.add(i).write(byte));
            }
        };
        if let Some(done) = timerfd::read(fd, total, call, put) {
            return done;
        }
    }
    // SAFETY: what is called has this function's contract.
    unsafe { sockets::readv(fd, iov, n) }
}
