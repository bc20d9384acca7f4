//! All traced threads and processes, and how a stopped thread goes on.

use super::cpu_affinity::CpuAffinity;
use super::process::Process;
use super::thread::{Doing, Thread};
use crate::tracer::ptrace::failed::Failed;
use crate::tracer::ptrace::stop::Go;
use crate::tracer::ptrace::wait::Stopped;
use engine::Engine;
use engine::region::slot::Slot;
use libc::pid_t;
use std::collections::HashMap;

/// See the module.
pub struct Tracees {
    /// The session.
    pub engine: Engine,
    /// By number.
    pub threads: HashMap<pid_t, Thread>,
    /// By number.
    pub processes: HashMap<pid_t, Process>,
    /// Which processor the thread runs on that is answered again and again.
    pub affinity: CpuAffinity,
}

impl Tracees {
    /// None yet.
    pub fn new(engine: Engine) -> Tracees {
        Tracees {
            engine,
            threads: HashMap::new(),
            processes: HashMap::new(),
            affinity: CpuAffinity::default(),
        }
    }

    /// The slot of this number.
    pub fn slot(&self, index: usize) -> &'static Slot {
        &self.engine.page.slots[index]
    }

    /// The process of thread `tid`.
    pub fn process_of(&self, tid: pid_t) -> Option<&Process> {
        self.processes.get(&self.threads.get(&tid)?.process)
    }

    /// See [`Tracees::process_of`].
    pub fn process_of_mut(&mut self, tid: pid_t) -> Option<&mut Process> {
        self.processes.get_mut(&self.threads.get(&tid)?.process)
    }

    /// Changes what thread `tid` does, see [`Thread::doing`].
    pub fn set_doing(&mut self, tid: pid_t, doing: Doing) {
        if let Some(thread) = self.threads.get_mut(&tid) {
            thread.doing = doing;
        }
    }

    /// The thread goes on, to the end of the call it is in if that matters.
    pub fn go(&mut self, stopped: Stopped, signal: i32) -> Result<(), Failed> {
        self.affinity.part();
        self.resume(stopped, signal)
    }

    /// The thread goes on with this answer, and the call is not made.
    pub fn answer(&mut self, stopped: Stopped, answer: i64) -> Result<(), Failed> {
        stopped.answer(answer)?;
        self.affinity.answered(stopped.tid());
        self.resume(stopped, 0)
    }

    fn resume(&mut self, stopped: Stopped, signal: i32) -> Result<(), Failed> {
        let Some(thread) = self.threads.get_mut(&stopped.tid()) else { return Ok(()) };
        let how = match thread.doing {
            Doing::Waits(_) | Doing::Changed(_) | Doing::Then(_) => Go::ToSyscallExit,
            Doing::Runs if thread.watched => Go::ToSyscallExit,
            _ => Go::On,
        };
        thread.running = Some(stopped.go(how, signal)?);
        Ok(())
    }
}
