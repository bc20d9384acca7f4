//! Threads of the session that ask to be traced, or not any more: they are about to execute a
//! program that cannot load the library, or their child is.

use super::policy::thread::{Doing, Thread};
use super::ptrace::stop::seize;
use super::ptrace::thread_status::is_dead_or_traced;
use super::state::Tracer;
use crate::reach;
use crate::report::messages;
use engine::Kind;
use engine::region::tracer_word::{
    ASKS, ASKS_FOR_CHILD, GIVES_BACK, GRANTED, NONE, REFUSED, Trace,
};
use libc::pid_t;
use std::sync::atomic::Ordering::SeqCst;

impl Tracer {
    /// Threads that want to be traced, or not any more.
    pub fn requests(&mut self) {
        let page = self.engine.page;
        for index in 0..page.high() {
            let slot = &page.slots[index];
            let tid = match slot.tid.load(SeqCst) {
                0 => slot.pid.load(SeqCst),
                tid => tid,
            } as pid_t;
            match slot.tracer.load(SeqCst) {
                request @ (ASKS | ASKS_FOR_CHILD) => self.come(index, request, tid),
                GIVES_BACK => self.give_back(index),
                _ => {}
            }
        }
    }

    fn come(&mut self, index: usize, request: u32, tid: pid_t) {
        let pid = self.tracees.slot(index).pid.load(SeqCst) as pid_t;
        if !self.is_here(index, pid, tid) {
            self.engine.answer(index, request, REFUSED);
            return;
        }
        let doing = if request == ASKS { Doing::Asked } else { Doing::AskedForChild };
        if let Some(thread) = self.tracees.threads.get_mut(&tid) {
            // Under `--trace=all` it is traced already.
            (thread.doing, thread.slot) = (doing, Some(index));
            if !self.engine.answer(index, request, GRANTED) {
                self.give_back(index);
            }
            return;
        }
        match seize(tid, true) {
            Ok(running) => {
                self.tracees
                    .threads
                    .insert(tid, Thread::new(pid, Some(index), doing, Some(running)));
                if !self.engine.answer(index, request, GRANTED) {
                    self.give_back(index);
                }
            }
            Err(failed) => {
                if failed.refused()
                    && !is_dead_or_traced(tid)
                    && self.engine.page.header.trace.swap(Trace::None as u32, SeqCst)
                        != Trace::None as u32
                {
                    messages::say(&format!(
                        "{failed}; statically linked programs run in real time"
                    ));
                }
                self.engine.answer(index, request, REFUSED);
            }
        }
    }

    /// Does the thread with these numbers ask by slot `index`? A thread in a PID namespace of its
    /// own knows itself by numbers that are a stranger's here, whom the tracer must not touch, or
    /// nobody's.
    fn is_here(&self, index: usize, pid: pid_t, tid: pid_t) -> bool {
        let page = self.engine.page;
        let another = |i: usize| {
            let slot = &page.slots[i];
            let thread = !matches!(slot.state.load().kind(), Kind::Free | Kind::Timer);
            let same = slot.pid.load(SeqCst) == pid as u32 && slot.tid.load(SeqCst) == tid as u32;
            // A signal handler has a slot beside that of the wait which it has interrupted.
            i != index && thread && same && slot.covered.load(SeqCst) != index as u32 + 1
        };
        reach::is_our_thread(pid as u32, tid as u32) && !(0..page.high()).any(another)
    }

    fn give_back(&mut self, index: usize) {
        let asker = |t: &&mut Thread| {
            t.slot == Some(index) && matches!(t.doing, Doing::Asked | Doing::AskedForChild)
        };
        match self.tracees.threads.values_mut().find(asker) {
            Some(thread) if self.tracees.processes.contains_key(&thread.process) => {
                (thread.doing, thread.slot) = (Doing::Runs, None);
                self.engine.answer(index, GIVES_BACK, NONE);
            }
            Some(thread) => {
                thread.doing = Doing::Leaves;
                if let Some(running) = &thread.running {
                    let _ = running.interrupt();
                }
            }
            None => drop(self.engine.answer(index, GIVES_BACK, NONE)),
        }
    }
}
