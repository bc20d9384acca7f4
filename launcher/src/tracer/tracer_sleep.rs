//! When the tracer sleeps. Being woken on another processor takes longer than all that the tracer
//! does for a stop. So while stops follow each other closely the tracer polls for the next one.
//! SIGCHLD is blocked meanwhile, because a signal for each stop would cost as much again.

use crate::patience::ATTENTION;
use crate::session::real_now;
use engine::sys::{self, Timespec};
use nix::sys::signal::{SigSet, SigmaskHow, Signal};
use posix::time::Spec;
use std::sync::atomic::AtomicU32;

/// See the module.
pub struct Attention {
    /// Real time of the last report.
    last: u64,
    /// It came within a [`ATTENTION`] of the one before.
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

    /// Is another report to be expected at once? `reported`: there has been one just now. Yields
    /// the processor first, perhaps to the thread that is about to report.
    pub fn expects(&mut self, reported: bool) -> bool {
        let now = real_now();
        if reported {
            self.close = now - self.last < ATTENTION.ns();
            self.last = now;
        }
        let expects = self.close && now - self.last < ATTENTION.ns();
        if expects {
            std::thread::yield_now();
        }
        expects
    }

    /// Sleeps until `word` is not `seen` any more, at most until real time is `until`; a stop that
    /// has not been looked at changes the word by SIGCHLD's handler.
    pub fn sleep(&mut self, word: &AtomicU32, seen: u32, until: Option<u64>) {
        let left = until.map(|until| Spec::of_ns(until.saturating_sub(real_now())));
        let left = left.map(|left| Timespec { sec: left.sec, nsec: left.nsec });
        let _ = self.child.thread_swap_mask(SigmaskHow::SIG_UNBLOCK);
        sys::futex_wait(word, seen, left.as_ref(), false);
        let _ = self.child.thread_swap_mask(SigmaskHow::SIG_BLOCK);
    }
}
