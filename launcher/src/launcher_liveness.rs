//! That the launcher has died, told by the kernel: see [`engine::keeper::liveness`].

use engine::Page;
use engine::keeper::liveness::{self, Record};
use std::sync::atomic::Ordering::SeqCst;

/// The calling thread is on record as alive from now until it ends: the launcher's first, before
/// anybody joins the session, and then the keeper's. Each is enlisted before the word names it, so
/// the end of whoever it names is always marked, also that of a launcher which is killed before its
/// keeper has run.
pub fn watched(page: &'static Page) {
    let record = Box::leak(Box::new(Record::new()));
    // SAFETY: it lives for ever and is this thread's.
    unsafe { liveness::enlist(page, record) };
    // SAFETY: no arguments.
    let tid = unsafe { libc::gettid() };
    page.header.keeper_lives.store(tid as u32, SeqCst);
}
