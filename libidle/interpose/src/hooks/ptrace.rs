//! ptrace(2): a thread has one tracer, and the session's may be there already.

use crate::next;
use crate::shim::errno;
use crate::shim::session;
use engine::region::slot::Slot;
use engine::region::tracer_word::{Trace, owned};
use libc::{c_long, c_uint, c_void, pid_t};
use std::sync::atomic::Ordering::SeqCst;

/// ptrace(2): the real call. If it fails because the session's tracer traces the thread, the
/// launcher says what to do.
pub fn ptrace(request: c_uint, thread: pid_t, at: *mut c_void, data: *mut c_void) -> c_long {
    let answer = next!(ptrace: fn(c_uint, pid_t, *mut c_void, *mut c_void) -> c_long)(
        request, thread, at, data,
    );
    let thread = match request {
        libc::PTRACE_TRACEME => session::getpid(),
        libc::PTRACE_ATTACH | libc::PTRACE_SEIZE => thread as u32,
        _ => return answer,
    };
    if answer < 0 && errno::get() == libc::EPERM {
        refused(thread);
    }
    answer
}

/// Somebody may not trace `thread`.
fn refused(thread: u32) {
    let Some(engine) = session::engine() else { return };
    let page = engine.page;
    let theirs = |slot: &Slot| [&slot.pid, &slot.tid].iter().any(|id| id.load(SeqCst) == thread);
    let traced = |slot: &Slot| owned(slot.tracer.load(SeqCst)) && theirs(slot);
    if engine.page.trace() == Trace::All || page.slots[..page.high()].iter().any(traced) {
        page.header.tracing_refused.store(session::getpid(), SeqCst);
    }
}
