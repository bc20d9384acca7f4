//! Frozen clocks that are read again and again, where no hook counts; and beats: the sleeps between
//! which Go's runtime looks after its threads (NOTE [Beats] in [`engine::schedule::deadline_heap`]).

use crate::tracer::calls::switches;
use crate::tracer::event_loop::{Tracer, runs_now};
use crate::tracer::policy::exec_setup::SPINNING;
use crate::tracer::policy::tracees::Process;
use crate::tracer::policy::wait::Wait;
use crate::tracer::ptrace::memory::Memory;
use engine::Engine;
use engine::region::sizes::SLOTS;
use engine::schedule::back_off::{self, FROZEN_STEP};
use libc::{c_long, pid_t, user_regs_struct};

impl Wait {
    /// Is it a beat, if the program has Go's runtime: that one's own sleep of at most 10 ms, whose
    /// time lies where its stack ends? All others, of programs in Go too, come by functions that
    /// have something there.
    pub fn beats(&self, engine: &Engine) -> bool {
        const BEAT: std::ops::RangeInclusive<u64> = 10_000..=10_000_000;
        let r = &self.before;
        let own = r.orig_rax as c_long == libc::SYS_nanosleep && r.rdi == r.rsp && r.rsi == 0;
        own && BEAT.contains(&self.deadline.saturating_sub(engine.now()))
    }
}

impl Tracer {
    /// A frozen clock is read where no hook counts: here a loop that spins is noticed.
    pub(in crate::tracer) fn clock_read(&mut self, tid: pid_t, regs: &user_regs_struct) {
        /// Reads between two steps of the clock.
        const STEP: u32 = 16_384;
        /// The same where each read stops, which takes hundreds of times as long.
        const FEW: u32 = 16;
        /// Laps of the hooks that so many reads stand for.
        const LAPS: u64 = 16;
        /// See [`FEW`].
        const FEW_LAPS: u64 = 8;
        let Some(thread) = self.threads.get_mut(&tid) else { return };
        let Some(process) = self.processes.get_mut(&thread.process) else { return };
        // Reads through the vDSO stop only when they are many; all others always do.
        let many = process.space.is_some()
            && !process
                .filtered
                .first()
                .is_some_and(|own| own.start <= regs.rip && regs.rip < own.end);
        let reset = |process: &Process, to: u32| {
            if let Some(space) = process.space {
                let _ = Memory(tid).write(space.counter, &to);
            }
        };
        let switches = switches(tid);
        let slept = many && switches > std::mem::replace(&mut thread.switches, switches);
        if slept && process.go && process.reads != 0 {
            // Perhaps another of its threads has had the loop meanwhile.
            reset(process, SPINNING - STEP);
            return;
        }
        if slept || process.reads == 0 {
            process.reads = 1;
            reset(process, 0);
            return;
        }
        process.reads = if many { process.reads.max(SPINNING) + STEP } else { process.reads + 1 };
        if many {
            reset(process, SPINNING - STEP);
        }
        let over = process.reads.saturating_sub(SPINNING);
        if over == 0 || !(many || over.is_multiple_of(FEW)) {
            return;
        }
        if thread.slot.is_some() {
            return self.reads_again(tid, if many { LAPS } else { FEW_LAPS });
        }
        // Of a thread with the library its own slot says that it runs.
        let me = self.own_slot(tid).map_or(SLOTS, |(me, _)| me);
        if !self.others_are_awake(tid, me) {
            let laps =
                if many { (over / STEP) as u64 * LAPS } else { (over / FEW) as u64 * FEW_LAPS };
            self.engine.creep(me, back_off::step(laps, FROZEN_STEP));
        }
    }

    /// Has anybody else come to an instant and is not done with it, as far as is known?
    fn others_are_awake(&mut self, tid: pid_t, me: usize) -> bool {
        // Who reads the clock as often asks himself.
        self.woken.retain(|&woken| woken != tid && runs_now(woken));
        !self.woken.is_empty() || self.engine.glance(me).is_err_and(|busy| busy.slot().is_some())
    }
}
