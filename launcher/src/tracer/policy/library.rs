//! Under `--trace=all`: programs with the library, which are traced too. Its hooks do what they
//! always do, by calls that take the gate ([`engine::sys::GATE`]) or by calls of libc's; what stops
//! beside them is a system call in line, or one that libc makes behind the hooks, and is virtual at
//! once.
//!
//! Such a thread has a slot of its own, which is the library's. While it says that a hook waits, a
//! call is the hook's. Otherwise it becomes the tracer's for as long as the thread waits in a call
//! of its own. No hook of the thread runs meanwhile: a signal's handler begins after the stop at
//! the end of the call.

use crate::tracer::event_loop::{Tracer, runs};
use crate::tracer::policy::exec_setup::vdso_of;
use crate::tracer::policy::wait::Wait;
use crate::tracer::ptrace::stop::{Failed, Stopped};
use engine::programs::verdicts::Verdict;
use engine::region::slot::Slot;
use engine::region::tracer_word::{NONE, PAUSED, TRACED, paused};
use engine::{ClockMode, Kind, What};
use libc::{pid_t, user_regs_struct};
use std::sync::atomic::Ordering::SeqCst;

impl Tracer {
    /// Has the thread's process the library?
    pub(in crate::tracer) fn is_of_library(&self, tid: pid_t) -> bool {
        let process = self.threads.get(&tid).and_then(|thread| self.processes.get(&thread.process));
        process.is_some_and(|process| process.library)
    }

    /// Is the call to be made as it is, though it has stopped?
    pub(in crate::tracer) fn is_the_kernels(
        &mut self,
        tid: pid_t,
        regs: &user_regs_struct,
        verdict: Option<Verdict>,
    ) -> bool {
        let library = self.is_of_library(tid);
        match verdict {
            Some(Verdict::Clock(_)) => self.is_of_real_clock(tid, regs.rip, library),
            // The library's own timers have a clock that the kernel's have not.
            Some(Verdict::Timer | Verdict::Blocks) => library,
            _ => false,
        }
    }

    /// Is a clock read by the vDSO because somebody wants the real time, and it has to ask the
    /// kernel?
    fn is_of_real_clock(&mut self, tid: pid_t, from: u64, library: bool) -> bool {
        let frozen = self.engine.page.mode() == ClockMode::Frozen;
        let Some(process) = self.threads.get(&tid).map(|thread| thread.process) else {
            return false;
        };
        let Some(known) = self.processes.get_mut(&process).filter(|known| known.gated) else {
            return false;
        };
        let vdso = *known.vdso.get_or_insert_with(|| vdso_of(process).unwrap_or(0));
        (library || !frozen) && self.kit.in_vdso(vdso, from)
    }

    /// A thread with the library is about to wait until a deadline. Where it has no slot, or a hook
    /// has, it is as before.
    pub(in crate::tracer) fn wait_of_library(
        &mut self,
        stopped: Stopped,
        mut wait: Box<Wait>,
    ) -> Result<(), Failed> {
        let tid = stopped.tid();
        let over = wait.deadline <= self.engine.now();
        if over && wait.what == What::Sleep {
            return self.answer(stopped, 0);
        }
        let Some((me, kind)) = self.own_slot(tid) else { return self.go(stopped, 0) };
        let base = match kind {
            Kind::Busy | Kind::Foreign => Kind::Busy,
            Kind::Ending | Kind::Leaving => kind,
            _ => return self.go(stopped, 0),
        };
        if std::mem::replace(&mut wait.sleep, false) {
            // Where the library has mapped the slot nobody knows here.
            wait.during.orig_rax = libc::SYS_pause as u64;
        }
        self.slot(me).tracer.store(TRACED, SeqCst);
        self.threads.entry(tid).and_modify(|thread| (thread.slot, thread.base) = (Some(me), base));
        self.wait(stopped, me, wait)
    }

    /// A wait is over: the slot is the library's again, if it was.
    pub(in crate::tracer) fn part(&mut self, tid: pid_t, me: usize) {
        if self.is_of_library(tid) {
            self.slot(me).tracer.store(NONE, SeqCst);
            self.threads.entry(tid).and_modify(|thread| thread.slot = None);
        }
    }

    /// The slot that speaks for the thread, and what that says it does. One that a handler's own
    /// slot covers does not.
    pub(in crate::tracer) fn own_slot(&self, tid: pid_t) -> Option<(usize, Kind)> {
        let speaks = |&(_, slot): &(usize, &Slot)| slot.covered.load(SeqCst) == 0;
        self.slots_of(tid).find(speaks).map(|(index, slot)| (index, slot.state.load().kind()))
    }

    fn slots_of(&self, tid: pid_t) -> impl Iterator<Item = (usize, &'static Slot)> {
        let page = self.engine.page;
        let process = self.threads.get(&tid).map_or(0, |thread| thread.process);
        let theirs = move |slot: &Slot| {
            slot.tid.load(SeqCst) == tid as u32
                && slot.pid.load(SeqCst) == process as u32
                && !matches!(slot.state.load().kind(), Kind::Free | Kind::Timer)
        };
        page.slots[..page.high()].iter().enumerate().filter(move |(_, slot)| theirs(slot))
    }

    /// A signal has stopped a thread with the library. Its queues need [`Slot::key`], so the run
    /// count stands beside.
    pub(in crate::tracer) fn paused(&self, tid: pid_t) {
        let Some(thread) = self.threads.get(&tid) else { return };
        let word = PAUSED | runs(thread.process, tid) as u32;
        for (_, slot) in self.slots_of(tid) {
            let _ = slot.tracer.compare_exchange(NONE, word, SeqCst, SeqCst);
        }
    }

    /// It goes on.
    pub(in crate::tracer) fn continued(&self, tid: pid_t) {
        for (_, slot) in self.slots_of(tid) {
            let word = slot.tracer.load(SeqCst);
            if paused(word).is_some() {
                let _ = slot.tracer.compare_exchange(word, NONE, SeqCst, SeqCst);
            }
        }
    }
}
