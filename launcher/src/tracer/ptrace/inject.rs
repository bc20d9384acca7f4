//! System calls made in a tracee's name, at a stop between two of its own instructions.

use crate::tracer::policy::timer_calls::CODE;
use crate::tracer::ptrace::stop::{Event, Failed, Go, Stopped};
use libc::{pid_t, user_regs_struct};
use std::mem::MaybeUninit;

/// What waitid(2) answers for thread `tid`, zeroed where it has nothing to tell; `None` if there is
/// no such thread.
fn wait(tid: pid_t, options: i32) -> Option<libc::siginfo_t> {
    let mut info = MaybeUninit::<libc::siginfo_t>::zeroed();
    loop {
        // SAFETY: a valid out-parameter.
        let waited = unsafe {
            libc::waitid(libc::P_PID, tid as libc::id_t, info.as_mut_ptr(), options | libc::__WALL)
        };
        if waited == 0 {
            // SAFETY: zeroed or filled by the call.
            return Some(unsafe { info.assume_init() });
        }
        if std::io::Error::last_os_error().raw_os_error() != Some(libc::EINTR) {
            return None;
        }
    }
}

/// Waits for thread `tid`'s next stop, and for nobody else's; the status. An end is left for the
/// main loop to collect.
fn next_stop(tid: pid_t) -> Result<i32, Failed> {
    let reason = |info: &libc::siginfo_t| {
        // SAFETY: of SIGCHLD, or zero.
        let status = unsafe { info.si_status() };
        matches!(info.si_code, libc::CLD_TRAPPED | libc::CLD_STOPPED).then_some(status)
    };
    let met = wait(tid, libc::WEXITED | libc::WSTOPPED | libc::WNOWAIT).as_ref().and_then(reason);
    // A leader's number goes on with the thread that has executed a program, when that one has
    // killed it.
    if met.is_none_or(|reason| reason >> 8 == libc::PTRACE_EVENT_EXEC) {
        return Err(Failed::Died);
    }
    // It may be killed right now, and is not stopped any more.
    let taken = wait(tid, libc::WSTOPPED | libc::WNOHANG).as_ref().and_then(reason);
    // As waitpid(2) has it.
    taken.map(|reason| reason << 8 | 0x7f).ok_or(Failed::Died)
}

/// One instruction on. What comes meanwhile is put into `late`.
pub fn step(mut stopped: Stopped, late: &mut Vec<Event>) -> Result<Stopped, Failed> {
    let tid = stopped.tid();
    loop {
        stopped.go(Go::Step, 0)?;
        let status = next_stop(tid)?;
        stopped = Stopped::reported(tid);
        match Event::of(status) {
            // By the kernel, and not by somebody.
            Event::Signal(libc::SIGTRAP) if stopped.signal_info()?[CODE] > 0 => return Ok(stopped),
            event @ (Event::Signal(_) | Event::GroupStop) => late.push(event),
            _ => {}
        }
    }
}

/// Lets come again to the thread what came at a wrong time.
pub fn again(stopped: &Stopped, late: Vec<Event>) -> Result<(), Failed> {
    for event in late {
        match event {
            Event::Signal(signal) => {
                // SAFETY: plain numbers. The thread is stopped, so the number is its own.
                _ = unsafe { libc::syscall(libc::SYS_tkill, stopped.tid(), signal) }
            }
            // Its process has stopped, or goes on by now: that is what it reports as soon as it is
            // let go.
            _ => stopped.interrupt()?,
        }
    }
    Ok(())
}

/// Makes calls for a stopped thread.
pub struct Calls {
    stopped: Stopped,
    before: user_regs_struct,
    /// Address of a `syscall` instruction.
    instruction: u64,
    late: Vec<Event>,
}

impl Calls {
    /// `stopped` is about to run an instruction of its own; `instruction` is the address of a
    /// `syscall` in its memory.
    pub fn new(stopped: Stopped, instruction: u64) -> Result<Calls, Failed> {
        let before = stopped.registers()?;
        Ok(Calls { stopped, before, instruction, late: vec![] })
    }

    /// Its registers as they were, and will be again.
    pub fn registers(&self) -> &user_regs_struct {
        &self.before
    }

    /// Makes one call; the kernel's answer.
    pub fn call(self, number: libc::c_long, args: [u64; 6]) -> Result<(Calls, i64), Failed> {
        let mut regs = self.before;
        (regs.rax, regs.orig_rax, regs.rip) = (number as u64, u64::MAX, self.instruction);
        [regs.rdi, regs.rsi, regs.rdx, regs.r10, regs.r8, regs.r9] = args;
        self.stopped.set_registers(&regs)?;
        let mut late = self.late;
        let stopped = step(self.stopped, &mut late)?;
        let answer = stopped.registers()?.rax as i64;
        Ok((Calls { stopped, late, ..self }, answer))
    }

    /// Puts the registers back.
    pub fn finish(self) -> Result<Stopped, Failed> {
        self.stopped.set_registers(&self.before)?;
        again(&self.stopped, self.late)?;
        Ok(self.stopped)
    }
}
