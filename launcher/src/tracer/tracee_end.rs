//! How tracees end.

use crate::tracer::event_loop::Tracer;
use crate::tracer::policy::tracees::{Doing, Thread};
use engine::region::tracer_word::{NONE, owned};
use libc::pid_t;
use std::sync::atomic::Ordering::SeqCst;

impl Tracer {
    /// A thread has ended, and whoever waits for it has been woken: its slot goes back.
    pub(in crate::tracer) fn ended(&mut self, tid: pid_t) {
        self.early.remove(&tid);
        // A leader's end is told when no other is left: who is known still had the number before it
        // executed a program, and was killed before it could say so.
        if self.threads.get(&tid).is_none_or(|thread| thread.process == tid) {
            self.forget_all(tid);
        }
        self.never_continues(tid);
        let Some(thread) = self.threads.remove(&tid) else { return };
        if !self.threads.values().any(|t| t.process == thread.process) {
            let process = self.processes.remove(&thread.process);
            self.timers.forget(thread.process);
            if process.is_none_or(|process| !process.library) {
                self.drop_timers(thread.process);
            }
            // Time must not jump to what its timers were waiting for.
            self.keep_time();
        }
        self.forget(&thread);
        // If it has the library its slot is that one's, and the keeper gives it back when nobody of
        // this number is there.
        self.engine.kick_keeper();
    }

    /// All threads of the process are gone but the leader.
    pub(in crate::tracer) fn forget_all(&mut self, process: pid_t) {
        let others = self
            .threads
            .iter()
            .filter(|&(&tid, thread)| thread.process == process && tid != process);
        for tid in others.map(|(&tid, _)| tid).collect::<Vec<_>>() {
            self.never_continues(tid);
            if let Some(thread) = self.threads.remove(&tid) {
                self.forget(&thread);
            }
        }
    }

    /// If a signal had stopped the thread, it has been killed.
    fn never_continues(&mut self, tid: pid_t) {
        if self.threads.get_mut(&tid).is_some_and(|thread| std::mem::take(&mut thread.paused)) {
            self.continued(tid);
        }
    }

    pub(in crate::tracer) fn forget(&mut self, thread: &Thread) {
        if matches!(&thread.doing, Doing::Waits(wait) if !wait.sleep) {
            self.expiring -= 1;
        }
        let Some(index) = thread.slot.filter(|&index| owned(self.slot(index).tracer.load(SeqCst)))
        else {
            return;
        };
        // Its parent may have been sent SIGCHLD, and the others of its process SIGKILL: parked
        // threads are looked at once more. Said before the slot, which has kept time from jumping,
        // is given back.
        self.engine.page.header.signals_sent.fetch_add(1, SeqCst);
        self.slot(index).tracer.store(NONE, SeqCst);
        self.engine.page.release(index);
        self.engine.kick_keeper();
    }
}
