//! The bodies of libidle.so for calls with a time-out: the real call inside a kernel wait. Nothing
//! here touches time, so the time-outs are the kernel's.

use crate::hooks::descriptors;
use crate::hooks::descriptors::kernel_waits;
use crate::shim::entry::WaitKind;
use libc::*;

kernel_waits! { WaitKind::Sleep;
    /// nanosleep(2).
    fn nanosleep(request: *const timespec, left: *mut timespec) -> c_int;
    /// clock_nanosleep(2).
    fn clock_nanosleep(id: clockid_t, flags: c_int, request: *const timespec, left: *mut timespec) -> c_int;
    /// usleep(3).
    fn usleep(us: c_uint) -> c_int;
    /// sleep(3).
    fn sleep(seconds: c_uint) -> c_uint;
    /// thrd_sleep(3).
    fn thrd_sleep(request: *const timespec, left: *mut timespec) -> c_int;
}

kernel_waits! { WaitKind::Ready;
    /// poll(2).
    fn poll(fds: *mut pollfd, n: nfds_t, timeout: c_int) -> c_int;
    /// ppoll(2).
    fn ppoll(fds: *mut pollfd, n: nfds_t, timeout: *const timespec, mask: *const sigset_t) -> c_int;
    /// __poll_chk (`_FORTIFY_SOURCE`).
    fn __poll_chk(fds: *mut pollfd, n: nfds_t, timeout: c_int, size: size_t) -> c_int;
    /// __ppoll_chk (`_FORTIFY_SOURCE`).
    fn __ppoll_chk(fds: *mut pollfd, n: nfds_t, timeout: *const timespec, mask: *const sigset_t, size: size_t) -> c_int;
    /// select(2).
    fn select(n: c_int, read: *mut fd_set, write: *mut fd_set, except: *mut fd_set, timeout: *mut timeval) -> c_int;
    /// pselect(2).
    fn pselect(n: c_int, read: *mut fd_set, write: *mut fd_set, except: *mut fd_set, timeout: *const timespec, mask: *const sigset_t) -> c_int;
    /// epoll_wait(2).
    fn epoll_wait(fd: c_int, events: *mut epoll_event, max: c_int, timeout: c_int) -> c_int;
    /// epoll_pwait(2).
    fn epoll_pwait(fd: c_int, events: *mut epoll_event, max: c_int, timeout: c_int, mask: *const sigset_t) -> c_int;
    /// epoll_pwait2(2).
    fn epoll_pwait2(fd: c_int, events: *mut epoll_event, max: c_int, timeout: *const timespec, mask: *const sigset_t) -> c_int;
}

kernel_waits! { WaitKind::Lock;
    /// pthread_mutex_timedlock(3).
    fn pthread_mutex_timedlock(mutex: *mut pthread_mutex_t, until: *const timespec) -> c_int;
    /// pthread_mutex_clocklock(3).
    fn pthread_mutex_clocklock(mutex: *mut pthread_mutex_t, clock: clockid_t, until: *const timespec) -> c_int;
    /// mtx_timedlock(3).
    fn mtx_timedlock(mutex: *mut pthread_mutex_t, until: *const timespec) -> c_int;
    /// pthread_rwlock_timedrdlock(3).
    fn pthread_rwlock_timedrdlock(lock: *mut pthread_rwlock_t, until: *const timespec) -> c_int;
    /// pthread_rwlock_timedwrlock(3).
    fn pthread_rwlock_timedwrlock(lock: *mut pthread_rwlock_t, until: *const timespec) -> c_int;
    /// pthread_rwlock_clockrdlock(3).
    fn pthread_rwlock_clockrdlock(lock: *mut pthread_rwlock_t, clock: clockid_t, until: *const timespec) -> c_int;
    /// pthread_rwlock_clockwrlock(3).
    fn pthread_rwlock_clockwrlock(lock: *mut pthread_rwlock_t, clock: clockid_t, until: *const timespec) -> c_int;
}

kernel_waits! { WaitKind::Join;
    /// pthread_timedjoin_np(3).
    fn pthread_timedjoin_np(thread: pthread_t, result: *mut *mut c_void, until: *const timespec) -> c_int;
    /// pthread_clockjoin_np(3).
    fn pthread_clockjoin_np(thread: pthread_t, result: *mut *mut c_void, clock: clockid_t, until: *const timespec) -> c_int;
}

kernel_waits! { WaitKind::Descriptor;
    /// read(2).
    fn read(fd: c_int, buf: *mut c_void, n: size_t) -> ssize_t;
    /// readv(2).
    fn readv(fd: c_int, iov: *const iovec, n: c_int) -> ssize_t;
    /// recv(2).
    fn recv(fd: c_int, buf: *mut c_void, n: size_t, flags: c_int) -> ssize_t;
    /// recvfrom(2).
    fn recvfrom(fd: c_int, buf: *mut c_void, n: size_t, flags: c_int, from: *mut sockaddr, len: *mut socklen_t) -> ssize_t;
    /// recvmsg(2).
    fn recvmsg(fd: c_int, msg: *mut msghdr, flags: c_int) -> ssize_t;
    /// recvmmsg(2).
    fn recvmmsg(fd: c_int, msgs: *mut mmsghdr, n: c_uint, flags: c_int, timeout: *mut timespec) -> c_int;
    /// __recv_chk (`_FORTIFY_SOURCE`).
    fn __recv_chk(fd: c_int, buf: *mut c_void, n: size_t, size: size_t, flags: c_int) -> ssize_t;
    /// __recvfrom_chk (`_FORTIFY_SOURCE`).
    fn __recvfrom_chk(fd: c_int, buf: *mut c_void, n: size_t, size: size_t, flags: c_int, from: *mut sockaddr, len: *mut socklen_t) -> ssize_t;
    /// sendmmsg(2).
    fn sendmmsg(fd: c_int, msgs: *mut mmsghdr, n: c_uint, flags: c_int) -> c_int;
    /// connect(2).
    fn connect(fd: c_int, to: *const sockaddr, len: socklen_t) -> c_int;
}

kernel_waits! { WaitKind::Queue;
    /// semtimedop(2).
    fn semtimedop(id: c_int, ops: *mut sembuf, n: size_t, timeout: *const timespec) -> c_int;
    /// mq_timedsend(2).
    fn mq_timedsend(queue: mqd_t, msg: *const c_char, n: size_t, priority: c_uint, until: *const timespec) -> c_int;
    /// mq_timedreceive(2).
    fn mq_timedreceive(queue: mqd_t, msg: *mut c_char, n: size_t, priority: *mut c_uint, until: *const timespec) -> ssize_t;
}

kernel_waits! { WaitKind::Signal;
    /// sigtimedwait(2).
    fn sigtimedwait(set: *const sigset_t, info: *mut siginfo_t, timeout: *const timespec) -> c_int;
}

kernel_waits! { WaitKind::Request;
    /// aio_suspend(3).
    fn aio_suspend(list: *const *const aiocb, n: c_int, timeout: *const timespec) -> c_int;
    /// aio_suspend64.
    fn aio_suspend64(list: *const *const aiocb, n: c_int, timeout: *const timespec) -> c_int;
    /// gai_suspend(3).
    fn gai_suspend(list: *const *const c_void, n: c_int, timeout: *const timespec) -> c_int;
}

/// syscall(2): a private futex is an exact wait, whatever else may block a kernel wait.
///
/// # Safety
/// As for the C function; six arguments are read whether or not they were passed.
pub unsafe fn syscall(number: c_long, args: crate::hooks::SyscallArgs) -> c_long {
    if number == libc::SYS_io_uring_enter {
        crate::shim::tcp_push::writes_unseen();
    }
    // SAFETY: each call has the system call's arguments, in its order.
    unsafe {
        match number {
            libc::SYS_read
            | libc::SYS_write
            | libc::SYS_wait4
            | libc::SYS_waitid
            | libc::SYS_io_uring_enter
            | libc::SYS_futex_waitv
            | libc::SYS_flock
            | libc::SYS_rt_sigtimedwait
            | libc::SYS_nanosleep
            | libc::SYS_clock_nanosleep
            | libc::SYS_poll
            | libc::SYS_ppoll
            | libc::SYS_select
            | libc::SYS_pselect6
            | libc::SYS_epoll_wait
            | libc::SYS_epoll_pwait
            | libc::SYS_epoll_pwait2 => descriptors::waiting(number, args),
            _ => crate::hooks::syscall::timeless(number, args),
        }
    }
}
