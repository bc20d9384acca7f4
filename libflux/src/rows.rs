//! The rows: every name that libflux.so exports, one a line, by family.

use engine::forced::Forced;
use interpose::forced;
use interpose::hooks;
use interpose::hooks::clocks::Timeb;
use interpose::hooks::cond::c11;
use interpose::hooks::timers::SigEvent;
use interpose::hooks::{
    asks, clocks, cond, descriptors, epoll, exec, fds, fork, jumps, lifecycle, listing, locks, mmsg, poll, queues,
    reads, requests, select, sem, shell, signals, sleep, sockets, spawn, syscall, threads, timers, uptime, wait,
};
use interpose::session_signal;
use interpose::timerfd;
use libc::*;

type Strings = *const *const c_char;
type Start = unsafe extern "C-unwind" fn(*mut c_void) -> *mut c_void;
type CloneFn = unsafe extern "C-unwind" fn(*mut c_void) -> c_int;

// Clocks.
hooks! {
    fn clock_gettime(id: clockid_t, out: *mut timespec) -> c_int = clocks::clock_gettime;
    fn clock_getres(id: clockid_t, out: *mut timespec) -> c_int = clocks::clock_getres;
    fn gettimeofday(out: *mut timeval, zone: *mut c_void) -> c_int = clocks::gettimeofday;
    fn time(out: *mut time_t) -> time_t = clocks::time;
    fn ftime(out: *mut Timeb) -> c_int = clocks::ftime;
    fn timespec_get(out: *mut timespec, base: c_int) -> c_int = clocks::timespec_get;
    fn clock_settime(id: clockid_t, to: *const timespec) -> c_int = clocks::clock_settime;
    fn settimeofday(to: *const timeval, zone: *const c_void) -> c_int = clocks::settimeofday;
    fn adjtime(delta: *const timeval, old: *mut timeval) -> c_int = clocks::adjtime;
    fn times(out: *mut tms) -> clock_t = uptime::times;
    fn sysinfo(out: *mut sysinfo) -> c_int = uptime::sysinfo;
}

// Sleep.
hooks! {
    fn nanosleep(request: *const timespec, left: *mut timespec) -> c_int = sleep::nanosleep;
    fn clock_nanosleep(id: clockid_t, flags: c_int, request: *const timespec, left: *mut timespec) -> c_int = sleep::clock_nanosleep;
    fn usleep(us: c_uint) -> c_int = sleep::usleep;
    fn sleep(seconds: c_uint) -> c_uint = sleep::sleep;
    fn thrd_sleep(request: *const timespec, left: *mut timespec) -> c_int = sleep::thrd_sleep;
    fn pause() -> c_int = signals::pause;
    fn sigsuspend(mask: *const sigset_t) -> c_int = signals::sigsuspend;
}

// Readiness.
hooks! {
    fn poll(fds: *mut pollfd, n: nfds_t, timeout: c_int) -> c_int = poll::poll => positive;
    fn ppoll(fds: *mut pollfd, n: nfds_t, timeout: *const timespec, mask: *const sigset_t) -> c_int = poll::ppoll => positive;
    fn __poll_chk(fds: *mut pollfd, n: nfds_t, timeout: c_int, size: size_t) -> c_int = poll::poll_chk => positive;
    fn __ppoll_chk(fds: *mut pollfd, n: nfds_t, timeout: *const timespec, mask: *const sigset_t, size: size_t) -> c_int = poll::ppoll_chk => positive;
    fn select(n: c_int, read: *mut fd_set, write: *mut fd_set, except: *mut fd_set, timeout: *mut timeval) -> c_int = select::select => positive;
    fn pselect(n: c_int, read: *mut fd_set, write: *mut fd_set, except: *mut fd_set, timeout: *const timespec, mask: *const sigset_t) -> c_int = select::pselect => positive;
    fn epoll_wait(fd: c_int, events: *mut epoll_event, max: c_int, timeout: c_int) -> c_int = epoll::epoll_wait => positive;
    fn epoll_pwait(fd: c_int, events: *mut epoll_event, max: c_int, timeout: c_int, mask: *const sigset_t) -> c_int = epoll::epoll_pwait => positive;
    fn epoll_pwait2(fd: c_int, events: *mut epoll_event, max: c_int, timeout: *const timespec, mask: *const sigset_t) -> c_int = epoll::epoll_pwait2 => positive;
}

// Synchronisation.
hooks! {
    fn pthread_cond_init(cond: *mut pthread_cond_t, attr: *const pthread_condattr_t) -> c_int = cond::init;
    fn pthread_cond_destroy(cond: *mut pthread_cond_t) -> c_int = cond::destroy;
    fn pthread_cond_wait(cond: *mut pthread_cond_t, mutex: *mut pthread_mutex_t) -> c_int = cond::wait;
    fn pthread_cond_timedwait(cond: *mut pthread_cond_t, mutex: *mut pthread_mutex_t, until: *const timespec) -> c_int = cond::timedwait;
    fn pthread_cond_clockwait(cond: *mut pthread_cond_t, mutex: *mut pthread_mutex_t, clock: clockid_t, until: *const timespec) -> c_int = cond::clockwait;
    fn pthread_cond_signal(cond: *mut pthread_cond_t) -> c_int = cond::signal;
    fn pthread_cond_broadcast(cond: *mut pthread_cond_t) -> c_int = cond::broadcast;
    fn cnd_init(cond: *mut pthread_cond_t) -> c_int = |c| c11(cond::init(c, std::ptr::null()));
    fn cnd_destroy(cond: *mut pthread_cond_t) -> () = |c| { cond::destroy(c); };
    fn cnd_wait(cond: *mut pthread_cond_t, mutex: *mut pthread_mutex_t) -> c_int = |c, m| c11(cond::wait(c, m));
    fn cnd_timedwait(cond: *mut pthread_cond_t, mutex: *mut pthread_mutex_t, until: *const timespec) -> c_int = |c, m, t| c11(cond::timedwait(c, m, t));
    fn cnd_signal(cond: *mut pthread_cond_t) -> c_int = |c| c11(cond::signal(c));
    fn cnd_broadcast(cond: *mut pthread_cond_t) -> c_int = |c| c11(cond::broadcast(c));
    fn sem_wait(sem: *mut sem_t) -> c_int = sem::wait => success;
    fn sem_trywait(sem: *mut sem_t) -> c_int = sem::trywait => success;
    fn sem_timedwait(sem: *mut sem_t, until: *const timespec) -> c_int = sem::timedwait => success;
    fn sem_clockwait(sem: *mut sem_t, clock: clockid_t, until: *const timespec) -> c_int = sem::clockwait => success;
    fn sem_post(sem: *mut sem_t) -> c_int = sem::post;
    fn pthread_mutex_lock(mutex: *mut pthread_mutex_t) -> c_int = locks::mutex_lock;
    fn pthread_mutex_timedlock(mutex: *mut pthread_mutex_t, until: *const timespec) -> c_int = |m, t| locks::mutex_clocklock(m, CLOCK_REALTIME, t) => number;
    fn pthread_mutex_clocklock(mutex: *mut pthread_mutex_t, clock: clockid_t, until: *const timespec) -> c_int = locks::mutex_clocklock => number;
    fn mtx_lock(mutex: *mut pthread_mutex_t) -> c_int = |m| c11(locks::mutex_lock(m));
    fn mtx_timedlock(mutex: *mut pthread_mutex_t, until: *const timespec) -> c_int = |m, t| c11(locks::mutex_clocklock(m, CLOCK_REALTIME, t)) => number;
    fn pthread_rwlock_rdlock(lock: *mut pthread_rwlock_t) -> c_int = locks::rdlock;
    fn pthread_rwlock_wrlock(lock: *mut pthread_rwlock_t) -> c_int = locks::wrlock;
    fn pthread_rwlock_timedrdlock(lock: *mut pthread_rwlock_t, until: *const timespec) -> c_int = |l, t| locks::clockrdlock(l, CLOCK_REALTIME, t) => number;
    fn pthread_rwlock_timedwrlock(lock: *mut pthread_rwlock_t, until: *const timespec) -> c_int = |l, t| locks::clockwrlock(l, CLOCK_REALTIME, t) => number;
    fn pthread_rwlock_clockrdlock(lock: *mut pthread_rwlock_t, clock: clockid_t, until: *const timespec) -> c_int = locks::clockrdlock => number;
    fn pthread_rwlock_clockwrlock(lock: *mut pthread_rwlock_t, clock: clockid_t, until: *const timespec) -> c_int = locks::clockwrlock => number;
    fn pthread_barrier_wait(barrier: *mut pthread_barrier_t) -> c_int = locks::barrier_wait;
    fn pthread_join(thread: pthread_t, result: *mut *mut c_void) -> c_int = threads::join;
    fn pthread_timedjoin_np(thread: pthread_t, result: *mut *mut c_void, until: *const timespec) -> c_int = |t, r, u| threads::clockjoin(t, r, CLOCK_REALTIME, u) => number;
    fn pthread_clockjoin_np(thread: pthread_t, result: *mut *mut c_void, clock: clockid_t, until: *const timespec) -> c_int = threads::clockjoin => number;
    fn thrd_join(thread: pthread_t, result: *mut c_int) -> c_int = threads::c11_join;
    fn syscall(number: c_long, a: usize, b: usize, c: usize, d: usize, e: usize, f: usize) -> c_long = |n, a, b, c, d, e, f| syscall::syscall(n, [a, b, c, d, e, f]);
}

// Questions that a program may ask in a loop.
hooks! {
    fn sched_yield() -> c_int = asks::sched_yield;
    fn thrd_yield() -> () = asks::thrd_yield;
    fn pthread_mutex_trylock(mutex: *mut pthread_mutex_t) -> c_int = asks::pthread_mutex_trylock => number;
    fn mtx_trylock(mutex: *mut pthread_mutex_t) -> c_int = asks::mtx_trylock => number;
    fn pthread_rwlock_tryrdlock(lock: *mut pthread_rwlock_t) -> c_int = asks::pthread_rwlock_tryrdlock => number;
    fn pthread_rwlock_trywrlock(lock: *mut pthread_rwlock_t) -> c_int = asks::pthread_rwlock_trywrlock => number;
    fn pthread_spin_trylock(lock: *mut pthread_spinlock_t) -> c_int = asks::pthread_spin_trylock => number;
    fn pthread_tryjoin_np(thread: pthread_t, result: *mut *mut c_void) -> c_int = asks::pthread_tryjoin_np => number;
    fn access(path: *const c_char, mode: c_int) -> c_int = asks::access => question;
    fn faccessat(dir: c_int, path: *const c_char, mode: c_int, flags: c_int) -> c_int = asks::faccessat => question;
    fn stat(path: *const c_char, out: *mut stat) -> c_int = asks::stat => question;
    fn stat64(path: *const c_char, out: *mut stat) -> c_int = asks::stat64 => question;
    fn lstat(path: *const c_char, out: *mut stat) -> c_int = asks::lstat => question;
    fn lstat64(path: *const c_char, out: *mut stat) -> c_int = asks::lstat64 => question;
    fn fstatat(dir: c_int, path: *const c_char, out: *mut stat, flags: c_int) -> c_int = asks::fstatat => question;
    fn fstatat64(dir: c_int, path: *const c_char, out: *mut stat, flags: c_int) -> c_int = asks::fstatat64 => question;
    fn statx(dir: c_int, path: *const c_char, flags: c_int, mask: c_uint, out: *mut statx) -> c_int = asks::statx => question;
}

// Descriptors.
hooks! {
    fn read(fd: c_int, buf: *mut c_void, n: size_t) -> ssize_t = reads::read => positive;
    fn write(fd: c_int, buf: *const c_void, n: size_t) -> ssize_t = sockets::write => positive;
    fn readv(fd: c_int, iov: *const iovec, n: c_int) -> ssize_t = reads::readv => positive;
    fn writev(fd: c_int, iov: *const iovec, n: c_int) -> ssize_t = sockets::writev => positive;
    fn __read_chk(fd: c_int, buf: *mut c_void, n: size_t, size: size_t) -> ssize_t = reads::__read_chk => positive;
    fn open(path: *const c_char, flags: c_int, mode: mode_t) -> c_int = descriptors::open => found;
    fn open64(path: *const c_char, flags: c_int, mode: mode_t) -> c_int = descriptors::open64 => found;
    fn openat(dir: c_int, path: *const c_char, flags: c_int, mode: mode_t) -> c_int = descriptors::openat => found;
    fn openat64(dir: c_int, path: *const c_char, flags: c_int, mode: mode_t) -> c_int = descriptors::openat64 => found;
    fn __open_2(path: *const c_char, flags: c_int) -> c_int = descriptors::__open_2 => found;
    fn __open64_2(path: *const c_char, flags: c_int) -> c_int = descriptors::__open64_2 => found;
    fn creat(path: *const c_char, mode: mode_t) -> c_int = descriptors::creat => found;
    fn creat64(path: *const c_char, mode: mode_t) -> c_int = descriptors::creat64 => found;
    fn flock(fd: c_int, op: c_int) -> c_int = descriptors::flock => success;
    fn lockf(fd: c_int, cmd: c_int, len: off_t) -> c_int = descriptors::lockf => success;
    fn lockf64(fd: c_int, cmd: c_int, len: off_t) -> c_int = descriptors::lockf64 => success;
    fn fcntl(fd: c_int, cmd: c_int, arg: usize) -> c_int = descriptors::fcntl;
    fn fcntl64(fd: c_int, cmd: c_int, arg: usize) -> c_int = descriptors::fcntl64;
    fn tcdrain(fd: c_int) -> c_int = descriptors::tcdrain;
    fn splice(from: c_int, off: *mut i64, to: c_int, off2: *mut i64, n: size_t, flags: u32) -> ssize_t = descriptors::splice => positive;
    fn sendfile(to: c_int, from: c_int, off: *mut off_t, n: size_t) -> ssize_t = descriptors::sendfile => positive;
    fn sendfile64(to: c_int, from: c_int, off: *mut off_t, n: size_t) -> ssize_t = descriptors::sendfile64 => positive;
    fn tee(from: c_int, to: c_int, n: size_t, flags: u32) -> ssize_t = descriptors::tee => positive;
    fn vmsplice(to: c_int, iov: *const iovec, n: size_t, flags: u32) -> ssize_t = descriptors::vmsplice => positive;
    fn pread(fd: c_int, buf: *mut c_void, n: size_t, at: off_t) -> ssize_t = descriptors::pread => positive;
    fn pread64(fd: c_int, buf: *mut c_void, n: size_t, at: off_t) -> ssize_t = descriptors::pread64 => positive;
    fn pwrite(fd: c_int, buf: *const c_void, n: size_t, at: off_t) -> ssize_t = descriptors::pwrite => positive;
    fn pwrite64(fd: c_int, buf: *const c_void, n: size_t, at: off_t) -> ssize_t = descriptors::pwrite64 => positive;
    fn preadv(fd: c_int, iov: *const iovec, n: c_int, at: off_t) -> ssize_t = descriptors::preadv => positive;
    fn preadv64(fd: c_int, iov: *const iovec, n: c_int, at: off_t) -> ssize_t = descriptors::preadv64 => positive;
    fn pwritev(fd: c_int, iov: *const iovec, n: c_int, at: off_t) -> ssize_t = descriptors::pwritev => positive;
    fn pwritev64(fd: c_int, iov: *const iovec, n: c_int, at: off_t) -> ssize_t = descriptors::pwritev64 => positive;
    fn preadv2(fd: c_int, iov: *const iovec, n: c_int, at: off_t, flags: c_int) -> ssize_t = descriptors::preadv2 => positive;
    fn preadv64v2(fd: c_int, iov: *const iovec, n: c_int, at: off_t, flags: c_int) -> ssize_t = descriptors::preadv64v2 => positive;
    fn pwritev2(fd: c_int, iov: *const iovec, n: c_int, at: off_t, flags: c_int) -> ssize_t = descriptors::pwritev2 => positive;
    fn pwritev64v2(fd: c_int, iov: *const iovec, n: c_int, at: off_t, flags: c_int) -> ssize_t = descriptors::pwritev64v2 => positive;
    fn eventfd_read(fd: c_int, value: *mut u64) -> c_int = descriptors::eventfd_read => success;
    fn eventfd_write(fd: c_int, value: u64) -> c_int = descriptors::eventfd_write => success;
    fn getrandom(buf: *mut c_void, n: size_t, flags: u32) -> ssize_t = descriptors::getrandom => positive;
    fn __openat_2(dir: c_int, path: *const c_char, flags: c_int) -> c_int = descriptors::__openat_2 => found;
    fn __openat64_2(dir: c_int, path: *const c_char, flags: c_int) -> c_int = descriptors::__openat64_2 => found;
    fn socket(domain: c_int, kind: c_int, protocol: c_int) -> c_int = sockets::socket;
    fn setsockopt(fd: c_int, level: c_int, name: c_int, value: *const c_void, len: socklen_t) -> c_int = sockets::setsockopt;
    fn recv(fd: c_int, buf: *mut c_void, n: size_t, flags: c_int) -> ssize_t = sockets::recv => positive;
    fn recvfrom(fd: c_int, buf: *mut c_void, n: size_t, flags: c_int, from: *mut sockaddr, len: *mut socklen_t) -> ssize_t = sockets::recvfrom => positive;
    fn recvmsg(fd: c_int, msg: *mut msghdr, flags: c_int) -> ssize_t = sockets::recvmsg => positive;
    fn recvmmsg(fd: c_int, msgs: *mut mmsghdr, n: u32, flags: c_int, timeout: *mut timespec) -> c_int = mmsg::recvmmsg => positive;
    fn __recv_chk(fd: c_int, buf: *mut c_void, n: size_t, size: size_t, flags: c_int) -> ssize_t = sockets::__recv_chk => positive;
    fn __recvfrom_chk(fd: c_int, buf: *mut c_void, n: size_t, size: size_t, flags: c_int, from: *mut sockaddr, len: *mut socklen_t) -> ssize_t = sockets::__recvfrom_chk => positive;
    fn send(fd: c_int, buf: *const c_void, n: size_t, flags: c_int) -> ssize_t = sockets::send => positive;
    fn sendto(fd: c_int, buf: *const c_void, n: size_t, flags: c_int, to: *const sockaddr, len: socklen_t) -> ssize_t = sockets::sendto => positive;
    fn sendmsg(fd: c_int, msg: *const msghdr, flags: c_int) -> ssize_t = sockets::sendmsg => positive;
    fn sendmmsg(fd: c_int, msgs: *mut mmsghdr, n: u32, flags: c_int) -> c_int = mmsg::sendmmsg => positive;
    fn accept(fd: c_int, from: *mut sockaddr, len: *mut socklen_t) -> c_int = sockets::accept => success;
    fn accept4(fd: c_int, from: *mut sockaddr, len: *mut socklen_t, flags: c_int) -> c_int = sockets::accept4 => success;
    fn connect(fd: c_int, to: *const sockaddr, len: socklen_t) -> c_int = sockets::connect => success;
    fn msgrcv(id: c_int, msg: *mut c_void, n: size_t, kind: c_long, flags: c_int) -> ssize_t = queues::msgrcv => success;
    fn msgsnd(id: c_int, msg: *const c_void, n: size_t, flags: c_int) -> c_int = queues::msgsnd => success;
    fn semop(id: c_int, ops: *mut sembuf, n: size_t) -> c_int = queues::semop => success;
    fn semtimedop(id: c_int, ops: *mut sembuf, n: size_t, timeout: *const timespec) -> c_int = queues::semtimedop => success;
    fn mq_send(queue: mqd_t, msg: *const c_char, n: size_t, priority: c_uint) -> c_int = queues::mq_send => success;
    fn mq_receive(queue: mqd_t, msg: *mut c_char, n: size_t, priority: *mut c_uint) -> ssize_t = queues::mq_receive => success;
    fn mq_timedsend(queue: mqd_t, msg: *const c_char, n: size_t, priority: c_uint, until: *const timespec) -> c_int = queues::mq_timedsend => success;
    fn mq_timedreceive(queue: mqd_t, msg: *mut c_char, n: size_t, priority: *mut c_uint, until: *const timespec) -> ssize_t = queues::mq_timedreceive => success;
    fn close(fd: c_int) -> c_int = fds::close;
    fn close_range(first: c_uint, last: c_uint, flags: c_int) -> c_int = fds::close_range;
    fn closefrom(first: c_int) -> () = fds::closefrom;
    fn readdir(dir: *mut DIR) -> *mut dirent = listing::readdir;
    fn readdir64(dir: *mut DIR) -> *mut dirent = listing::readdir64;
    fn dup(fd: c_int) -> c_int = fds::dup;
    fn dup2(old: c_int, new: c_int) -> c_int = fds::dup2;
    fn dup3(old: c_int, new: c_int, flags: c_int) -> c_int = fds::dup3;
}

// Requests that libc answers with threads of its own.
hooks! {
    fn aio_read(request: *mut aiocb) -> c_int = requests::aio_read;
    fn aio_read64(request: *mut aiocb) -> c_int = requests::aio_read64;
    fn aio_write(request: *mut aiocb) -> c_int = requests::aio_write;
    fn aio_write64(request: *mut aiocb) -> c_int = requests::aio_write64;
    fn aio_fsync(op: c_int, request: *mut aiocb) -> c_int = requests::aio_fsync;
    fn aio_fsync64(op: c_int, request: *mut aiocb) -> c_int = requests::aio_fsync64;
    fn lio_listio(mode: c_int, list: *const *mut aiocb, n: c_int, event: *mut sigevent) -> c_int = requests::lio_listio;
    fn lio_listio64(mode: c_int, list: *const *mut aiocb, n: c_int, event: *mut sigevent) -> c_int = requests::lio_listio64;
    fn aio_suspend(list: *const *const aiocb, n: c_int, timeout: *const timespec) -> c_int = requests::aio_suspend => success;
    fn aio_suspend64(list: *const *const aiocb, n: c_int, timeout: *const timespec) -> c_int = requests::aio_suspend => success;
    fn getaddrinfo_a(mode: c_int, list: *mut *mut c_void, n: c_int, event: *mut sigevent) -> c_int = requests::getaddrinfo_a;
    fn gai_suspend(list: *const *const c_void, n: c_int, timeout: *const timespec) -> c_int = requests::gai_suspend => number;
    fn mq_notify(queue: mqd_t, event: *const sigevent) -> c_int = requests::mq_notify;
}

// Signals and children as waits; sending signals.
hooks! {
    fn sigpause(mask: c_int) -> c_int = signals::sigpause;
    fn __xpg_sigpause(signal: c_int) -> c_int = signals::__xpg_sigpause;
    fn sigwait(set: *const sigset_t, signal: *mut c_int) -> c_int = signals::sigwait;
    fn sigwaitinfo(set: *const sigset_t, info: *mut siginfo_t) -> c_int = signals::sigwaitinfo_again;
    fn sigtimedwait(set: *const sigset_t, info: *mut siginfo_t, timeout: *const timespec) -> c_int = signals::sigtimedwait;
    fn sigaction(signal: c_int, new: *const sigaction, old: *mut sigaction) -> c_int = session_signal::sigaction;
    fn signal(signal: c_int, action: sighandler_t) -> sighandler_t = session_signal::signal;
    fn kill(pid: pid_t, signal: c_int) -> c_int = signals::kill;
    fn killpg(group: pid_t, signal: c_int) -> c_int = signals::killpg;
    fn tgkill(group: pid_t, thread: pid_t, signal: c_int) -> c_int = signals::tgkill;
    fn pthread_kill(thread: pthread_t, signal: c_int) -> c_int = signals::pthread_kill;
    fn sigqueue(pid: pid_t, signal: c_int, value: *mut c_void) -> c_int = signals::sigqueue;
    fn pthread_sigqueue(thread: pthread_t, signal: c_int, value: *mut c_void) -> c_int = signals::pthread_sigqueue;
    fn pidfd_send_signal(fd: c_int, signal: c_int, info: *mut siginfo_t, flags: c_uint) -> c_int = signals::pidfd_send_signal;
    fn wait(status: *mut c_int) -> pid_t = wait::wait => positive;
    fn waitpid(pid: pid_t, status: *mut c_int, options: c_int) -> pid_t = wait::waitpid => positive;
    fn wait3(status: *mut c_int, options: c_int, usage: *mut rusage) -> pid_t = wait::wait3 => positive;
    fn wait4(pid: pid_t, status: *mut c_int, options: c_int, usage: *mut rusage) -> pid_t = wait::wait4 => positive;
    fn waitid(kind: idtype_t, id: id_t, info: *mut siginfo_t, options: c_int) -> c_int = wait::waitid_asking;
}

// Timers.
hooks! {
    fn alarm(seconds: c_uint) -> c_uint = timers::alarm;
    fn ualarm(value: c_uint, interval: c_uint) -> c_uint = timers::ualarm;
    fn setitimer(which: c_int, new: *const itimerval, old: *mut itimerval) -> c_int = timers::setitimer;
    fn getitimer(which: c_int, out: *mut itimerval) -> c_int = timers::getitimer;
    fn timer_create(clock: clockid_t, event: *const SigEvent, timer: *mut timer_t) -> c_int = timers::create;
    fn timer_settime(timer: timer_t, flags: c_int, new: *const itimerspec, old: *mut itimerspec) -> c_int = timers::settime;
    fn timer_gettime(timer: timer_t, out: *mut itimerspec) -> c_int = timers::gettime;
    fn timer_getoverrun(timer: timer_t) -> c_int = timers::getoverrun;
    fn timer_delete(timer: timer_t) -> c_int = timers::delete;
    fn timerfd_create(clock: clockid_t, flags: c_int) -> c_int = timerfd::create;
    fn timerfd_settime(fd: c_int, flags: c_int, new: *const itimerspec, old: *mut itimerspec) -> c_int = timerfd::settime;
    fn timerfd_gettime(fd: c_int, out: *mut itimerspec) -> c_int = timerfd::gettime;
}

// Lifecycle.
hooks! {
    fn pthread_create(thread: *mut pthread_t, attr: *const pthread_attr_t, start: Start, arg: *mut c_void) -> c_int = threads::create;
    fn thrd_create(thread: *mut pthread_t, start: CloneFn, arg: *mut c_void) -> c_int = threads::c11_create;
    fn pthread_exit(value: *mut c_void) -> () = threads::exit;
    fn pthread_cancel(thread: pthread_t) -> c_int = threads::cancel;
    fn fork() -> pid_t = fork::fork;
    fn _Fork() -> pid_t = fork::fork_only;
    fn clone(start: CloneFn, stack: *mut c_void, flags: c_int, arg: *mut c_void, parent_tid: *mut pid_t, tls: *mut c_void, child_tid: *mut pid_t) -> c_int = fork::clone;
    fn execve(path: *const c_char, argv: Strings, env: Strings) -> c_int = exec::execve;
    fn execv(path: *const c_char, argv: Strings) -> c_int = exec::execv;
    fn execvp(file: *const c_char, argv: Strings) -> c_int = exec::execvp;
    fn execvpe(file: *const c_char, argv: Strings, env: Strings) -> c_int = exec::execvpe;
    fn fexecve(fd: c_int, argv: Strings, env: Strings) -> c_int = exec::fexecve;
    fn execveat(dir: c_int, path: *const c_char, argv: Strings, env: Strings, flags: c_int) -> c_int = exec::execveat;
    fn posix_spawn(pid: *mut pid_t, path: *const c_char, actions: *const c_void, attr: *const c_void, argv: Strings, env: Strings) -> c_int = spawn::posix_spawn;
    fn posix_spawnp(pid: *mut pid_t, file: *const c_char, actions: *const c_void, attr: *const c_void, argv: Strings, env: Strings) -> c_int = spawn::posix_spawnp;
    fn system(command: *const c_char) -> c_int = shell::system;
    fn popen(command: *const c_char, mode: *const c_char) -> *mut FILE = shell::popen;
    fn pclose(stream: *mut FILE) -> c_int = shell::pclose;
    fn fclose(stream: *mut FILE) -> c_int = shell::fclose;
    fn longjmp(env: *mut c_void, value: c_int) -> () = jumps::longjmp;
    fn _longjmp(env: *mut c_void, value: c_int) -> () = jumps::_longjmp;
    fn siglongjmp(env: *mut c_void, value: c_int) -> () = jumps::siglongjmp;
    fn __longjmp_chk(env: *mut c_void, value: c_int) -> () = jumps::__longjmp_chk;
    fn _exit(status: c_int) -> () = lifecycle::exit_now;
    fn _Exit(status: c_int) -> () = lifecycle::exit_now;
}

// What a thread says that it counts as.
hooks! {
    fn libidle_enable_forced_idle() -> () = || forced::enable(Forced::Idle);
    fn libidle_disable_forced_idle() -> () = || forced::disable(Forced::Idle);
    fn libidle_enable_forced_busy() -> () = || forced::enable(Forced::Busy);
    fn libidle_disable_forced_busy() -> () = || forced::disable(Forced::Busy);
}

interpose::exec_lists!(execl = "0", execlp = "1", execle = "2");
