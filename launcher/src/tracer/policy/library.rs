//! Under `--trace=all`: programs with the library, which are traced too. Its hooks do what they
//! always do, by calls that take the gate ([`engine::arch::syscall::GATE`]) or by calls of libc's;
//! what stops beside them is a system call in line, or one that libc makes behind the hooks, and is
//! virtual at once.
//!
//! Such a thread has a slot of its own, which is the library's. While it says that a hook waits, a
//! call is the hook's. Otherwise it becomes the tracer's for as long as the thread waits in a call
//! of its own. No hook of the thread runs meanwhile: a signal's handler begins after the stop at
//! the end of the call.

use super::exec_setup::Kit;
use super::tracees::Tracees;
use crate::tracer::arch::registers::Registers;
use crate::tracer::ptrace::maps::vdso_of;
use crate::tracer::ptrace::thread_status::run_count;
use engine::region::slot::Slot;
use engine::region::tracer_word::{NONE, PAUSED, paused};
use engine::verdict::Verdict;
use engine::{ClockMode, Kind};
use libc::pid_t;
use std::sync::atomic::Ordering::SeqCst;

impl Tracees {
    /// Has the thread's process the library?
    pub fn is_of_library(&self, tid: pid_t) -> bool {
        self.process_of(tid).is_some_and(|process| process.library)
    }

    /// Is the call to be made as it is, though it has stopped?
    pub fn is_the_kernels(
        &mut self,
        kit: &Kit,
        tid: pid_t,
        regs: &Registers,
        verdict: Option<Verdict>,
    ) -> bool {
        let library = self.is_of_library(tid);
        match verdict {
            Some(Verdict::Clock(_)) => {
                self.is_of_real_clock(kit, tid, regs.instruction_pointer(), library)
            }
            // The library's own timers have a clock that the kernel's have not.
            Some(Verdict::Timer | Verdict::Blocks) => library,
            _ => false,
        }
    }

    /// Does the vDSO read the clock from the kernel, because its caller wants the real time?
    fn is_of_real_clock(&mut self, kit: &Kit, tid: pid_t, from: u64, library: bool) -> bool {
        let frozen = self.engine.page.mode() == ClockMode::Frozen;
        let Some(process) = self.threads.get(&tid).map(|thread| thread.process) else {
            return false;
        };
        let Some(known) = self.processes.get_mut(&process).filter(|known| known.gated) else {
            return false;
        };
        let vdso = *known.vdso.get_or_insert_with(|| vdso_of(process).unwrap_or(0));
        (library || !frozen) && kit.in_vdso(vdso, from)
    }

    /// A wait is over: the slot is the library's again, if it was.
    pub fn give_slot_back_to_library(&mut self, tid: pid_t, me: usize) {
        if self.is_of_library(tid) {
            self.slot(me).tracer.store(NONE, SeqCst);
            self.threads.entry(tid).and_modify(|thread| thread.slot = None);
        }
    }

    /// The slot that speaks for the thread, and what that slot says. A slot that is covered by the
    /// one of a signal handler does not speak.
    pub fn own_slot(&self, tid: pid_t) -> Option<(usize, Kind)> {
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

    /// A signal has stopped a thread with the library. Its queues need the place of the run count,
    /// so the run count stands beside.
    pub fn paused(&self, tid: pid_t) {
        let Some(thread) = self.threads.get(&tid) else { return };
        let word = PAUSED | run_count(thread.process, tid) as u32;
        for (_, slot) in self.slots_of(tid) {
            let _ = slot.tracer.compare_exchange(NONE, word, SeqCst, SeqCst);
        }
    }

    /// It goes on.
    pub fn continued(&self, tid: pid_t) {
        for (_, slot) in self.slots_of(tid) {
            let word = slot.tracer.load(SeqCst);
            if paused(word).is_some() {
                let _ = slot.tracer.compare_exchange(word, NONE, SeqCst, SeqCst);
            }
        }
    }
}
