//! When the tracer sleeps, and where it runs. Being woken on another processor takes longer than all that it does for a stop; so
//! when stops follow each other closely it looks for the next one a moment by itself. SIGCHLD is blocked meanwhile, because a
//! signal for each stop would cost as much again.
//!
//! Waking the tracee on another processor, which has fallen idle during the stop, takes as long. While the close stops are all
//! of one thread, which cannot run while the tracer does, the tracer therefore stays on that thread's processor. The thread
//! may go where it likes, and is followed.

use crate::session::real_now;
use engine::sys::{self, Timespec};
use engine::time::Spec;
use libc::pid_t;
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::sys::signal::{SigSet, SigmaskHow, Signal};
use nix::unistd::Pid;
use std::sync::atomic::AtomicU32;

/// How long it looks, and how close is close, real ns.
const MOMENT: u64 = 50_000;
/// So many close stops of the same thread, and it is gone to; after so many more it is looked for again.
const SAME: u32 = 16;
/// See [`SAME`].
const AGAIN: u32 = 512;

/// See the module.
pub struct Attention {
    /// Real time of the last report.
    last: u64,
    /// It came within a [`MOMENT`] of the one before.
    close: bool,
    /// Who made it.
    who: pid_t,
    /// How many close ones it has made in a row.
    same: u32,
    /// Where the tracer may run at all, while it stays on one processor.
    everywhere: Option<CpuSet>,
    child: SigSet,
}

impl Attention {
    /// Blocks SIGCHLD, and lets all other signals come.
    pub fn new() -> nix::Result<Attention> {
        let child = SigSet::from(Signal::SIGCHLD);
        child.thread_set_mask()?;
        Ok(Attention { last: 0, close: false, who: 0, same: 0, everywhere: None, child })
    }

    /// The last report came from `who`, or there was none: is another to be expected at once? Gives others the processor first,
    /// perhaps the one that is to report.
    pub fn expects(&mut self, who: Option<pid_t>) -> bool {
        let now = real_now();
        if let Some(who) = who {
            self.close = now - self.last < MOMENT;
            self.last = now;
            self.same = if self.close && who == self.who { self.same + 1 } else { 0 };
            self.who = who;
            match self.same {
                0 => self.go_anywhere(),
                same if same % AGAIN == SAME => self.go_to(who),
                _ => {}
            }
        }
        let expects = self.close && now - self.last < MOMENT;
        if expects {
            std::thread::yield_now();
        }
        expects
    }

    /// Sleeps until `word` is not `seen` any more, at most until real time is `until`; a stop that has not been looked at changes
    /// the word by SIGCHLD's handler.
    pub fn sleep(&mut self, word: &AtomicU32, seen: u32, until: Option<u64>) {
        let left = until.map(|until| Spec::from_nanos(until.saturating_sub(real_now())));
        let left = left.map(|left| Timespec { sec: left.sec, nsec: left.nsec });
        self.go_anywhere();
        let _ = self.child.thread_swap_mask(SigmaskHow::SIG_UNBLOCK);
        sys::futex_wait(word, seen, left.as_ref(), false);
        let _ = self.child.thread_swap_mask(SigmaskHow::SIG_BLOCK);
    }

    /// Stays on `tid`'s processor, if it may.
    fn go_to(&mut self, tid: pid_t) {
        let me = Pid::from_raw(0);
        let Some(everywhere) = self.everywhere.or_else(|| sched_getaffinity(me).ok()) else { return };
        let mut there = CpuSet::new();
        if let Some(processor) = processor(tid).filter(|&processor| everywhere.is_set(processor) == Ok(true))
            && there.set(processor).is_ok()
            && sched_setaffinity(me, &there).is_ok()
        {
            self.everywhere = Some(everywhere);
        }
    }

    fn go_anywhere(&mut self) {
        if let Some(everywhere) = self.everywhere.take() {
            let _ = sched_setaffinity(Pid::from_raw(0), &everywhere);
        }
    }
}

/// The processor that the thread runs on, or ran on last.
fn processor(tid: pid_t) -> Option<usize> {
    /// Of `stat`, counted from the one after the name; see proc_pid_stat(5).
    const PROCESSOR: usize = 36;
    let stat = std::fs::read_to_string(format!("/proc/{tid}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_ascii_whitespace().nth(PROCESSOR)?.parse().ok()
}
