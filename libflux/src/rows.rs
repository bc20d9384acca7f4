//! The rows: every name that libflux.so exports, one a line, by family; see also
//! `interpose/src/shared_rows.rs`.

use crate::clocks::Timeb;
use crate::file_times::{changes, confined, explicit, show, streams};
use crate::posix_timers::SigEvent;
use crate::{
    alarms, clocks, hand, holds, posix_timers, read, set_clock, signal_actions, signal_waits,
    sleep, syscall, timerfd, uptime,
};
use interpose::hooks;

// What is the same in both libraries; it also brings C's types and the bodies into scope.
interpose::shared_rows!();

// Clocks.
hooks! {
    fn clock_gettime(id: clockid_t, out: *mut timespec) -> c_int = clocks::clock_gettime;
    fn clock_getres(id: clockid_t, out: *mut timespec) -> c_int = clocks::clock_getres;
    fn gettimeofday(out: *mut timeval, zone: *mut c_void) -> c_int = clocks::gettimeofday;
    fn time(out: *mut time_t) -> time_t = clocks::time;
    fn ftime(out: *mut Timeb) -> c_int = clocks::ftime;
    fn timespec_get(out: *mut timespec, base: c_int) -> c_int = clocks::timespec_get;
    fn clock_settime(id: clockid_t, to: *const timespec) -> c_int = set_clock::clock_settime;
    fn settimeofday(to: *const timeval, zone: *const c_void) -> c_int = set_clock::settimeofday;
    fn adjtimex(at: *mut timex) -> c_int = set_clock::adjtimex;
    fn __adjtimex(at: *mut timex) -> c_int = set_clock::adjtimex;
    fn ntp_adjtime(at: *mut timex) -> c_int = set_clock::adjtimex;
    fn clock_adjtime(id: clockid_t, at: *mut timex) -> c_int = set_clock::clock_adjtime;
    fn ntp_gettime(out: *mut ntptimeval) -> c_int = set_clock::ntp_gettime;
    fn ntp_gettimex(out: *mut ntptimeval) -> c_int = set_clock::ntp_gettimex;
    fn adjtime(delta: *const timeval, old: *mut timeval) -> c_int = set_clock::adjtime;
    fn times(out: *mut tms) -> clock_t = uptime::times;
    fn sysinfo(out: *mut sysinfo) -> c_int = uptime::sysinfo;
}

// What programs ask by flux.h.
hooks! {
    fn flux_active() -> c_int = hand::active;
    fn flux_now() -> u64 = hand::now;
    fn flux_real_now() -> u64 = hand::real_now;
    fn flux_at_rest(timeout: c_int) -> c_int = hand::at_rest;
    fn flux_hold(name: *const c_char) -> c_int = holds::hold;
    fn flux_release(fd: c_int) -> c_int = holds::release;
}

// Sleep.
hooks! {
    fn nanosleep(request: *const timespec, left: *mut timespec) -> c_int = sleep::nanosleep;
    fn clock_nanosleep(id: clockid_t, flags: c_int, request: *const timespec, left: *mut timespec) -> c_int = sleep::clock_nanosleep;
    fn usleep(us: c_uint) -> c_int = sleep::usleep;
    fn sleep(seconds: c_uint) -> c_uint = sleep::sleep;
    fn thrd_sleep(request: *const timespec, left: *mut timespec) -> c_int = sleep::thrd_sleep;
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
    fn pthread_mutex_timedlock(mutex: *mut pthread_mutex_t, until: *const timespec) -> c_int = |m, t| locks::mutex_clocklock(m, CLOCK_REALTIME, t) => number;
    fn pthread_mutex_clocklock(mutex: *mut pthread_mutex_t, clock: clockid_t, until: *const timespec) -> c_int = locks::mutex_clocklock => number;
    fn mtx_timedlock(mutex: *mut pthread_mutex_t, until: *const timespec) -> c_int = |m, t| c11(locks::mutex_clocklock(m, CLOCK_REALTIME, t)) => number;
    fn pthread_rwlock_timedrdlock(lock: *mut pthread_rwlock_t, until: *const timespec) -> c_int = |l, t| locks::clockrdlock(l, CLOCK_REALTIME, t) => number;
    fn pthread_rwlock_timedwrlock(lock: *mut pthread_rwlock_t, until: *const timespec) -> c_int = |l, t| locks::clockwrlock(l, CLOCK_REALTIME, t) => number;
    fn pthread_rwlock_clockrdlock(lock: *mut pthread_rwlock_t, clock: clockid_t, until: *const timespec) -> c_int = locks::clockrdlock => number;
    fn pthread_rwlock_clockwrlock(lock: *mut pthread_rwlock_t, clock: clockid_t, until: *const timespec) -> c_int = locks::clockwrlock => number;
    fn pthread_timedjoin_np(thread: pthread_t, result: *mut *mut c_void, until: *const timespec) -> c_int = |t, r, u| join::clockjoin(t, r, CLOCK_REALTIME, u) => number;
    fn pthread_clockjoin_np(thread: pthread_t, result: *mut *mut c_void, clock: clockid_t, until: *const timespec) -> c_int = join::clockjoin => number;
    fn syscall(number: c_long, a: usize, b: usize, c: usize, d: usize, e: usize, f: usize) -> c_long = |n, a, b, c, d, e, f| syscall::syscall(n, [a, b, c, d, e, f]);
}

// Questions that a program may ask in a loop.
hooks! {
    fn sched_yield() -> c_int = try_calls::sched_yield;
    fn thrd_yield() -> () = try_calls::thrd_yield;
    fn pthread_mutex_trylock(mutex: *mut pthread_mutex_t) -> c_int = try_calls::pthread_mutex_trylock => number;
    fn mtx_trylock(mutex: *mut pthread_mutex_t) -> c_int = try_calls::mtx_trylock => number;
    fn pthread_rwlock_tryrdlock(lock: *mut pthread_rwlock_t) -> c_int = try_calls::pthread_rwlock_tryrdlock => number;
    fn pthread_rwlock_trywrlock(lock: *mut pthread_rwlock_t) -> c_int = try_calls::pthread_rwlock_trywrlock => number;
    fn pthread_spin_trylock(lock: *mut pthread_spinlock_t) -> c_int = try_calls::pthread_spin_trylock => number;
    fn pthread_tryjoin_np(thread: pthread_t, result: *mut *mut c_void) -> c_int = try_calls::pthread_tryjoin_np => number;
    fn access(path: *const c_char, mode: c_int) -> c_int = try_calls::access => question;
    fn faccessat(dir: c_int, path: *const c_char, mode: c_int, flags: c_int) -> c_int = try_calls::faccessat => question;
    fn stat(path: *const c_char, out: *mut stat) -> c_int = show::stat => question;
    fn stat64(path: *const c_char, out: *mut stat) -> c_int = show::stat64 => question;
    fn lstat(path: *const c_char, out: *mut stat) -> c_int = show::lstat => question;
    fn lstat64(path: *const c_char, out: *mut stat) -> c_int = show::lstat64 => question;
    fn fstatat(dir: c_int, path: *const c_char, out: *mut stat, flags: c_int) -> c_int = show::fstatat => question;
    fn fstatat64(dir: c_int, path: *const c_char, out: *mut stat, flags: c_int) -> c_int = show::fstatat64 => question;
    fn __xstat(version: c_int, path: *const c_char, out: *mut stat) -> c_int = show::__xstat => question;
    fn __xstat64(version: c_int, path: *const c_char, out: *mut stat) -> c_int = show::__xstat64 => question;
    fn __lxstat(version: c_int, path: *const c_char, out: *mut stat) -> c_int = show::__lxstat => question;
    fn __lxstat64(version: c_int, path: *const c_char, out: *mut stat) -> c_int = show::__lxstat64 => question;
    fn __fxstatat(version: c_int, dir: c_int, path: *const c_char, out: *mut stat, flags: c_int) -> c_int = show::__fxstatat => question;
    fn __fxstatat64(version: c_int, dir: c_int, path: *const c_char, out: *mut stat, flags: c_int) -> c_int = show::__fxstatat64 => question;
    fn statx(dir: c_int, path: *const c_char, flags: c_int, mask: c_uint, out: *mut statx) -> c_int = show::statx => question;
}

// File times.
hooks! {
    fn mkdir(path: *const c_char, mode: mode_t) -> c_int = changes::mkdir;
    fn mkdirat(dir: c_int, path: *const c_char, mode: mode_t) -> c_int = changes::mkdirat;
    fn mknod(path: *const c_char, mode: mode_t, device: dev_t) -> c_int = changes::mknod;
    fn mknodat(dir: c_int, path: *const c_char, mode: mode_t, device: dev_t) -> c_int = changes::mknodat;
    fn mkfifo(path: *const c_char, mode: mode_t) -> c_int = changes::mkfifo;
    fn mkfifoat(dir: c_int, path: *const c_char, mode: mode_t) -> c_int = changes::mkfifoat;
    fn symlink(target: *const c_char, path: *const c_char) -> c_int = changes::symlink;
    fn symlinkat(target: *const c_char, dir: c_int, path: *const c_char) -> c_int = changes::symlinkat;
    fn link(old: *const c_char, new: *const c_char) -> c_int = changes::link;
    fn linkat(olddir: c_int, old: *const c_char, newdir: c_int, new: *const c_char, flags: c_int) -> c_int = changes::linkat;
    fn unlink(path: *const c_char) -> c_int = changes::unlink;
    fn unlinkat(dir: c_int, path: *const c_char, flags: c_int) -> c_int = changes::unlinkat;
    fn rmdir(path: *const c_char) -> c_int = changes::rmdir;
    fn remove(path: *const c_char) -> c_int = changes::remove;
    fn rename(old: *const c_char, new: *const c_char) -> c_int = changes::rename;
    fn renameat(olddir: c_int, old: *const c_char, newdir: c_int, new: *const c_char) -> c_int = changes::renameat;
    fn renameat2(olddir: c_int, old: *const c_char, newdir: c_int, new: *const c_char, flags: c_uint) -> c_int = changes::renameat2;
    fn chmod(path: *const c_char, mode: mode_t) -> c_int = changes::chmod;
    fn fchmod(fd: c_int, mode: mode_t) -> c_int = changes::fchmod;
    fn fchmodat(dir: c_int, path: *const c_char, mode: mode_t, flags: c_int) -> c_int = changes::fchmodat;
    fn lchmod(path: *const c_char, mode: mode_t) -> c_int = changes::lchmod;
    fn chown(path: *const c_char, user: uid_t, group: gid_t) -> c_int = changes::chown;
    fn lchown(path: *const c_char, user: uid_t, group: gid_t) -> c_int = changes::lchown;
    fn fchown(fd: c_int, user: uid_t, group: gid_t) -> c_int = changes::fchown;
    fn fchownat(dir: c_int, path: *const c_char, user: uid_t, group: gid_t, flags: c_int) -> c_int = changes::fchownat;
    fn truncate(path: *const c_char, length: off_t) -> c_int = changes::truncate;
    fn truncate64(path: *const c_char, length: off_t) -> c_int = changes::truncate64;
    fn ftruncate(fd: c_int, length: off_t) -> c_int = changes::ftruncate;
    fn ftruncate64(fd: c_int, length: off_t) -> c_int = changes::ftruncate64;
    fn fallocate(fd: c_int, mode: c_int, from: off_t, length: off_t) -> c_int = changes::fallocate;
    fn fallocate64(fd: c_int, mode: c_int, from: off_t, length: off_t) -> c_int = changes::fallocate64;
    fn posix_fallocate(fd: c_int, from: off_t, length: off_t) -> c_int = changes::posix_fallocate;
    fn posix_fallocate64(fd: c_int, from: off_t, length: off_t) -> c_int = changes::posix_fallocate64;
    fn copy_file_range(from: c_int, at: *mut off_t, to: c_int, to_at: *mut off_t, n: size_t, flags: c_uint) -> ssize_t = changes::copy_file_range => positive;
    fn utimensat(dir: c_int, path: *const c_char, times: *const timespec, flags: c_int) -> c_int = explicit::utimensat;
    fn futimens(fd: c_int, times: *const timespec) -> c_int = explicit::futimens;
    fn utimes(path: *const c_char, times: *const timeval) -> c_int = explicit::utimes;
    fn lutimes(path: *const c_char, times: *const timeval) -> c_int = explicit::lutimes;
    fn futimes(fd: c_int, times: *const timeval) -> c_int = explicit::futimes;
    fn futimesat(dir: c_int, path: *const c_char, times: *const timeval) -> c_int = explicit::futimesat;
    fn utime(path: *const c_char, times: *const utimbuf) -> c_int = explicit::utime;
    fn fdopen(fd: c_int, mode: *const c_char) -> *mut FILE = streams::fdopen;
    fn mkstemp(path: *mut c_char) -> c_int = streams::mkstemp;
    fn mkstemp64(path: *mut c_char) -> c_int = streams::mkstemp64;
    fn mkostemp(path: *mut c_char, flags: c_int) -> c_int = streams::mkostemp;
    fn mkostemp64(path: *mut c_char, flags: c_int) -> c_int = streams::mkostemp64;
    fn mkstemps(path: *mut c_char, suffix: c_int) -> c_int = streams::mkstemps;
    fn mkstemps64(path: *mut c_char, suffix: c_int) -> c_int = streams::mkstemps64;
    fn mkostemps(path: *mut c_char, suffix: c_int, flags: c_int) -> c_int = streams::mkostemps;
    fn mkostemps64(path: *mut c_char, suffix: c_int, flags: c_int) -> c_int = streams::mkostemps64;
    fn mkdtemp(path: *mut c_char) -> *mut c_char = streams::mkdtemp;
    fn prctl(option: c_int, a: usize, b: usize, c: usize, d: usize) -> c_int = confined::prctl;
    fn fstat(fd: c_int, out: *mut stat) -> c_int = show::fstat;
    fn fstat64(fd: c_int, out: *mut stat) -> c_int = show::fstat64;
    fn __fxstat(version: c_int, fd: c_int, out: *mut stat) -> c_int = show::__fxstat;
    fn __fxstat64(version: c_int, fd: c_int, out: *mut stat) -> c_int = show::__fxstat64;
}

// Descriptors.
hooks! {
    fn read(fd: c_int, buf: *mut c_void, n: size_t) -> ssize_t = read::read => positive;
    fn readv(fd: c_int, iov: *const iovec, n: c_int) -> ssize_t = read::readv => positive;
    fn __read_chk(fd: c_int, buf: *mut c_void, n: size_t, size: size_t) -> ssize_t = read::__read_chk => positive;
    fn bind(fd: c_int, to: *const sockaddr, len: socklen_t) -> c_int = sockets::bind;
    fn setsockopt(fd: c_int, level: c_int, name: c_int, value: *const c_void, len: socklen_t) -> c_int = sockets::setsockopt;
    fn recv(fd: c_int, buf: *mut c_void, n: size_t, flags: c_int) -> ssize_t = sockets::recv => positive;
    fn recvfrom(fd: c_int, buf: *mut c_void, n: size_t, flags: c_int, from: *mut sockaddr, len: *mut socklen_t) -> ssize_t = sockets::recvfrom => positive;
    fn recvmsg(fd: c_int, msg: *mut msghdr, flags: c_int) -> ssize_t = sockets::recvmsg => positive;
    fn recvmmsg(fd: c_int, msgs: *mut mmsghdr, n: u32, flags: c_int, timeout: *mut timespec) -> c_int = mmsg::recvmmsg => positive;
    fn __recv_chk(fd: c_int, buf: *mut c_void, n: size_t, size: size_t, flags: c_int) -> ssize_t = sockets::__recv_chk => positive;
    fn __recvfrom_chk(fd: c_int, buf: *mut c_void, n: size_t, size: size_t, flags: c_int, from: *mut sockaddr, len: *mut socklen_t) -> ssize_t = sockets::__recvfrom_chk => positive;
    fn sendmmsg(fd: c_int, msgs: *mut mmsghdr, n: u32, flags: c_int) -> c_int = mmsg::sendmmsg => positive;
    fn connect(fd: c_int, to: *const sockaddr, len: socklen_t) -> c_int = sockets::connect => success;
    fn semtimedop(id: c_int, ops: *mut sembuf, n: size_t, timeout: *const timespec) -> c_int = ipc_queues::semtimedop => success;
    fn mq_timedsend(queue: mqd_t, msg: *const c_char, n: size_t, priority: c_uint, until: *const timespec) -> c_int = ipc_queues::mq_timedsend => success;
    fn mq_timedreceive(queue: mqd_t, msg: *mut c_char, n: size_t, priority: *mut c_uint, until: *const timespec) -> ssize_t = ipc_queues::mq_timedreceive => success;
    fn readdir(dir: *mut DIR) -> *mut dirent = readdir::readdir;
    fn readdir64(dir: *mut DIR) -> *mut dirent = readdir::readdir64;
    fn dup(fd: c_int) -> c_int = close_dup::dup;
}

// Requests that libc answers with threads of its own.
hooks! {
    fn aio_suspend(list: *const *const aiocb, n: c_int, timeout: *const timespec) -> c_int = async_requests::aio_suspend => success;
    fn aio_suspend64(list: *const *const aiocb, n: c_int, timeout: *const timespec) -> c_int = async_requests::aio_suspend => success;
    fn gai_suspend(list: *const *const c_void, n: c_int, timeout: *const timespec) -> c_int = async_requests::gai_suspend => number;
}

// Signals and children as waits; sending signals.
hooks! {
    fn sigwait(set: *const sigset_t, signal: *mut c_int) -> c_int = signal_waits::sigwait;
    fn sigwaitinfo(set: *const sigset_t, info: *mut siginfo_t) -> c_int = signal_waits::sigwaitinfo;
    fn sigtimedwait(set: *const sigset_t, info: *mut siginfo_t, timeout: *const timespec) -> c_int = signal_waits::sigtimedwait => success;
    fn sigaction(signal: c_int, new: *const sigaction, old: *mut sigaction) -> c_int = signal_actions::sigaction;
    fn signal(signal: c_int, action: sighandler_t) -> sighandler_t = signal_actions::signal;
}

// Debuggers.
hooks! {
    fn ptrace(request: c_uint, thread: pid_t, at: *mut c_void, data: *mut c_void) -> c_long = ptrace::ptrace;
}

// Timers.
hooks! {
    fn alarm(seconds: c_uint) -> c_uint = alarms::alarm;
    fn ualarm(value: c_uint, interval: c_uint) -> c_uint = alarms::ualarm;
    fn setitimer(which: c_int, new: *const itimerval, old: *mut itimerval) -> c_int = alarms::setitimer;
    fn getitimer(which: c_int, out: *mut itimerval) -> c_int = alarms::getitimer;
    fn timer_create(clock: clockid_t, event: *const SigEvent, timer: *mut timer_t) -> c_int = posix_timers::create;
    fn timer_settime(timer: timer_t, flags: c_int, new: *const itimerspec, old: *mut itimerspec) -> c_int = posix_timers::settime;
    fn timer_gettime(timer: timer_t, out: *mut itimerspec) -> c_int = posix_timers::gettime;
    fn timer_getoverrun(timer: timer_t) -> c_int = posix_timers::getoverrun;
    fn timer_delete(timer: timer_t) -> c_int = posix_timers::delete;
    fn timerfd_create(clock: clockid_t, flags: c_int) -> c_int = timerfd::create;
    fn timerfd_settime(fd: c_int, flags: c_int, new: *const itimerspec, old: *mut itimerspec) -> c_int = timerfd::settime;
    fn timerfd_gettime(fd: c_int, out: *mut itimerspec) -> c_int = timerfd::gettime;
}
