//! What the launcher was started with and Rust's runtime changes before `main`: commands get it
//! back.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// Signals whose disposition the launcher changes; whoever starts a program can only choose to have
/// them ignored.
const SIGNALS: [i32; 3] = [libc::SIGPIPE, libc::SIGCHLD, libc::SIGXFSZ];
/// Bits of [`SIGNALS`] that were ignored, then (from bit 8) descriptors 0 to 2 that were closed.
static STARTED_WITH: AtomicU32 = AtomicU32::new(0);
const CLOSED: u32 = 8;

/// Runs before the runtime, which ignores SIGPIPE and opens `/dev/null` in place of closed standard
/// descriptors.
#[used]
#[unsafe(link_section = ".init_array")]
static NOTE: extern "C" fn() = note;

extern "C" fn note() {
    let mut bits = 0;
    for (i, &signal) in SIGNALS.iter().enumerate() {
        // SAFETY: zero is a valid value of all fields, and asking changes nothing.
        let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
        // SAFETY: a valid out-parameter.
        let asked = unsafe { libc::sigaction(signal, std::ptr::null(), &mut action) };
        if asked == 0 && action.sa_sigaction == libc::SIG_IGN {
            bits |= 1 << i;
        }
    }
    for fd in 0..3 {
        // SAFETY: only asks.
        if unsafe { libc::fcntl(fd, libc::F_GETFD) } < 0 {
            bits |= 1 << (CLOSED + fd as u32);
        }
    }
    STARTED_WITH.store(bits, Relaxed);
}

/// What the launcher itself needs: ends of children are to be waited for, and a file that may not
/// grow is an error.
pub fn change() {
    // SAFETY: no handlers.
    unsafe {
        libc::signal(libc::SIGCHLD, libc::SIG_DFL);
        libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
    }
}

/// Puts everything back, in a child about to execute a command. Async-signal-safe.
pub fn restore() {
    let bits = STARTED_WITH.load(Relaxed);
    for (i, &signal) in SIGNALS.iter().enumerate() {
        // SAFETY: no handlers.
        unsafe {
            libc::signal(signal, if bits & 1 << i != 0 { libc::SIG_IGN } else { libc::SIG_DFL })
        };
    }
    for fd in (0..3).filter(|fd| bits & 1 << (CLOSED + fd) != 0) {
        // SAFETY: the runtime's /dev/null, which nobody else knows of.
        unsafe { libc::close(fd as i32) };
    }
}
