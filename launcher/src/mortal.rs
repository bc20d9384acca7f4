//! That the launcher has died, told by the kernel: see [`engine::lives`].

use engine::Page;
use engine::lives::{self, Record};
use std::sync::atomic::Ordering::SeqCst;

/// The calling thread, the keeper's, is on record as alive from now until it ends.
pub fn watched(page: &'static Page) {
    let record = Box::leak(Box::new(Record::new()));
    // SAFETY: it lives for ever and is this thread's.
    unsafe { lives::enlist(page, record) };
    // SAFETY: no arguments.
    let tid = unsafe { libc::gettid() };
    page.header.keeper_lives.store(tid as u32, SeqCst);
}
