//! Calls that concern all threads of a process. libc does not know this library's own thread (in
//! libidle.so the keeper's, in libflux.so the one that sends the signals of timers): it would keep
//! the privileges that the program gives up, or be one thread too many. So it ends before such a
//! call, and another one is started later.
//!
//! What is executed afterwards might have no access to the session's region: the process keeps it
//! open from then on.

use crate::next;
use crate::shim::library::library;
use crate::shim::numbers;
use crate::shim::session;
use libc::{c_char, c_int, gid_t, size_t, uid_t};
use look::process;

/// The calling thread is about to end by exit(2), which ends one thread. If it is the program's
/// last one, that of this library must not keep the process alive.
pub fn thread_ends() {
    let own = library().own_thread();
    // Most programs have none. One in a sandbox (seccomp(2)) may end by this very call, and make no
    // other.
    if own != 0 && !numbers::nested() && process::only(session::getpid(), &[session::gettid(), own])
    {
        library().stop_own_thread();
    }
}

/// The library has no thread in this process as long as this lives.
struct WithoutThread {
    restart: bool,
}

impl WithoutThread {
    fn new() -> WithoutThread {
        WithoutThread { restart: library().stop_own_thread() }
    }
}

impl Drop for WithoutThread {
    fn drop(&mut self) {
        if self.restart {
            library().restart_own_thread();
        }
    }
}

/// Around a call after which the process may have other privileges, or see other files.
pub fn alone<R>(call: impl FnOnce() -> R) -> R {
    library().keep_session();
    let _without = WithoutThread::new();
    call()
}

macro_rules! alone {
    ($($(#[$doc:meta])* fn $name:ident($($arg:ident: $t:ty),*) -> c_int;)*) => {$(
        $(#[$doc])*
        pub fn $name($($arg: $t),*) -> c_int {
            alone(|| next!($name: fn($($t),*) -> c_int)($($arg),*))
        }
    )*};
}

alone! {
    /// setuid(2).
    fn setuid(user: uid_t) -> c_int;
    /// seteuid(2).
    fn seteuid(user: uid_t) -> c_int;
    /// setreuid(2).
    fn setreuid(real: uid_t, effective: uid_t) -> c_int;
    /// setresuid(2).
    fn setresuid(real: uid_t, effective: uid_t, saved: uid_t) -> c_int;
    /// setgid(2).
    fn setgid(group: gid_t) -> c_int;
    /// setegid(2).
    fn setegid(group: gid_t) -> c_int;
    /// setregid(2).
    fn setregid(real: gid_t, effective: gid_t) -> c_int;
    /// setresgid(2).
    fn setresgid(real: gid_t, effective: gid_t, saved: gid_t) -> c_int;
    /// setgroups(2).
    fn setgroups(count: size_t, groups: *const gid_t) -> c_int;
    /// initgroups(3).
    fn initgroups(user: *const c_char, group: gid_t) -> c_int;
    /// unshare(2): some namespaces are for processes of one thread.
    fn unshare(flags: c_int) -> c_int;
    /// setns(2): likewise.
    fn setns(fd: c_int, kind: c_int) -> c_int;
    /// chroot(2): there may be no /proc.
    fn chroot(path: *const c_char) -> c_int;
}
