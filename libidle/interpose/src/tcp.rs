//! Bytes that TCP holds back.
//!
//! Two small writes and then a wait for the reply: Nagle's algorithm keeps the second one until the first is
//! acknowledged, and the receiver delays that by some 40 ms of the kernel's own time. Nobody runs meanwhile, so virtual
//! time would jump over a reply that is on its way. A thread that has sent on a TCP socket therefore asks, before its
//! next wait, whether bytes are unsent (`SIOCOUTQNSD`, tcp(7)), and releases them by setting TCP_NODELAY for a moment.

use crate::tls::tls;
use engine::sys::syscall6;
use libc::c_int;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

const SIOCOUTQNSD: usize = 0x894B;
/// Descriptors above this are not followed.
const TRACKED: usize = 65_536;

/// Which descriptors are TCP sockets, as far as this process made them.
static SOCKETS: [AtomicU64; TRACKED / 64] = [const { AtomicU64::new(0) }; TRACKED / 64];

fn place(fd: c_int) -> Option<(&'static AtomicU64, u64)> {
    let fd = usize::try_from(fd).ok().filter(|&fd| fd < TRACKED)?;
    Some((&SOCKETS[fd / 64], 1 << (fd % 64)))
}

/// Is `fd` known to be a TCP socket?
#[inline]
pub fn is_socket(fd: c_int) -> bool {
    place(fd).is_some_and(|(word, bit)| word.load(Relaxed) & bit != 0)
}

/// Notes whether `fd` is one.
pub fn mark(fd: c_int, tcp: bool) {
    let Some((word, bit)) = place(fd) else { return };
    if tcp {
        word.fetch_or(bit, Relaxed);
    } else if word.load(Relaxed) & bit != 0 {
        word.fetch_and(!bit, Relaxed);
    }
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

#[cold]
fn release(fd: c_int) {
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
