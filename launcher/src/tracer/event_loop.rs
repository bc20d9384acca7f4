//! The tracer's loop: what its tracees report, what the session's threads ask for, whose waits have
//! ended.
//!
//! All three make the tracer's word in the region count up (its own SIGCHLD handler does for the
//! first), and it sleeps only while the word is what it was before it looked for all three.

use super::policy::environment::Variables;
use super::policy::exec_setup::Kit;
use super::state::Tracer;
use super::tracer_sleep::Attention;
use crate::report::messages;
use crate::session::real_now;
use crate::{reach, region};
use engine::Engine;
use posix::names::FLUX;
use std::ffi::OsString;
use std::sync::atomic::AtomicPtr;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::SeqCst;

/// The tracer's word, for the signal handler.
static WORD: AtomicPtr<AtomicU32> = AtomicPtr::new(std::ptr::null_mut());

extern "C" fn child_reports(_: i32) {
    // SAFETY: null, or mapped for the life of the process.
    if let Some(word) = unsafe { WORD.load(SeqCst).as_ref() } {
        word.fetch_add(1, SeqCst);
    }
}

/// The tracer's process, for the session of that name. Ends with the launcher.
pub fn run(name: OsString) -> Option<()> {
    let page = region::map(&name).ok()?;
    messages::configure(None, page.header.verbose.load(SeqCst) as u8);
    // The launcher ends this process when it ends itself: it is the parent.
    let reach = reach::session(std::os::unix::process::parent_id(), None);
    let (pid, process) = (std::process::id(), std::process::id);
    let engine = Engine { page, pid, real_now, process, reach };
    let library = std::env::var_os(FLUX.library.text())?;
    let kit = Kit::new(engine, region::path(&name)?)?;
    WORD.store((&raw const page.header.tracer).cast_mut(), SeqCst);
    // SAFETY: the handler is async-signal-safe.
    unsafe { libc::signal(libc::SIGCHLD, child_reports as *const () as libc::sighandler_t) };
    let mut attention = Attention::new().ok()?;
    let variables = Variables { session: name, library };
    let mut tracer = Tracer::new(engine, kit, variables);
    loop {
        let word = &page.header.tracer;
        let seen = word.load(SeqCst);
        let mut reported = tracer.reports();
        while attention.expects(reported) && word.load(SeqCst) == seen {
            reported = tracer.reports();
        }
        if page.header.tracer_asked.swap(0, SeqCst) != 0 {
            tracer.requests();
        }
        tracer.waits.expire(&mut tracer.tracees);
        tracer.timers.keep_time();
        let (orphans, later) = tracer.adopt();
        for (stopped, event) in orphans {
            tracer.stopped(stopped, event);
        }
        let until = [tracer.spinners.oversee(&mut tracer.tracees), later];
        let until = until.into_iter().flatten().min();
        if word.load(SeqCst) == seen {
            tracer.tracees.affinity.rest();
        }
        attention.sleep(word, seen, until);
    }
}
