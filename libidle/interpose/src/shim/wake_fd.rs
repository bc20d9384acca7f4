//! Bells: the eventfd by which a thread's timed wait for descriptors is ended at its virtual
//! deadline.
//!
//! One for each thread that ever needs one, close-on-exec, with a high number so that the program's
//! own numbers stay what they would be, and guarded: `close` of it fails with EBADF as if it were
//! not there, `close_range` passes it by, `dup2` onto it moves it elsewhere.

use crate::shim::entry::Entry;
use crate::shim::fd_set::{FdSet, TRACKED, sets};
use crate::shim::inherited_fds;
use crate::shim::session;
use crate::shim::tls::tls;
use engine::sys::syscall6;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};

/// Highest number a bell takes, where RLIMIT_NOFILE allows: keeps the process's descriptor table
/// small.
const TOP: usize = 1024;
/// Numbers below this are left to the program.
const BOTTOM: usize = 256;
/// Which descriptors of this process are bells.
static BELLS: FdSet<{ sets::BELLS }> = FdSet::new();

/// Is `fd` one of ours? So are the descriptors of [`crate::shim::inherited_fds`], which are no
/// bells.
#[inline]
pub fn is_bell(fd: i32) -> bool {
    BELLS.contains(fd)
}

/// Bells in the range `first..=last`, ascending.
pub fn within(first: u32, last: u32) -> impl Iterator<Item = u32> {
    BELLS.within(first, last)
}

/// Does this process use the memory of another, as a vfork child does? Then what this library notes
/// about descriptors is about that one's.
pub fn borrowed() -> bool {
    session::engine().is_some_and(|engine| engine.pid != session::getpid())
}

/// The calling thread's bell, made at the first need; `None` when the process has no descriptor
/// left, in a vfork child, and in the destructors of thread-specific data: nobody would close it.
pub fn mine(entry: &Entry) -> Option<i32> {
    if tls().base.get() != 0 || borrowed() {
        return None;
    }
    let have = tls().bell.get();
    let fd = if have > 0 { have } else { make()? };
    tls().bell.set(fd);
    entry.slot().bell.store(fd, SeqCst);
    Some(fd)
}

fn make() -> Option<i32> {
    let flags = (libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) as usize;
    // SAFETY: plain descriptor calls.
    let low = unsafe { syscall6(libc::SYS_eventfd2, 0, flags, 0, 0, 0, 0) };
    if low < 0 {
        return None;
    }
    hide(low as i32, libc::F_DUPFD_CLOEXEC)
}

/// Gives `low` a high number, by a duplicate made with `how`, and hides it from the program.
pub fn hide(low: i32, how: i32) -> Option<i32> {
    let fd = match raise(low as usize, how) {
        Some(high) => {
            close(low);
            high
        }
        None => low,
    };
    if fd as usize >= TRACKED {
        close(fd);
        return None;
    }
    BELLS.set(fd, true);
    Some(fd)
}

/// Closes one that is hidden.
pub fn close_hidden(fd: i32) {
    BELLS.set(fd, false);
    close(fd);
}

/// `fd` was hidden by the program image before this one.
pub fn stays_hidden(fd: i32) {
    BELLS.set(fd, true);
}

/// A duplicate with a high number.
fn raise(low: usize, how: i32) -> Option<i32> {
    let top = descriptor_limit().min(TOP);
    // Downwards in steps that double: F_DUPFD takes the lowest free number from there on.
    let mut room = 16;
    while room < top * 2 {
        let floor = top.saturating_sub(room).max(BOTTOM.min(top / 2));
        // SAFETY: a plain descriptor call.
        let high = unsafe { syscall6(libc::SYS_fcntl, low, how as usize, floor, 0, 0, 0) };
        if high >= 0 {
            return Some(high as i32);
        }
        room *= 2;
    }
    None
}

/// RLIMIT_NOFILE.
pub fn descriptor_limit() -> usize {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: a valid out-parameter.
    unsafe {
        syscall6(
            libc::SYS_prlimit64,
            0,
            libc::RLIMIT_NOFILE as usize,
            0,
            &raw mut limit as usize,
            0,
            0,
        )
    };
    limit.rlim_cur as usize
}

fn close(fd: i32) {
    // SAFETY: a descriptor of our own.
    unsafe { syscall6(libc::SYS_close, fd as usize, 0, 0, 0, 0, 0) };
}

/// Empties the bell after it rang.
pub fn drain(fd: i32) {
    let mut count = 0u64;
    // SAFETY: reads 8 bytes into `count`.
    unsafe { syscall6(libc::SYS_read, fd as usize, &raw mut count as usize, 8, 0, 0, 0) };
}

/// The thread ends: its bell goes.
pub fn discard() {
    let fd = tls().bell.replace(0);
    if fd > 0 {
        BELLS.set(fd, false);
        close(fd);
    }
}

/// In a forked child: the bells are the parent's (an eventfd is shared by a fork), so they go.
pub fn discard_all() {
    if !BELLS.any() {
        return;
    }
    for fd in within(0, u32::MAX).filter(|&fd| !inherited_fds::is(fd as i32)) {
        BELLS.set(fd as i32, false);
        close(fd as i32);
    }
    tls().bell.set(0);
}

/// The program is about to take number `fd` for itself (`dup2`): a bell there moves away. Whoever
/// polls it goes on with the open file; whoever rings it finds the new number in the owner's slot.
pub fn make_way(fd: i32) {
    let Some(engine) = session::engine().filter(|_| !borrowed()) else { return };
    let how = if inherited_fds::is(fd) { inherited_fds::how() } else { libc::F_DUPFD_CLOEXEC };
    let Some(moved) = raise(fd as usize, how) else { return };
    BELLS.set(moved, true);
    BELLS.set(fd, false);
    inherited_fds::moved(fd, moved);
    if tls().bell.get() == fd {
        tls().bell.set(moved);
    }
    for slot in &engine.page.slots[..engine.page.high()] {
        if slot.pid.load(Relaxed) == engine.pid {
            let _ = slot.bell.compare_exchange(fd, moved, SeqCst, SeqCst);
        }
    }
}
