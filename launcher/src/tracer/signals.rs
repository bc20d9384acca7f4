//! Signals that are about to be delivered to tracees.

use super::ptrace::failed::Failed;
use super::ptrace::memory::Memory;
use super::ptrace::thread_status::{deliverable, in_set, is_first_of_namespace};
use super::ptrace::wait::Stopped;
use super::state::Tracer;
use engine::arch::syscall::GATE;
use engine::region::tracer_word::{NONE, owned};
use std::sync::atomic::Ordering::SeqCst;

/// The last argument, in whose upper half the gate is ([`engine::arch::syscall::GATE`]) where the
/// call has no use for it.
const GATE_ARGUMENT: usize = 5;
/// Signals that stop a process that does not catch them.
const STOPS: [i32; 4] = [libc::SIGSTOP, libc::SIGTSTP, libc::SIGTTIN, libc::SIGTTOU];

/// Signals that do nothing to a process that does not catch them. (SIGCONT belongs to a stop, which
/// is no harmless one.)
const HARMLESS: [i32; 3] = [libc::SIGCHLD, libc::SIGURG, libc::SIGWINCH];

/// Signals of an instruction that cannot be executed, and is tried again.
const FAULTS: [i32; 4] = [libc::SIGSEGV, libc::SIGBUS, libc::SIGILL, libc::SIGFPE];

impl Tracer {
    /// NOTE [The first process of a PID namespace]. No signal ends it that it has no handler for,
    /// pid_namespaces(7). A fault does, unless the process is traced: then the kernel leaves it to
    /// the tracer, drops the signal that the tracer delivers, and the same instruction faults
    /// again, for ever. So the tracer lets such a process go. It faults once more, and ends by that
    /// signal.
    fn is_spared(&self, stopped: &Stopped, signal: i32) -> Result<bool, Failed> {
        let tid = stopped.tid();
        Ok(stopped.signal_info()?.is_of_kernel()
            && is_first_of_namespace(tid)
            && !in_set(tid, "SigCgt:", signal))
    }

    /// Lets a thread go that is about to end. Its slot says that it runs until the keeper finds it
    /// gone.
    fn dies_untraced(&mut self, stopped: Stopped) -> Result<(), Failed> {
        let tid = stopped.tid();
        let slot = self.tracees.threads.get_mut(&tid).and_then(|thread| thread.slot.take());
        if let Some(slot) = slot.map(|index| self.tracees.slot(index)) {
            let word = slot.tracer.load(SeqCst);
            if owned(word) {
                let _ = slot.tracer.compare_exchange(word, NONE, SeqCst, SeqCst);
            }
        }
        stopped.detach(0)?;
        self.ended(tid);
        Ok(())
    }

    /// A signal is about to be delivered, and may have interrupted a wait. If a handler runs the
    /// wait is over; else the kernel starts most calls again, and the wait goes on.
    ///
    /// An ignored signal would not have interrupted an untraced thread. The calls that fail because
    /// of it (epoll_wait(2) does) are started again here.
    pub fn signal(&mut self, stopped: Stopped, signal: i32) -> Result<(), Failed> {
        let tid = stopped.tid();
        if FAULTS.contains(&signal) && self.is_spared(&stopped, signal)? {
            return self.dies_untraced(stopped);
        }
        let process = self.tracees.threads.get(&tid).map(|thread| thread.process);
        if let Some(process) = process.filter(|&process| self.timers.table.has(process)) {
            let mut info = stopped.signal_info()?;
            if self.timers.taken(process, &mut info) {
                stopped.set_signal_info(&info)?;
            }
        }
        let mut regs = stopped.registers()?;
        let gate = regs.argument(GATE_ARGUMENT);
        if gate >> 32 == GATE as u64 {
            // No handler may find the gate open. If the call is made again it stops, like a call
            // that a hook makes.
            regs.set_argument(GATE_ARGUMENT, gate as u32 as u64);
            stopped.set_registers(&regs)?;
        }
        let failed = regs.is_in_call() && regs.answer() == -(libc::EINTR as i64);
        let again = self.tracees.threads.get_mut(&tid).and_then(|thread| thread.again.take());
        if failed || again.is_some() {
            let [caught, ignored] = ["SigCgt:", "SigIgn:"].map(|which| in_set(tid, which, signal));
            let harmless = ignored || !caught && HARMLESS.contains(&signal);
            match again {
                Some(wait)
                    if !harmless && wait.ends_between(&self.engine, Memory(tid), &mut regs) =>
                {
                    stopped.set_registers(&regs)?;
                }
                Some(wait) => {
                    if caught || !harmless && STOPS.contains(&signal) {
                        wait.write_left(&self.engine, Memory(tid), true);
                    }
                    if !caught && (harmless || !failed) {
                        self.tracees
                            .threads
                            .entry(tid)
                            .and_modify(|thread| thread.again = Some(wait));
                    }
                }
                None => {}
            }
            // Another signal may be about to run a handler; then the call has failed.
            if failed && harmless && deliverable(tid) == 0 {
                regs.make_call_again();
                stopped.set_registers(&regs)?;
            }
        }
        self.tracees.go(stopped, signal)
    }
}
