//! Threads that the launcher's tracer looks after.

use crate::thread::Thread;
use crate::{ProcLook, process};
use engine::region::tracer_word::{NAPS, PAUSED, STOPPED, owned, paused};
use std::sync::atomic::Ordering::SeqCst;

impl ProcLook {
    /// A thread that the tracer has something to do with. Is it traced? When it has ended, its
    /// tracer has to collect it before whoever waits for it is woken, and gives its slot back then;
    /// of a leader that ended before its threads it hears last of all. One that is stopped by a
    /// signal looks as in any other stop, so the tracer has noted it, with its run count then:
    /// whoever has been continued has run, or is about to. So it has for one that it has stopped
    /// for a nap.
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
            None => matches!(word, STOPPED | NAPS).then(|| (slot.key.load(SeqCst), u64::MAX)),
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
            // The others may have been killed with it: what they waited for counts no more, though
            // their slots still tell of it.
            Thread::Zombie if pid == tid && !process::ended(pid) && !process::dying(pid) => {
                Thread::Asleep(u64::MAX)
            }
            Thread::Zombie | Thread::Gone => Thread::Running,
            found => found,
        }
    }
}
