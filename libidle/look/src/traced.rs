//! Threads of the launcher's tracer.

use crate::thread::Thread;
use crate::{ProcLook, process};
use engine::region::tracer_word::{BACKS_OFF, PAUSED, STOPPED, owned, paused};
use std::sync::atomic::Ordering::SeqCst;

impl ProcLook {
    /// A thread whose slot concerns the tracer. When it has ended, its tracer must collect it
    /// before the thread that waits for it is woken, and gives its slot back then. Of a leader that
    /// ended before its threads the tracer hears last of all. A thread stopped by a signal looks as
    /// in any other stop, so the tracer has noted the stop, with the run count then: a thread that
    /// was continued has run, or is about to. The tracer notes a stop for a back-off in the same
    /// way.
    pub(crate) fn traced(
        &mut self,
        index: usize,
        pid: u32,
        tid: u32,
        since: Option<u64>,
    ) -> Thread {
        let slot = &self.engine.page.slots[index];
        let word = slot.tracer.load(SeqCst);
        let stopped = match paused(word) {
            Some(runs) => Some((runs as u64, PAUSED as u64 - 1)),
            None => matches!(word, STOPPED | BACKS_OFF)
                .then(|| (slot.tracee().run_count.load(SeqCst), u64::MAX)),
        };
        if let Some((runs, bits)) = stopped {
            let stays =
                self.open_files(index, pid, tid).is_ok_and(|files| files.stays_stopped(runs, bits));
            return if stays { Thread::Stopped(runs) } else { Thread::Running };
        }
        if !owned(word) {
            return self.thread(index, pid, tid, since);
        }
        match self.thread(index, pid, tid, since) {
            // The other threads may have been killed with it. What they waited for counts no more,
            // though their slots still tell of it.
            Thread::Zombie if pid == tid && !process::ended(pid) && !process::dying(pid) => {
                Thread::Asleep(u64::MAX)
            }
            Thread::Zombie | Thread::Gone => Thread::Running,
            found => found,
        }
    }
}
