//! Threads that sleep though their state word says that they are busy: when to look for them, and
//! which calls they sleep in.

use crate::ProcLook;
use crate::patience::STALE;
use engine::region::state::State;

impl ProcLook {
    /// Has slot `index` said for a while that its thread is busy, or is that thread known to sleep
    /// where no hook sees it?
    pub(crate) fn is_stale(&mut self, index: usize, seen: State) -> bool {
        let now = (self.engine.real_now)();
        let note = self.note(index);
        match note.busy {
            Some((state, since)) if state == seen => {
                note.strays || now.saturating_sub(since) >= STALE.ns()
            }
            _ => {
                note.busy = Some((seen, now));
                note.strays
            }
        }
    }

    /// The run count of the thread of slot `index` when the current survey found it asleep.
    pub fn asleep_since(&mut self, index: usize) -> Option<u64> {
        Some(self.seen(index)?.1)
    }

    /// The system call that the thread sleeps in, if it has not run since; see
    /// [`crate::thread::Files::call`].
    pub fn call(&mut self, index: usize, runs: u64) -> Option<[u64; 9]> {
        self.note(index).files.as_ref()?.call(runs)
    }

    /// Process and thread of slot `index` as the look knows them: the region has said so once, and
    /// `/proc` that it is such a thread, and the process one of the session's.
    pub fn numbers(&self, index: usize) -> Option<(u32, u32)> {
        self.notes.peek(index)?.files.as_ref().map(|files| (files.pid, files.tid))
    }
}
