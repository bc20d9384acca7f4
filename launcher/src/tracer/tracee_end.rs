//! How tracees end.

use super::policy::thread::Thread;
use super::policy::timerfd;
use super::state::Tracer;
use engine::region::tracer_word::{NONE, owned};
use libc::pid_t;
use std::sync::atomic::Ordering::SeqCst;

impl Tracer {
    /// A thread has ended, and the kernel has woken those that wait for it: its slot is given back.
    pub fn ended(&mut self, tid: pid_t) {
        self.early.remove(&tid);
        // The kernel reports a leader's end when no other thread is left. A thread that is still
        // known here executed a program, took over the leader's number and was killed before it
        // reported that.
        if self.tracees.threads.get(&tid).is_none_or(|thread| thread.process == tid) {
            self.forget_all(tid);
        }
        self.never_continues(tid);
        self.spinners.look_away(&mut self.tracees, tid);
        let Some(thread) = self.tracees.threads.remove(&tid) else { return };
        if !self.tracees.threads.values().any(|t| t.process == thread.process) {
            let process = self.tracees.processes.remove(&thread.process);
            self.timers.table.forget(thread.process);
            if process.is_none_or(|process| !process.library) {
                timerfd::drop_all(&self.engine, thread.process);
            }
            // Time must not jump to what its timers were waiting for.
            self.timers.keep_time();
        }
        self.forget(&thread);
        // If it has the library, the slot is the library's. The keeper gives that slot back when no
        // thread has this number any more.
        self.engine.kick_keeper();
    }

    /// All threads of the process are gone but the leader.
    pub fn forget_all(&mut self, process: pid_t) {
        let others = self
            .tracees
            .threads
            .iter()
            .filter(|&(&tid, thread)| thread.process == process && tid != process);
        for tid in others.map(|(&tid, _)| tid).collect::<Vec<_>>() {
            self.never_continues(tid);
            self.spinners.look_away(&mut self.tracees, tid);
            if let Some(thread) = self.tracees.threads.remove(&tid) {
                self.forget(&thread);
            }
        }
    }

    /// If a signal had stopped the thread, it has been killed.
    fn never_continues(&mut self, tid: pid_t) {
        if self
            .tracees
            .threads
            .get_mut(&tid)
            .is_some_and(|thread| std::mem::take(&mut thread.paused))
        {
            self.tracees.continued(tid);
        }
    }

    pub fn forget(&mut self, thread: &Thread) {
        self.waits.forget(thread);
        let Some(index) =
            thread.slot.filter(|&index| owned(self.tracees.slot(index).tracer.load(SeqCst)))
        else {
            return;
        };
        // The kernel may have sent SIGCHLD to its parent, and SIGKILL to the others of its process.
        // So the keeper has to look at parked threads once more. This is counted before the slot is
        // given back, because until then the slot keeps time from jumping.
        self.engine.page.header.signals_sent.fetch_add(1, SeqCst);
        self.tracees.slot(index).tracer.store(NONE, SeqCst);
        self.engine.page.release(index);
        self.engine.kick_keeper();
    }
}
