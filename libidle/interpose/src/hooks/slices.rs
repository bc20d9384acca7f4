//! Waits made of short real ones, for what no descriptor can end: no descriptor is left for a bell, or none helps.
//!
//! The virtual deadline is the slot's, so time is as exact as ever: it does not pass the deadline while the thread is
//! still to be told. Only that the thread is told takes up to a slice of real time.

use crate::enter::{Cause, Entry};
use crate::guard::Masked;
use engine::Reason;
use engine::slots::Slot;
use libc::{sigset_t, timespec};
use std::sync::atomic::Ordering::SeqCst;

/// Longest real wait at a time.
pub const SLICE: timespec = timespec { tv_sec: 0, tv_nsec: 1_000_000 };

/// The slot's bell is put away while this lives.
pub struct Silenced {
    slot: &'static Slot,
    bell: i32,
}

impl Silenced {
    /// Puts `instead` in the bell's place.
    pub fn new(entry: &Entry, instead: i32) -> Silenced {
        let slot = entry.slot();
        Silenced { slot, bell: slot.bell.swap(instead, SeqCst) }
    }
}

impl Drop for Silenced {
    fn drop(&mut self) {
        self.slot.bell.store(self.bell, SeqCst);
    }
}

/// Waits until `ask` has something to tell; `None` at the virtual instant `deadline`. `ask` is given the time that it may
/// wait by the real clock, or nothing: then it must not wait, be no cancellation point and let no handler run.
pub fn wait<T>(
    entry: &Entry,
    cause: impl Into<Cause>,
    deadline: u64,
    mut ask: impl FnMut(Option<&timespec>) -> Option<T>,
) -> Option<T> {
    let (_silenced, cause) = (Silenced::new(entry, 0), cause.into());
    loop {
        let mut wait = entry.kernel_wait_until(cause, deadline, || ask(None).is_none())?;
        let mut answer = ask(Some(&SLICE));
        // The wait is one, however many calls it is made of: a sender of signals sees that there is something to end.
        while answer.is_none() && !wait.passed() {
            answer = ask(Some(&SLICE));
        }
        let reason = wait.end();
        if answer.is_some() || reason == Reason::TimedOut {
            return answer;
        }
    }
}

/// The same for a call that takes a set of signals to block, `mask` if it has one of its own. Handlers run inside the call only:
/// one that ran between two slices would have ended the wait, and nobody would know. `ask` is given the set to pass.
pub fn wait_masked<T>(
    entry: &Entry,
    cause: impl Into<Cause>,
    deadline: u64,
    mask: *const sigset_t,
    mut ask: impl FnMut(Option<(&timespec, *const sigset_t)>) -> Option<T>,
) -> Option<T> {
    let masked = Masked::new();
    // The kernel reads its own 8 bytes.
    let mask = if mask.is_null() { masked.before() as *const u64 as *const sigset_t } else { mask };
    wait(entry, cause, deadline, |slice| ask(slice.map(|slice| (slice, mask))))
}
