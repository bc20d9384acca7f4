//! The reaper: gives back what dead threads and processes held.

use crate::{ProcLook, process};
use engine::region::layout::Page;
use engine::region::slot::Slot;
use engine::region::state::State;
use engine::schedule::look::Found;
use engine::schedule::timerfd::SHARED;
use engine::sys;
use engine::{Kind, Reason};
use std::sync::atomic::Ordering::SeqCst;

impl ProcLook {
    /// The thread, and perhaps its whole process, is gone. Gives back what they held.
    ///
    /// NOTE [Killed]. `announced`: the thread had said that it ends. Otherwise its process is
    /// probably dying, and its threads go one by one. If each slot were given back as its thread
    /// goes, there would be a moment in which nothing of the process counts any more and the parent
    /// still sleeps in waitpid(2). So a dying process counts as running until it is dead, and then
    /// the reaper gives back all its slots. If one thread alone has ended, by a system call that no
    /// hook saw or because the others are not marked yet, the next survey looks at all parked
    /// threads again.
    pub(crate) fn reap(
        &mut self,
        page: &Page,
        index: usize,
        seen: State,
        announced: bool,
    ) -> Found {
        let pid = page.slots[index].pid.load(SeqCst);
        if pid == 0 {
            // It is nobody's yet, see `unplaced`.
            page.header.signals_sent.fetch_add(1, SeqCst);
            self.release(page, index, seen);
        } else if !self.known(index, pid) {
            return Found::Running;
        } else if process::dead(pid) {
            sys::task_lock_fence();
            for i in 0..page.high() {
                let seen = page.slots[i].state.load();
                if page.slots[i].pid.load(SeqCst) == pid && !outlives(&page.slots[i], seen) {
                    self.release(page, i, seen);
                }
            }
            // The kernel may have sent the parent SIGCHLD.
            page.header.signals_sent.fetch_add(1, SeqCst);
        } else if announced {
            self.release(page, index, seen);
        } else if process::dying(pid) {
            return Found::Running;
        } else {
            page.header.signals_sent.fetch_add(1, SeqCst);
            self.release(page, index, seen);
        }
        Found::Changed
    }

    /// Gives a slot back, unless another thread has done so since its state was `seen`.
    fn release(&mut self, page: &Page, index: usize, seen: State) {
        if seen.kind() == Kind::Free {
            return;
        }
        let note = self.note(index);
        (note.lingering, note.ours, note.strays) = (None, 0, false);
        if let Some(joiner) = page.release_seen(index, seen) {
            self.engine.wake(joiner, page.slots[joiner].state.load().seq(), Reason::Woken);
        }
    }
}

/// The owner of this slot is dead. Does its timer outlive it? Then the slot has no owner any more.
fn outlives(slot: &Slot, seen: State) -> bool {
    let outlives = seen.kind() == Kind::Timer && slot.timer().flags.load(SeqCst) & SHARED != 0;
    if outlives {
        slot.pid.store(0, SeqCst);
    }
    outlives
}
