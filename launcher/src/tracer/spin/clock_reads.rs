//! Frozen clocks that are read again and again, where no hook counts.

use super::spinners::Spinners;
use crate::tracer::arch::registers::Registers;
use crate::tracer::policy::exec_setup::SPINNING;
use crate::tracer::policy::process::Process;
use crate::tracer::policy::tracees::Tracees;
use crate::tracer::policy::waits::Waits;
use crate::tracer::ptrace::memory::Memory;
use crate::tracer::ptrace::thread_status::voluntary_switches;
use engine::region::sizes::SLOTS;
use libc::pid_t;
use posix::spin_rule::{FROZEN_STEP, back_off};

/// Thread `tid` reads a frozen clock where no hook counts: here a loop that spins is noticed.
pub fn clock_read(
    spinners: &mut Spinners,
    tracees: &mut Tracees,
    waits: &mut Waits,
    tid: pid_t,
    regs: &Registers,
) {
    /// Reads between two steps of the clock.
    const STEP: u32 = 16_384;
    /// The same where each read stops, which takes hundreds of times as long.
    const FEW: u32 = 16;
    /// Poll iterations of the hooks that so many reads stand for.
    const WEIGHT: u64 = 16;
    /// See [`FEW`].
    const FEW_WEIGHT: u64 = 8;
    let Some(thread) = tracees.threads.get_mut(&tid) else { return };
    let Some(process) = tracees.processes.get_mut(&thread.process) else { return };
    // Reads through the vDSO stop only when they are many; all others always do.
    let many = process.space.is_some()
        && !process.filtered.first().is_some_and(|own| own.contains(regs.instruction_pointer()));
    let reset = |process: &Process, to: u32| {
        if let Some(space) = process.space {
            let _ = Memory(tid).write(space.counter, &to);
        }
    };
    let switches = voluntary_switches(tid);
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
        return spinners.reads_again(tracees, tid, if many { WEIGHT } else { FEW_WEIGHT });
    }
    // Of a thread with the library its own slot says that it runs. Another thread that has come to
    // an instant may not be done with it, as far as is known. (One that reads the clock as often
    // asks itself.)
    let me = tracees.own_slot(tid).map_or(SLOTS, |(me, _)| me);
    let engine = tracees.engine;
    if !waits.others_are_awake(tid) && !engine.glance(me).is_err_and(|busy| busy.slot().is_some()) {
        let iterations =
            if many { (over / STEP) as u64 * WEIGHT } else { (over / FEW) as u64 * FEW_WEIGHT };
        engine.creep(me, back_off(iterations, FROZEN_STEP).ns());
    }
}
