//! Waits made of short real ones, for what no descriptor can end: no descriptor is left for a wake
//! fd, or none helps.
//!
//! The virtual deadline is the slot's, so time is as exact as ever: it does not pass the deadline
//! while the thread is still to be told. Only that the thread is told takes up to a slice of real
//! time.

use crate::patience::SLICE;
use crate::shim::entry::{Cause, Entry, WaitKind};
use crate::shim::readiness::NO_WAIT;
use crate::shim::signal_mask::Masked;
use engine::Reason;
use engine::arch::syscall::syscall6;
use engine::region::slot::Slot;
use libc::{sigset_t, timespec};
use posix::errno::{self, Errno};
use std::sync::atomic::Ordering::SeqCst;

/// The slot's wake fd is put away while this lives.
pub struct Silenced {
    slot: &'static Slot,
    wake_fd: i32,
}

impl Silenced {
    /// Puts `instead` in the wake fd's place.
    pub fn new(entry: &Entry, instead: i32) -> Silenced {
        let slot = entry.slot();
        Silenced { slot, wake_fd: slot.thread().wake_fd.swap(instead, SeqCst) }
    }
}

impl Drop for Silenced {
    fn drop(&mut self) {
        self.slot.thread().wake_fd.store(self.wake_fd, SeqCst);
    }
}

/// Waits until `ask` has something to tell; `None` at the virtual instant `deadline`. `ask` is
/// given the time that it may wait by the real clock and the set of signals to block meanwhile,
/// `mask` if it is not null; or nothing: then it must not wait, be no cancellation point and let no
/// handler run, and only whether it has something to tell counts.
///
/// All signals (but libc's for cancellation) are blocked but while `ask` waits by that set. So a
/// handler runs inside a call alone whose EINTR tells of it, and none runs between two slices,
/// where it would have ended the wait and nobody would know. A call that takes no set waits by
/// [`wait_deaf`].
pub fn wait<T>(
    entry: &Entry,
    cause: impl Into<Cause>,
    deadline: u64,
    mask: *const sigset_t,
    mut ask: impl FnMut(Option<(&timespec, *const sigset_t)>) -> Option<T>,
) -> Option<T> {
    let (masked, cause) = (Masked::but_cancellation(), cause.into());
    let time = timespec { tv_sec: 0, tv_nsec: SLICE.ns() as i64 };
    let slice = (&time, if mask.is_null() { masked.before_as_set() } else { mask });
    let _silenced = Silenced::new(entry, 0);
    loop {
        let mut wait = entry.kernel_wait_until(cause, deadline, || ask(None).is_none())?;
        let mut answer = ask(Some(slice));
        // The wait is one, however many calls it is made of: a sender of signals sees that there is
        // something to end.
        while answer.is_none() && !wait.passed() {
            answer = ask(Some(slice));
        }
        let reason = wait.end();
        if answer.is_some() || reason == Reason::TimedOut {
            return answer;
        }
    }
}

/// The same with a call that takes no set of signals and fails with EAGAIN when it has waited for
/// as long as it was given; so does this at the deadline. For calls that are never started again
/// (signal(7)).
///
/// The call is deaf: all signals are blocked while it waits, so no handler can run in it or beside
/// it and be missed. After each slice, and at the deadline, a ppoll(2) that does not wait lets them
/// in, and its EINTR says whether a handler has run. That is not late by the virtual clock, because
/// no time passes at rest before the thread has done so once more ([`Cause::rechecking`]).
pub fn wait_deaf<T: PartialEq>(
    entry: &Entry,
    what: WaitKind,
    deadline: u64,
    mask: *const sigset_t,
    mut call: impl FnMut(&timespec) -> Result<T, Errno>,
) -> Result<T, Errno> {
    let over = || Err(Errno(libc::EAGAIN));
    let masked = Masked::but_cancellation();
    let mask = if mask.is_null() { masked.before_as_set() } else { mask };
    let mut ask = |time: &timespec| Some(call(time)).filter(|answer| *answer != over());
    ask(&NO_WAIT)
        .or_else(|| {
            wait(entry, Cause::from(what).rechecking(), deadline, mask, |slice| match slice {
                // Only a call in earnest can tell: the keeper moves the clock, when one has been
                // made.
                None => Some(over()),
                Some((time, mask)) => ask(time).or_else(|| pause(&NO_WAIT, mask).err().map(Err)),
            })
        })
        .unwrap_or_else(|| pause(&NO_WAIT, mask).and_then(|()| over()))
}

/// Sleeps for `time` by the real clock, with the signals of `mask` blocked; EINTR when a handler
/// has run. No cancellation point.
pub fn pause(time: &timespec, mask: *const sigset_t) -> Result<(), Errno> {
    let mut time = *time;
    let (at, size) = (&raw mut time as usize, size_of::<u64>());
    // SAFETY: no entries, a time of our own (the kernel writes it), and a set.
    errno::result(unsafe { syscall6(libc::SYS_ppoll, 0, 0, at, mask as usize, size, 0) })
        .map(|_| ())
}
