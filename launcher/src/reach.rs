//! What the launcher and its tracer do to processes whose numbers stand in the region.
//!
//! Both may be more privileged than the session's programs, which all write to the region. So they
//! act only on what they know themselves to be their session's: a descendant of the launcher, by
//! `/proc`, whose number the launcher has in its own memory. A number that leads elsewhere is left
//! alone without a word, and nobody is asked a second time.

use engine::Page;
use engine::procfs::{Path, words};
use engine::schedule::reach::Reach;
use engine::schedule::wake_fd;
use engine::sys;
use libc::c_int;
use look::process;
use nix::sys::signal::Signal;
use nix::unistd::Pid;
use once_cell::sync::OnceCell;
use std::fs;

/// See the module.
pub struct Session {
    launcher: u32,
    /// What ends waits that nothing else ends (`--signal`); `None` for the tracer, which leaves
    /// that to the keeper.
    signal: Option<c_int>,
}

static SESSION: OnceCell<Session> = OnceCell::new();

/// The session of launcher `launcher`, for this process.
pub fn session(launcher: u32, signal: Option<c_int>) -> &'static Session {
    SESSION.get_or_init(|| Session { launcher, signal })
}

/// Is process `pid` one of the session's?
pub fn is_ours(pid: u32) -> bool {
    SESSION.get().is_some_and(|session| session.may_reach(pid))
}

/// Is `tid` a thread of `pid`, and that a process of the session's?
pub fn is_our_thread(pid: u32, tid: u32) -> bool {
    is_ours(pid) && fs::exists(format!("/proc/{pid}/task/{tid}")).is_ok_and(|yes| yes)
}

impl Reach for Session {
    /// Nobody could do better than the launcher, so it never asks for the keeper.
    fn ring(&self, pid: u32, fd: i32) -> bool {
        wake_fd::ring_other(pid, fd, || self.may_reach(pid)) || self.signal.is_some()
    }

    fn signal(&self, _: usize, pid: u32, tid: u32) -> bool {
        let Some(signal) = self.signal else { return false };
        if self.may_reach(pid) && catches(pid, signal) {
            signal_thread(pid, tid, signal);
        }
        true
    }

    fn may_reach(&self, pid: u32) -> bool {
        process::descends(pid, self.launcher) == Ok(true)
    }

    fn gone(&self, _: &Page, pid: u32, tid: u32) -> bool {
        sys::thread_gone(pid, tid)
    }
}

/// Of flux-launch as a program of the session: it leaves all to the keeper.
pub struct Nobody;

impl Reach for Nobody {
    fn ring(&self, _: u32, _: i32) -> bool {
        false
    }

    fn signal(&self, _: usize, _: u32, _: u32) -> bool {
        false
    }

    fn may_reach(&self, _: u32) -> bool {
        false
    }

    fn gone(&self, _: &Page, _: u32, _: u32) -> bool {
        false
    }
}

/// Sends `signal` to process `pid`, if that still is one of the session's: its number may be
/// another's by now.
pub fn send(pid: Pid, signal: Signal) {
    // SAFETY: plain numbers.
    unsafe {
        let pidfd = libc::syscall(libc::SYS_pidfd_open, pid.as_raw(), 0) as c_int;
        if pidfd < 0 {
            return;
        }
        if is_ours(pid.as_raw() as u32) {
            libc::syscall(libc::SYS_pidfd_send_signal, pidfd, signal as c_int, 0, 0);
        }
        libc::close(pidfd);
    }
}

/// Has the process a handler for that signal? Nothing else is to happen to it.
fn catches(pid: u32, signal: c_int) -> bool {
    const LINE: &[u8] = b"\nSigCgt:";
    let mut text = [0u8; 4096];
    let status = Path::process(pid, "status").read(&mut text).unwrap_or_default();
    let at = status.windows(LINE.len()).position(|part| part == LINE);
    let set = at.and_then(|at| words(&status[at + LINE.len()..]).next()).and_then(|word| {
        std::str::from_utf8(word).ok().and_then(|word| u64::from_str_radix(word, 16).ok())
    });
    set.is_some_and(|set| set >> (signal - 1) & 1 != 0)
}

/// Sends `signal` to a thread of that process: to this one, and not to another that gets its number
/// meanwhile, where the kernel can tell them apart (PIDFD_THREAD, since Linux 6.9).
fn signal_thread(pid: u32, tid: u32, signal: c_int) {
    // SAFETY: plain numbers.
    unsafe {
        let pidfd = libc::syscall(libc::SYS_pidfd_open, tid, libc::O_EXCL) as c_int;
        if pidfd < 0 {
            libc::syscall(libc::SYS_tgkill, pid, tid, signal);
            return;
        }
        if is_our_thread(pid, tid) {
            libc::syscall(libc::SYS_pidfd_send_signal, pidfd, signal, 0, 0);
        }
        libc::close(pidfd);
    }
}
