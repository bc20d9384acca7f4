//! The clock's part of `flux.h`: what a test asks of it, beside the holds ([`crate::holds`]).

use engine::Reason;
use interpose::shim::entry::enter;
use interpose::shim::{session, vdso};
use libc::c_int;
use posix::errno::Errno;
use posix::time::RealSpan;

/// Is this process in a session?
pub fn active() -> c_int {
    session::engine().is_some().into()
}

/// `CLOCK_MONOTONIC` as the session has it, ns; the machine's without a session.
pub fn now() -> u64 {
    session::engine().map_or_else(vdso::monotonic, |engine| engine.now())
}

/// The machine's `CLOCK_MONOTONIC`, ns.
pub fn real_now() -> u64 {
    vdso::monotonic()
}

/// Waits until all other threads of the session are blocked, for `timeout` real ms at most; for
/// ever if that is negative. Without a session it fails with ENOSYS: nobody knows.
pub fn at_rest(timeout: c_int) -> Result<c_int, Errno> {
    let entry = enter().ok_or(Errno(libc::ENOSYS))?;
    let limit = u64::try_from(timeout).ok().map(RealSpan::from_ms);
    match entry.await_rest(limit) {
        Reason::Woken => Ok(0),
        Reason::Interrupted => Err(Errno::EINTR),
        _ => Err(Errno::ETIMEDOUT),
    }
}
