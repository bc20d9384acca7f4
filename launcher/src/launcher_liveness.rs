//! How the kernel tells the session that the launcher has died: see [`engine::keeper::liveness`].

use engine::Page;
use engine::keeper::liveness::{self, Record};
use std::sync::atomic::Ordering::SeqCst;

/// The calling thread is on record as alive from now until it ends: first the launcher's main
/// thread, before anybody joins the session, and then the keeper's. Each is enlisted before the
/// word names it. So the kernel always marks the end of the thread that the word names, also if the
/// launcher is killed before its keeper has run.
pub fn watched(page: &'static Page) {
    let record = Box::leak(Box::new(Record::new()));
    // SAFETY: it lives for ever and is this thread's.
    unsafe { liveness::enlist(page, record) };
    // SAFETY: no arguments.
    let tid = unsafe { libc::gettid() };
    page.header.keeper_lives.store(tid as u32, SeqCst);
}
