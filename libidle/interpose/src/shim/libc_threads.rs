//! Threads that libc makes for itself, behind every hook: for asynchronous I/O (aio(7)), for
//! look-ups (getaddrinfo_a(3)), for `SIGEV_THREAD`. They have no slot, and call nothing by names
//! that could be hooked.
//!
//! So the process gets one more slot before the first such thread can be there, of the kind that a
//! process without this library has: as long as the process lives, the keeper looks at all its
//! threads before time may move.

use crate::shim::entry::Entry;
use engine::Kind;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::SeqCst;

#[unsafe(link_section = ".data.interpose")]
static EXPECTED: AtomicBool = AtomicBool::new(false);

/// Threads of libc's own may be made from now on.
pub fn expect(entry: &Entry) {
    if EXPECTED.swap(true, SeqCst) {
        return;
    }
    let page = entry.engine.page;
    page.claim(Kind::Foreign, entry.engine.pid, 0, entry.engine.pid as u64);
}

/// In a forked child: only the thread that forked is there.
pub fn reset() {
    EXPECTED.store(false, SeqCst);
}
