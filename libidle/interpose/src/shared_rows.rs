//! The rows that both libraries have: what is the same whether the clock is ours or not.

/// Exports them. The types of C are those in scope where it stands, so that a row reads the same
/// here as in a library's own list.
#[macro_export]
macro_rules! shared_rows {
    () => {
        use libc::*;
        use $crate::shim::forced::Forced;
        use $crate::hooks::cond::c11;
        use $crate::hooks::*;

        type Strings = *const *const c_char;
        type Start = unsafe extern "C-unwind" fn(*mut c_void) -> *mut c_void;
        type CloneFn = unsafe extern "C-unwind" fn(*mut c_void) -> c_int;

        // Sleep.
        $crate::hooks! {
            fn pause() -> c_int = signals::pause;
            fn sigsuspend(mask: *const sigset_t) -> c_int = signals::sigsuspend;
        }

        // Synchronisation.
        $crate::hooks! {
            fn pthread_cond_init(cond: *mut pthread_cond_t, attr: *const pthread_condattr_t) -> c_int = cond::init;
            fn pthread_cond_destroy(cond: *mut pthread_cond_t) -> c_int = cond::destroy;
            fn pthread_cond_wait(cond: *mut pthread_cond_t, mutex: *mut pthread_mutex_t) -> c_int = cond::wait;
            fn pthread_cond_timedwait(cond: *mut pthread_cond_t, mutex: *mut pthread_mutex_t, until: *const timespec) -> c_int = cond::timedwait => number;
            fn pthread_cond_clockwait(cond: *mut pthread_cond_t, mutex: *mut pthread_mutex_t, clock: clockid_t, until: *const timespec) -> c_int = cond::clockwait => number;
            fn pthread_cond_signal(cond: *mut pthread_cond_t) -> c_int = cond::signal;
            fn pthread_cond_broadcast(cond: *mut pthread_cond_t) -> c_int = cond::broadcast;
            fn cnd_init(cond: *mut pthread_cond_t) -> c_int = |c| c11(cond::init(c, std::ptr::null()));
            fn cnd_destroy(cond: *mut pthread_cond_t) -> () = |c| { cond::destroy(c); };
            fn cnd_wait(cond: *mut pthread_cond_t, mutex: *mut pthread_mutex_t) -> c_int = |c, m| c11(cond::wait(c, m));
            fn cnd_timedwait(cond: *mut pthread_cond_t, mutex: *mut pthread_mutex_t, until: *const timespec) -> c_int = |c, m, t| c11(cond::timedwait(c, m, t)) => number;
            fn cnd_signal(cond: *mut pthread_cond_t) -> c_int = |c| c11(cond::signal(c));
            fn cnd_broadcast(cond: *mut pthread_cond_t) -> c_int = |c| c11(cond::broadcast(c));
            fn sem_wait(sem: *mut sem_t) -> c_int = sem::wait => success;
            fn sem_trywait(sem: *mut sem_t) -> c_int = sem::trywait => success;
            fn sem_timedwait(sem: *mut sem_t, until: *const timespec) -> c_int = sem::timedwait => success;
            fn sem_clockwait(sem: *mut sem_t, clock: clockid_t, until: *const timespec) -> c_int = sem::clockwait => success;
            fn sem_post(sem: *mut sem_t) -> c_int = sem::post;
            fn pthread_mutex_lock(mutex: *mut pthread_mutex_t) -> c_int = locks::mutex_lock;
            fn mtx_lock(mutex: *mut pthread_mutex_t) -> c_int = |m| c11(locks::mutex_lock(m));
            fn pthread_rwlock_rdlock(lock: *mut pthread_rwlock_t) -> c_int = locks::rdlock;
            fn pthread_rwlock_wrlock(lock: *mut pthread_rwlock_t) -> c_int = locks::wrlock;
            fn pthread_barrier_wait(barrier: *mut pthread_barrier_t) -> c_int = locks::barrier_wait;
            fn pthread_join(thread: pthread_t, result: *mut *mut c_void) -> c_int = join::join;
            fn thrd_join(thread: pthread_t, result: *mut c_int) -> c_int = join::c11_join;
        }

        // Descriptors.
        $crate::hooks! {
            fn write(fd: c_int, buf: *const c_void, n: size_t) -> ssize_t = sockets::write => positive;
            fn writev(fd: c_int, iov: *const iovec, n: c_int) -> ssize_t = sockets::writev => positive;
            fn open(path: *const c_char, flags: c_int, mode: mode_t) -> c_int = open::open => found;
            fn open64(path: *const c_char, flags: c_int, mode: mode_t) -> c_int = open::open64 => found;
            fn openat(dir: c_int, path: *const c_char, flags: c_int, mode: mode_t) -> c_int = open::openat => found;
            fn openat64(dir: c_int, path: *const c_char, flags: c_int, mode: mode_t) -> c_int = open::openat64 => found;
            fn __open_2(path: *const c_char, flags: c_int) -> c_int = open::__open_2 => found;
            fn __open64_2(path: *const c_char, flags: c_int) -> c_int = open::__open64_2 => found;
            fn creat(path: *const c_char, mode: mode_t) -> c_int = open::creat => found;
            fn creat64(path: *const c_char, mode: mode_t) -> c_int = open::creat64 => found;
            fn flock(fd: c_int, op: c_int) -> c_int = descriptors::flock => success;
            fn lockf(fd: c_int, cmd: c_int, len: off_t) -> c_int = descriptors::lockf => success;
            fn lockf64(fd: c_int, cmd: c_int, len: off_t) -> c_int = descriptors::lockf64 => success;
            fn fcntl(fd: c_int, cmd: c_int, arg: usize) -> c_int = descriptors::fcntl;
            fn fcntl64(fd: c_int, cmd: c_int, arg: usize) -> c_int = descriptors::fcntl64;
            fn tcdrain(fd: c_int) -> c_int = descriptors::tcdrain;
            fn posix_openpt(flags: c_int) -> c_int = terminals::posix_openpt;
            fn getpt() -> c_int = terminals::getpt;
            fn openpty(master: *mut c_int, slave: *mut c_int, name: *mut c_char, modes: *const termios, size: *const winsize) -> c_int = terminals::openpty;
            fn forkpty(master: *mut c_int, name: *mut c_char, modes: *const termios, size: *const winsize) -> pid_t = terminals::forkpty;
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
            fn __openat_2(dir: c_int, path: *const c_char, flags: c_int) -> c_int = open::__openat_2 => found;
            fn __openat64_2(dir: c_int, path: *const c_char, flags: c_int) -> c_int = open::__openat64_2 => found;
            fn socket(domain: c_int, kind: c_int, protocol: c_int) -> c_int = sockets::socket;
            fn send(fd: c_int, buf: *const c_void, n: size_t, flags: c_int) -> ssize_t = sockets::send => positive;
            fn sendto(fd: c_int, buf: *const c_void, n: size_t, flags: c_int, to: *const sockaddr, len: socklen_t) -> ssize_t = sockets::sendto => positive;
            fn sendmsg(fd: c_int, msg: *const msghdr, flags: c_int) -> ssize_t = sockets::sendmsg => positive;
            fn accept(fd: c_int, from: *mut sockaddr, len: *mut socklen_t) -> c_int = sockets::accept => success;
            fn accept4(fd: c_int, from: *mut sockaddr, len: *mut socklen_t, flags: c_int) -> c_int = sockets::accept4 => success;
            fn msgrcv(id: c_int, msg: *mut c_void, n: size_t, kind: c_long, flags: c_int) -> ssize_t = ipc_queues::msgrcv => success;
            fn msgsnd(id: c_int, msg: *const c_void, n: size_t, flags: c_int) -> c_int = ipc_queues::msgsnd => success;
            fn semop(id: c_int, ops: *mut sembuf, n: size_t) -> c_int = ipc_queues::semop => success;
            fn mq_send(queue: mqd_t, msg: *const c_char, n: size_t, priority: c_uint) -> c_int = ipc_queues::mq_send => success;
            fn mq_receive(queue: mqd_t, msg: *mut c_char, n: size_t, priority: *mut c_uint) -> ssize_t = ipc_queues::mq_receive => success;
            fn close(fd: c_int) -> c_int = close_dup::close;
            fn close_range(first: c_uint, last: c_uint, flags: c_int) -> c_int = close_dup::close_range;
            fn closefrom(first: c_int) -> () = close_dup::closefrom;
            fn dup2(old: c_int, new: c_int) -> c_int = close_dup::dup2;
            fn dup3(old: c_int, new: c_int, flags: c_int) -> c_int = close_dup::dup3;
        }

        $crate::stdio_rows!();

        // Requests that libc answers with threads of its own.
        $crate::hooks! {
            fn aio_read(request: *mut aiocb) -> c_int = async_requests::aio_read;
            fn aio_read64(request: *mut aiocb) -> c_int = async_requests::aio_read64;
            fn aio_write(request: *mut aiocb) -> c_int = async_requests::aio_write;
            fn aio_write64(request: *mut aiocb) -> c_int = async_requests::aio_write64;
            fn aio_fsync(op: c_int, request: *mut aiocb) -> c_int = async_requests::aio_fsync;
            fn aio_fsync64(op: c_int, request: *mut aiocb) -> c_int = async_requests::aio_fsync64;
            fn lio_listio(mode: c_int, list: *const *mut aiocb, n: c_int, event: *mut sigevent) -> c_int = async_requests::lio_listio;
            fn lio_listio64(mode: c_int, list: *const *mut aiocb, n: c_int, event: *mut sigevent) -> c_int = async_requests::lio_listio64;
            fn getaddrinfo_a(mode: c_int, list: *mut *mut c_void, n: c_int, event: *mut sigevent) -> c_int = async_requests::getaddrinfo_a;
            fn mq_notify(queue: mqd_t, event: *const sigevent) -> c_int = async_requests::mq_notify;
        }

        // Signals and children as waits; sending signals.
        $crate::hooks! {
            fn sigpause(mask: c_int) -> c_int = signals::sigpause;
            fn __xpg_sigpause(signal: c_int) -> c_int = signals::__xpg_sigpause;
            fn kill(pid: pid_t, signal: c_int) -> c_int = signals::kill;
            fn killpg(group: pid_t, signal: c_int) -> c_int = signals::killpg;
            fn tgkill(group: pid_t, thread: pid_t, signal: c_int) -> c_int = signals::tgkill;
            fn pthread_kill(thread: pthread_t, signal: c_int) -> c_int = signals::pthread_kill;
            fn sigqueue(pid: pid_t, signal: c_int, value: *mut c_void) -> c_int = signals::sigqueue;
            fn pthread_sigqueue(thread: pthread_t, signal: c_int, value: *mut c_void) -> c_int = signals::pthread_sigqueue;
            fn pidfd_send_signal(fd: c_int, signal: c_int, info: *mut siginfo_t, flags: c_uint) -> c_int = signals::pidfd_send_signal;
            fn wait(status: *mut c_int) -> pid_t = wait_child::wait => positive;
            fn waitpid(pid: pid_t, status: *mut c_int, options: c_int) -> pid_t = wait_child::waitpid => positive;
            fn wait3(status: *mut c_int, options: c_int, usage: *mut rusage) -> pid_t = wait_child::wait3 => positive;
            fn wait4(pid: pid_t, status: *mut c_int, options: c_int, usage: *mut rusage) -> pid_t = wait_child::wait4 => positive;
            fn waitid(kind: idtype_t, id: id_t, info: *mut siginfo_t, options: c_int) -> c_int = wait_child::waitid_asking;
        }

        // Lifecycle.
        $crate::hooks! {
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
            fn fclose(stream: *mut FILE) -> c_int = stdio::fclose;
            fn longjmp(env: *mut c_void, value: c_int) -> () = longjmp::longjmp;
            fn _longjmp(env: *mut c_void, value: c_int) -> () = longjmp::_longjmp;
            fn siglongjmp(env: *mut c_void, value: c_int) -> () = longjmp::siglongjmp;
            fn __longjmp_chk(env: *mut c_void, value: c_int) -> () = longjmp::__longjmp_chk;
            fn _exit(status: c_int) -> () = lifecycle::exit_now;
            fn _Exit(status: c_int) -> () = lifecycle::exit_now;
        }

        // Mappings.
        $crate::hooks! {
            fn munmap(at: *mut c_void, length: size_t) -> c_int = mappings::munmap;
            fn mremap(old: *mut c_void, old_length: size_t, length: size_t, flags: c_int, new: *mut c_void) -> *mut c_void = mappings::mremap;
        }

        // What a thread says that it counts as.
        $crate::hooks! {
            fn libidle_enable_forced_idle() -> () = || forced::enable(Forced::Idle);
            fn libidle_disable_forced_idle() -> () = || forced::disable(Forced::Idle);
            fn libidle_enable_forced_busy() -> () = || forced::enable(Forced::Busy);
            fn libidle_disable_forced_busy() -> () = || forced::disable(Forced::Busy);
        }

        $crate::exec_lists!(execl = "0", execlp = "1", execle = "2");

        // What concerns all threads.
        $crate::hooks! {
            fn setuid(user: uid_t) -> c_int = credentials::setuid;
            fn seteuid(user: uid_t) -> c_int = credentials::seteuid;
            fn setreuid(real: uid_t, effective: uid_t) -> c_int = credentials::setreuid;
            fn setresuid(real: uid_t, effective: uid_t, saved: uid_t) -> c_int = credentials::setresuid;
            fn setgid(group: gid_t) -> c_int = credentials::setgid;
            fn setegid(group: gid_t) -> c_int = credentials::setegid;
            fn setregid(real: gid_t, effective: gid_t) -> c_int = credentials::setregid;
            fn setresgid(real: gid_t, effective: gid_t, saved: gid_t) -> c_int = credentials::setresgid;
            fn setgroups(count: size_t, groups: *const gid_t) -> c_int = credentials::setgroups;
            fn initgroups(user: *const c_char, group: gid_t) -> c_int = credentials::initgroups;
            fn unshare(flags: c_int) -> c_int = credentials::unshare;
            fn setns(fd: c_int, kind: c_int) -> c_int = credentials::setns;
            fn chroot(path: *const c_char) -> c_int = credentials::chroot;
        }
    };
}
