//! Wake fds: the eventfd by which a thread's timed wait for descriptors is ended at its virtual
//! deadline.
//!
//! Each thread that ever needs one has its own, hidden from the program and close-on-exec.

use crate::shim::entry::Entry;
use crate::shim::hidden_fds;
use crate::shim::inherited_fds;
use crate::shim::session;
use crate::shim::tls::tls;
use engine::arch::syscall::syscall6;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};

/// The calling thread's wake fd, made at the first need. `None` when the process has no descriptor
/// left, in a vfork child, and in the destructors of thread-specific data: nobody would close it.
pub fn mine(entry: &Entry) -> Option<i32> {
    if tls().base.get() != 0 || session::in_vfork_child() {
        return None;
    }
    let have = tls().wake_fd.get();
    let fd = if have > 0 { have } else { make()? };
    tls().wake_fd.set(fd);
    entry.slot().thread().wake_fd.store(fd, SeqCst);
    Some(fd)
}

fn make() -> Option<i32> {
    let flags = (libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) as usize;
    // SAFETY: plain numbers.
    let low = unsafe { syscall6(libc::SYS_eventfd2, 0, flags, 0, 0, 0, 0) };
    if low < 0 {
        return None;
    }
    engine::schedule::wake_fd::mark(low as i32);
    hidden_fds::hide(low as i32, libc::F_DUPFD_CLOEXEC)
}

/// Empties the wake fd after somebody wrote to it.
pub fn drain(fd: i32) {
    let mut count = 0u64;
    // SAFETY: reads 8 bytes into `count`.
    unsafe { syscall6(libc::SYS_read, fd as usize, &raw mut count as usize, 8, 0, 0, 0) };
}

/// The thread ends: its wake fd is closed.
pub fn discard() {
    let fd = tls().wake_fd.replace(0);
    if fd > 0 {
        hidden_fds::close_hidden(fd);
    }
}

/// In a forked child: the wake fds are the parent's (an eventfd is shared by a fork), so they are
/// closed.
pub fn discard_all() {
    if !hidden_fds::any() {
        return;
    }
    for fd in hidden_fds::within(0, u32::MAX).filter(|&fd| !inherited_fds::is(fd as i32)) {
        hidden_fds::close_hidden(fd as i32);
    }
    tls().wake_fd.set(0);
}

/// The program is about to take number `fd` for itself (`dup2`): a hidden descriptor there moves
/// away. A thread that polls it goes on with the open file; a waker finds the new number in the
/// owner's slot.
pub fn make_way(fd: i32) {
    let Some(engine) = session::own_engine() else { return };
    let how = if inherited_fds::is(fd) { inherited_fds::how() } else { libc::F_DUPFD_CLOEXEC };
    let Some(moved) = hidden_fds::raise(fd as usize, how) else { return };
    hidden_fds::moved(fd, moved);
    inherited_fds::moved(fd, moved);
    if tls().wake_fd.get() == fd {
        tls().wake_fd.set(moved);
    }
    for slot in &engine.page.slots[..engine.page.high()] {
        if slot.pid.load(Relaxed) == engine.pid {
            let _ = slot.thread().wake_fd.compare_exchange(fd, moved, SeqCst, SeqCst);
        }
    }
}
