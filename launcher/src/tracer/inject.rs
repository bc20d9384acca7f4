//! System calls made in a tracee's name, at a stop between two of its own instructions.

use super::stop::{Event, Failed, Go, Stopped};
use libc::{pid_t, user_regs_struct};
use std::mem::MaybeUninit;

/// Waits for thread `tid`'s next stop, and for nobody else's; the status. An end is left for the main loop to collect.
fn next_stop(tid: pid_t) -> Result<i32, Failed> {
    let mut info = MaybeUninit::<libc::siginfo_t>::zeroed();
    let options = libc::WEXITED | libc::WSTOPPED | libc::__WALL | libc::WNOWAIT;
    loop {
        // SAFETY: a valid out-parameter.
        let waited = unsafe { libc::waitid(libc::P_PID, tid as libc::id_t, info.as_mut_ptr(), options) };
        if waited == 0 {
            break;
        }
        if std::io::Error::last_os_error().raw_os_error() != Some(libc::EINTR) {
            return Err(Failed::Died);
        }
    }
    // SAFETY: zeroed or filled by the call.
    if !matches!(unsafe { info.assume_init() }.si_code, libc::CLD_TRAPPED | libc::CLD_STOPPED) {
        return Err(Failed::Died);
    }
    let mut status = 0;
    // SAFETY: a valid out-parameter.
    let waited = unsafe { libc::waitpid(tid, &mut status, libc::__WALL) };
    if waited == tid && libc::WIFSTOPPED(status) { Ok(status) } else { Err(Failed::Died) }
}

/// One instruction on. Signals that come meanwhile are put into `late`.
pub fn step(mut stopped: Stopped, late: &mut Vec<i32>) -> Result<Stopped, Failed> {
    let tid = stopped.tid();
    loop {
        stopped.go(Go::Step, 0)?;
        let status = next_stop(tid)?;
        stopped = Stopped::reported(tid);
        match Event::of(status) {
            Event::Signal(libc::SIGTRAP) => return Ok(stopped),
            Event::Signal(signal) => late.push(signal),
            _ => {}
        }
    }
}

/// Makes calls for a stopped thread.
pub struct Calls {
    stopped: Stopped,
    before: user_regs_struct,
    /// Address of a `syscall` instruction.
    instruction: u64,
    late: Vec<i32>,
}

impl Calls {
    /// `stopped` is about to run an instruction of its own; `instruction` is the address of a `syscall` in its memory.
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
        let tid = self.stopped.tid();
        for signal in self.late {
            // SAFETY: plain numbers. The thread is stopped, so the number is its own.
            unsafe { libc::syscall(libc::SYS_tkill, tid, signal) };
        }
        Ok(self.stopped)
    }
}
