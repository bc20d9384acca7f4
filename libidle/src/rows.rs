//! The rows: every name that libidle.so exports, one a line, by family; see also
//! `interpose/src/shared_rows.rs`.

use interpose::hooks;

// What is the same in both libraries; it also brings C's types and the bodies into scope.
interpose::shared_rows!();

// Sleep.
hooks! {
    fn nanosleep(request: *const timespec, left: *mut timespec) -> c_int = passthrough::nanosleep;
    fn clock_nanosleep(id: clockid_t, flags: c_int, request: *const timespec, left: *mut timespec) -> c_int = passthrough::clock_nanosleep;
    fn usleep(us: c_uint) -> c_int = passthrough::usleep;
    fn sleep(seconds: c_uint) -> c_uint = passthrough::sleep;
    fn thrd_sleep(request: *const timespec, left: *mut timespec) -> c_int = passthrough::thrd_sleep;
}

// Readiness.
hooks! {
    fn poll(fds: *mut pollfd, n: nfds_t, timeout: c_int) -> c_int = passthrough::poll;
    fn ppoll(fds: *mut pollfd, n: nfds_t, timeout: *const timespec, mask: *const sigset_t) -> c_int = passthrough::ppoll;
    fn __poll_chk(fds: *mut pollfd, n: nfds_t, timeout: c_int, size: size_t) -> c_int = passthrough::__poll_chk;
    fn __ppoll_chk(fds: *mut pollfd, n: nfds_t, timeout: *const timespec, mask: *const sigset_t, size: size_t) -> c_int = passthrough::__ppoll_chk;
    fn select(n: c_int, read: *mut fd_set, write: *mut fd_set, except: *mut fd_set, timeout: *mut timeval) -> c_int = passthrough::select;
    fn pselect(n: c_int, read: *mut fd_set, write: *mut fd_set, except: *mut fd_set, timeout: *const timespec, mask: *const sigset_t) -> c_int = passthrough::pselect;
    fn epoll_wait(fd: c_int, events: *mut epoll_event, max: c_int, timeout: c_int) -> c_int = passthrough::epoll_wait;
    fn epoll_pwait(fd: c_int, events: *mut epoll_event, max: c_int, timeout: c_int, mask: *const sigset_t) -> c_int = passthrough::epoll_pwait;
    fn epoll_pwait2(fd: c_int, events: *mut epoll_event, max: c_int, timeout: *const timespec, mask: *const sigset_t) -> c_int = passthrough::epoll_pwait2;
}

// Synchronisation.
hooks! {
    fn pthread_mutex_timedlock(mutex: *mut pthread_mutex_t, until: *const timespec) -> c_int = passthrough::pthread_mutex_timedlock;
    fn pthread_mutex_clocklock(mutex: *mut pthread_mutex_t, clock: clockid_t, until: *const timespec) -> c_int = passthrough::pthread_mutex_clocklock;
    fn mtx_timedlock(mutex: *mut pthread_mutex_t, until: *const timespec) -> c_int = passthrough::mtx_timedlock;
    fn pthread_rwlock_timedrdlock(lock: *mut pthread_rwlock_t, until: *const timespec) -> c_int = passthrough::pthread_rwlock_timedrdlock;
    fn pthread_rwlock_timedwrlock(lock: *mut pthread_rwlock_t, until: *const timespec) -> c_int = passthrough::pthread_rwlock_timedwrlock;
    fn pthread_rwlock_clockrdlock(lock: *mut pthread_rwlock_t, clock: clockid_t, until: *const timespec) -> c_int = passthrough::pthread_rwlock_clockrdlock;
    fn pthread_rwlock_clockwrlock(lock: *mut pthread_rwlock_t, clock: clockid_t, until: *const timespec) -> c_int = passthrough::pthread_rwlock_clockwrlock;
    fn pthread_timedjoin_np(thread: pthread_t, result: *mut *mut c_void, until: *const timespec) -> c_int = passthrough::pthread_timedjoin_np;
    fn pthread_clockjoin_np(thread: pthread_t, result: *mut *mut c_void, clock: clockid_t, until: *const timespec) -> c_int = passthrough::pthread_clockjoin_np;
    fn syscall(number: c_long, a: usize, b: usize, c: usize, d: usize, e: usize, f: usize) -> c_long = |n, a, b, c, d, e, f| passthrough::syscall(n, [a, b, c, d, e, f]);
}

// Descriptors.
hooks! {
    fn read(fd: c_int, buf: *mut c_void, n: size_t) -> ssize_t = passthrough::read;
    fn readv(fd: c_int, iov: *const iovec, n: c_int) -> ssize_t = passthrough::readv;
    fn __read_chk(fd: c_int, buf: *mut c_void, n: size_t, size: size_t) -> ssize_t = descriptors::__read_chk;
    fn recv(fd: c_int, buf: *mut c_void, n: size_t, flags: c_int) -> ssize_t = passthrough::recv;
    fn recvfrom(fd: c_int, buf: *mut c_void, n: size_t, flags: c_int, from: *mut sockaddr, len: *mut socklen_t) -> ssize_t = passthrough::recvfrom;
    fn recvmsg(fd: c_int, msg: *mut msghdr, flags: c_int) -> ssize_t = passthrough::recvmsg;
    fn recvmmsg(fd: c_int, msgs: *mut mmsghdr, n: u32, flags: c_int, timeout: *mut timespec) -> c_int = passthrough::recvmmsg;
    fn __recv_chk(fd: c_int, buf: *mut c_void, n: size_t, size: size_t, flags: c_int) -> ssize_t = passthrough::__recv_chk;
    fn __recvfrom_chk(fd: c_int, buf: *mut c_void, n: size_t, size: size_t, flags: c_int, from: *mut sockaddr, len: *mut socklen_t) -> ssize_t = passthrough::__recvfrom_chk;
    fn sendmmsg(fd: c_int, msgs: *mut mmsghdr, n: u32, flags: c_int) -> c_int = passthrough::sendmmsg;
    fn connect(fd: c_int, to: *const sockaddr, len: socklen_t) -> c_int = passthrough::connect;
    fn semtimedop(id: c_int, ops: *mut sembuf, n: size_t, timeout: *const timespec) -> c_int = passthrough::semtimedop;
    fn mq_timedsend(queue: mqd_t, msg: *const c_char, n: size_t, priority: c_uint, until: *const timespec) -> c_int = passthrough::mq_timedsend;
    fn mq_timedreceive(queue: mqd_t, msg: *mut c_char, n: size_t, priority: *mut c_uint, until: *const timespec) -> ssize_t = passthrough::mq_timedreceive;
}

// Requests that libc answers with threads of its own.
hooks! {
    fn aio_suspend(list: *const *const aiocb, n: c_int, timeout: *const timespec) -> c_int = passthrough::aio_suspend;
    fn aio_suspend64(list: *const *const aiocb, n: c_int, timeout: *const timespec) -> c_int = passthrough::aio_suspend64;
    fn gai_suspend(list: *const *const c_void, n: c_int, timeout: *const timespec) -> c_int = passthrough::gai_suspend;
}

// Signals and children as waits; sending signals.
hooks! {
    fn sigwait(set: *const sigset_t, signal: *mut c_int) -> c_int = signals::sigwait;
    fn sigwaitinfo(set: *const sigset_t, info: *mut siginfo_t) -> c_int = signals::sigwaitinfo;
    fn sigtimedwait(set: *const sigset_t, info: *mut siginfo_t, timeout: *const timespec) -> c_int = passthrough::sigtimedwait;
}
