//! Tracees that give up privileges, or go into another user namespace or another root. What they
//! execute afterwards could not open the session's region any more by its path, which is the
//! launcher's. So before such a call their process opens it, for good, and what it executes
//! inherits the descriptor; as it is with the library (`interpose::shim::inherited_fds`).
//!
//! The call is put off: in its place none is made, the region is opened where it would have ended,
//! and the thread makes it once more.

use super::exec_setup::Kit;
use super::process::{Descriptors, Kept};
use super::thread::{Doing, Then};
use super::tracees::Tracees;
use crate::tracer::arch::registers::Registers;
use crate::tracer::ptrace::failed::Failed;
use crate::tracer::ptrace::memory::Memory;
use crate::tracer::ptrace::wait::Stopped;
use engine::verdict::{CLONE_NEWPID, CLONE_NEWUSER, Verdict};
use libc::{c_long, pid_t};
use posix::names::FLUX;
use posix::session_name::SessionName;

/// Is the call one before which the process of thread `tid` has to open the region?
pub fn must_keep(
    tracees: &Tracees,
    tid: pid_t,
    regs: &Registers,
    verdict: Option<Verdict>,
) -> bool {
    let gives_up = match verdict {
        Some(Verdict::Privileges) => true,
        Some(Verdict::Spawn(_)) => {
            let first = regs.argument(0);
            let is_clone = regs.number() == libc::SYS_clone;
            let flags = if is_clone { Ok(first) } else { Memory(tid).read::<u64>(first) };
            let elsewhere = (CLONE_NEWUSER | CLONE_NEWPID) as u64;
            flags.is_ok_and(|flags| flags & elsewhere != 0)
        }
        _ => false,
    };
    gives_up
        && tracees.process_of(tid).is_some_and(|process| {
            process.space.is_some() && !process.confined && process.kept == Kept::Not
        })
}

/// Puts off the call.
pub fn put_off(tracees: &mut Tracees, stopped: Stopped, mut regs: Registers) -> Result<(), Failed> {
    let number = regs.skip_call();
    stopped.set_registers(&regs)?;
    tracees.set_doing(stopped.tid(), Doing::Then(Then::Keeps(number)));
    tracees.go(stopped, 0)
}

/// Opens the region for the process of a thread that has put off call `number`, and makes it go on
/// with that.
pub fn keep(
    tracees: &mut Tracees,
    kit: &Kit,
    mut stopped: Stopped,
    number: c_long,
) -> Result<(), Failed> {
    let process = tracees.process_of_mut(stopped.tid());
    // Another thread may have been quicker.
    if let Some(process) = process.filter(|process| process.kept == Kept::Not) {
        let (after, descriptor) = kit.keep(stopped)?;
        (stopped, process.kept) = (after, descriptor.map_or(Kept::Refused, Kept::At));
    }
    let mut regs = stopped.registers()?;
    regs.make_call_instead(number);
    stopped.set_registers(&regs)?;
    tracees.go(stopped, 0)
}

/// What program `pid`, which has just been executed, has inherited from one that
/// kept it, traced or not.
pub fn inherited(kit: &Kit, pid: pid_t, former: Kept) -> Option<Descriptors> {
    let kept = former.descriptors().or_else(|| of_environment(pid));
    kept.filter(|kept| kit.is_region(pid, kept.region))
}

/// The number in the environment that the library leaves to what it executes.
fn of_environment(pid: pid_t) -> Option<Descriptors> {
    let environ = std::fs::read(format!("/proc/{pid}/environ")).ok()?;
    let session = environ.split(|&byte| byte == 0).find_map(|line| FLUX.session.value_in(line))?;
    let name = SessionName::parse(session)?;
    Some(Descriptors { region: name.descriptor()?, numbers: name.numbers })
}
