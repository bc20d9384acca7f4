//! When the tracer sleeps. Being woken on another processor takes longer than all that it does for a stop; so when stops
//! follow each other closely it looks for the next one a moment by itself. SIGCHLD is blocked meanwhile, because a signal
//! for each stop would cost as much again.

use crate::session::real_now;
use engine::sys;
use nix::sys::signal::{SigSet, SigmaskHow, Signal};
use std::sync::atomic::AtomicU32;

/// How long it looks, and how close is close, real ns.
const MOMENT: u64 = 50_000;

/// See the module.
pub struct Attention {
    /// Real time of the last report.
    last: u64,
    /// It came within a [`MOMENT`] of the one before.
    close: bool,
    child: SigSet,
}

impl Attention {
    /// Blocks SIGCHLD, and lets all other signals come.
    pub fn new() -> nix::Result<Attention> {
        let child = SigSet::from(Signal::SIGCHLD);
        child.thread_set_mask()?;
        Ok(Attention { last: 0, close: false, child })
    }

    /// There was a report, or none: is another to be expected at once? Gives others the processor first, perhaps the one
    /// that is to report.
    pub fn expects(&mut self, reported: bool) -> bool {
        let now = real_now();
        if reported {
            self.close = now - self.last < MOMENT;
            self.last = now;
        }
        let expects = self.close && now - self.last < MOMENT;
        if expects {
            std::thread::yield_now();
        }
        expects
    }

    /// Sleeps until `word` is not `seen` any more; a stop that has not been looked at changes it by SIGCHLD's handler.
    pub fn sleep(&self, word: &AtomicU32, seen: u32) {
        let _ = self.child.thread_swap_mask(SigmaskHow::SIG_UNBLOCK);
        sys::futex_wait(word, seen, None, false);
        let _ = self.child.thread_swap_mask(SigmaskHow::SIG_BLOCK);
    }
}
