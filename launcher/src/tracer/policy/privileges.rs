//! Tracees that give up privileges, or go into another user namespace or another root. What they
//! execute afterwards could not open the session's region any more by its path, which is the
//! launcher's. So before such a call their process opens it, for good, and what it executes
//! inherits the descriptor; as it is with the library (`interpose::shim::inherited_fds`).
//!
//! The call is put off: in its place none is made, the region is opened where it would have ended,
//! and the thread makes it once more.

use crate::tracer::calls::SYSCALL;
use crate::tracer::event_loop::Tracer;
use crate::tracer::policy::tracees::{Doing, Then};
use crate::tracer::ptrace::memory::Memory;
use crate::tracer::ptrace::stop::{Failed, Stopped};
use engine::programs::verdicts::{CLONE_NEWUSER, Verdict};
use libc::{c_long, pid_t, user_regs_struct};
use posix::names::{DESCRIPTORS, FLUX};

/// The region's descriptor in a process that may have no access to its path.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Kept {
    /// It has access.
    #[default]
    Not,
    /// The descriptor.
    At(i32),
    /// The kernel has refused it one.
    Refused,
}

impl Kept {
    /// Its number.
    pub fn descriptor(self) -> Option<i32> {
        if let Kept::At(fd) = self { Some(fd) } else { None }
    }

    /// As [`Kept::descriptor`] gives it.
    pub fn of(descriptor: Option<i32>) -> Kept {
        descriptor.map_or(Kept::Not, Kept::At)
    }
}

impl Tracer {
    /// Is the call one before which the process of thread `tid` has to open the region?
    pub(in crate::tracer) fn is_to_keep(
        &self,
        tid: pid_t,
        regs: &user_regs_struct,
        verdict: Option<Verdict>,
    ) -> bool {
        let gives_up = match verdict {
            Some(Verdict::Privileges) => true,
            Some(Verdict::Spawn(_)) => {
                let is_clone = regs.orig_rax as c_long == libc::SYS_clone;
                let flags = if is_clone { Ok(regs.rdi) } else { Memory(tid).read::<u64>(regs.rdi) };
                flags.is_ok_and(|flags| flags & CLONE_NEWUSER as u64 != 0)
            }
            _ => false,
        };
        let process = self.threads.get(&tid).and_then(|thread| self.processes.get(&thread.process));
        gives_up
            && process.is_some_and(|process| {
                process.space.is_some() && !process.confined && process.kept == Kept::Not
            })
    }

    /// Puts off the call.
    pub(in crate::tracer) fn put_off(
        &mut self,
        stopped: Stopped,
        mut regs: user_regs_struct,
    ) -> Result<(), Failed> {
        let number = std::mem::replace(&mut regs.orig_rax, u64::MAX);
        stopped.set_registers(&regs)?;
        self.threads
            .entry(stopped.tid())
            .and_modify(|thread| thread.doing = Doing::Then(Then::Keeps(number)));
        self.go(stopped, 0)
    }

    /// Opens the region for the process of a thread that has put off call `number`, and makes it go
    /// on with that.
    pub(in crate::tracer) fn keep(&mut self, stopped: Stopped, number: u64) -> Result<(), Failed> {
        let process = self.threads[&stopped.tid()].process;
        let mut stopped = stopped;
        // Another thread may have been quicker.
        if let Some(process) =
            self.processes.get_mut(&process).filter(|process| process.kept == Kept::Not)
        {
            let (after, descriptor) = self.kit.keep(stopped)?;
            (stopped, process.kept) = (after, descriptor.map_or(Kept::Refused, Kept::At));
        }
        let mut regs = stopped.registers()?;
        (regs.rax, regs.rip) = (number, regs.rip - SYSCALL);
        stopped.set_registers(&regs)?;
        self.go(stopped, 0)
    }

    /// The descriptor that program `pid`, which has just been executed, has inherited from one that
    /// kept it, traced or not.
    pub(in crate::tracer) fn inherited(&self, pid: pid_t, former: Kept) -> Option<i32> {
        former
            .descriptor()
            .or_else(|| of_environment(pid))
            .filter(|&fd| self.kit.is_region(pid, fd))
    }
}

/// The number in the environment that the library leaves to what it executes.
fn of_environment(pid: pid_t) -> Option<i32> {
    let environ = std::fs::read(format!("/proc/{pid}/environ")).ok()?;
    let session = environ.split(|&byte| byte == 0).find_map(|line| FLUX.session.value_in(line))?;
    let number = session.strip_prefix(DESCRIPTORS.as_bytes())?;
    std::str::from_utf8(number).ok()?.parse().ok()
}
