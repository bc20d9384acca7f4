//! Bytes that TCP holds back.
//!
//! Two small writes and then a wait for the reply: Nagle's algorithm keeps the second one until the
//! first is acknowledged, and the receiver delays that by some 40 ms of the kernel's own time.
//! Nobody runs meanwhile, so virtual time would jump over a reply that is on its way. A thread that
//! has sent on a TCP socket therefore asks, before its next wait, whether bytes are unsent
//! (`SIOCOUTQNSD`, tcp(7)), and releases them by setting TCP_NODELAY for a moment.

use crate::shim::entry::Entry;
use crate::shim::fd_set::{FdSet, sets};
use crate::shim::session;
use crate::shim::tls::tls;
use engine::Engine;
use engine::arch::syscall::syscall6;
use engine::region::holds::{ALL_SOCKETS, PORTS, UNSEEN_SOCKETS};
use engine::region::wait_kind::{PORT_AT, REFUSED};
use libc::c_int;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicU32};

const SIOCOUTQNSD: usize = 0x894B;
/// Which descriptors are TCP sockets, as far as this process made them.
static SOCKETS: FdSet<{ sets::SOCKETS }> = FdSet::new();

/// Is `fd` known to be a TCP socket?
#[inline]
pub fn is_socket(fd: c_int) -> bool {
    SOCKETS.contains(fd)
}

/// Notes whether `fd` is one.
pub fn mark(fd: c_int, tcp: bool) {
    SOCKETS.set(fd, tcp);
}

/// The process may write to its TCP sockets behind all hooks.
pub fn writes_unseen() {
    if SOCKETS.any()
        && let Some(engine) = session::engine()
        && engine.page.header.hold.load(Relaxed) & UNSEEN_SOCKETS == 0
    {
        engine.page.hold(UNSEEN_SOCKETS);
    }
}

/// The calling thread is about to write to `fd`. The kernel may have to repeat what is lost: see
/// [`engine::region::holds`].
#[inline]
pub fn writes(entry: &Entry, fd: c_int) {
    if is_socket(fd) {
        entry.engine.page.note_socket(entry.me, fd, false);
    }
}

/// Likewise: it is about to connect `fd`.
pub fn connects(entry: &Entry, fd: c_int) {
    if is_socket(fd) {
        entry.engine.page.note_socket(entry.me, fd, true);
    }
}

/// A program has set SO_LINGER.
pub static LINGERS: AtomicBool = AtomicBool::new(false);

/// TCP socket `fd` is about to be closed. What the other end has not acknowledged yet outlives it.
/// True if the close may wait for that.
pub fn closes(engine: &Engine, fd: c_int) -> bool {
    let mut outstanding: c_int = 0;
    let at = &raw mut outstanding as usize;
    // SAFETY: an out-parameter of an int.
    unsafe { syscall6(libc::SYS_ioctl, fd as usize, libc::TIOCOUTQ as usize, at, 0, 0, 0) };
    let lingers = LINGERS.load(Relaxed);
    if outstanding > 0 || lingers {
        engine.page.hold(ALL_SOCKETS);
    }
    lingers
}

/// The calling thread has sent on `fd`.
#[inline]
pub fn sent(fd: c_int) {
    if is_socket(fd) {
        let last = tls().sent.replace(fd + 1);
        if last != 0 && last != fd + 1 {
            release(last - 1);
        }
    }
}

/// The calling thread is about to wait: what it sent must be on its way.
#[inline]
pub fn settle() {
    if tls().sent.get() != 0 {
        release(tls().sent.replace(0) - 1);
    }
}

/// bind(2) has refused `port` to the calling thread. Who tries again and again may wait for the end
/// of an old connection, which the kernel remembers for a minute of real time.
pub fn refused(port: u16) {
    static LAST: AtomicU32 = AtomicU32::new(0);
    if port != 0 && LAST.swap(port.into(), Relaxed) == port.into() {
        tls().sent.set(-c_int::from(port));
    }
}

/// The thread begins the wait before it tries to bind `port` again.
fn waits_for_port(port: u32) {
    if let Some(engine) = session::engine()
        && let Some(me) = tls().slot.get().checked_sub(1)
    {
        let what = &engine.page.slots[me as usize].thread().what;
        what.store(what.load(Relaxed) | REFUSED | port << PORT_AT, Relaxed);
        engine.page.hold(PORTS);
    }
}

#[cold]
fn release(fd: c_int) {
    if fd < 0 {
        return waits_for_port((-1 - fd) as u32);
    }
    let mut unsent: c_int = 0;
    let on: c_int = 1;
    let off: c_int = 0;
    // SAFETY: socket options of an int each; a descriptor that was closed meanwhile is an error.
    unsafe {
        syscall6(libc::SYS_ioctl, fd as usize, SIOCOUTQNSD, &raw mut unsent as usize, 0, 0, 0);
        if unsent > 0 {
            for value in [&on, &off] {
                let (level, name) = (libc::IPPROTO_TCP as usize, libc::TCP_NODELAY as usize);
                syscall6(
                    libc::SYS_setsockopt,
                    fd as usize,
                    level,
                    name,
                    value as *const c_int as usize,
                    size_of::<c_int>(),
                    0,
                );
            }
        }
    }
}
