//! The requests of ptrace(2) to a tracee that is stopped.

use super::failed::Failed;
use super::signal_info::SignalInfo;
use super::wait::{Running, Stopped};
use crate::tracer::arch::registers::Registers;
use libc::{c_long, c_void, pid_t};
use std::io;

/// What tracees are asked to report.
const OPTIONS: i32 = libc::PTRACE_O_TRACESYSGOOD
    | libc::PTRACE_O_TRACEFORK
    | libc::PTRACE_O_TRACEVFORK
    | libc::PTRACE_O_TRACECLONE
    | libc::PTRACE_O_TRACEEXEC
    | libc::PTRACE_O_TRACESECCOMP;

/// How a tracee goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Go {
    /// To the next event.
    On,
    /// To the end of the system call it is in.
    ToSyscallExit,
    /// One instruction.
    Step,
    /// It stays stopped by its signal, but hears of SIGCONT.
    Listen,
}

fn request(
    operation: &'static str,
    request: u32,
    tid: pid_t,
    addr: usize,
    data: usize,
) -> Result<c_long, Failed> {
    // SAFETY: `addr` and `data` are numbers, or point to what the callers below say is valid for
    // this request.
    let done = unsafe { libc::ptrace(request as _, tid, addr as *mut c_void, data as *mut c_void) };
    if done >= 0 { Ok(done) } else { Err(Failed::new(tid, operation, &io::Error::last_os_error())) }
}

/// Attaches to a thread, without stopping it. `kill`: it ends when this process does.
pub fn seize(tid: pid_t, kill: bool) -> Result<Running, Failed> {
    let options = if kill { OPTIONS | libc::PTRACE_O_EXITKILL } else { OPTIONS };
    request("PTRACE_SEIZE", libc::PTRACE_SEIZE, tid, 0, options as usize)?;
    Ok(Running::new(tid))
}

/// The same for a few microseconds: nothing is reported but stops.
pub fn seize_briefly(tid: pid_t) -> Result<Running, Failed> {
    request("PTRACE_SEIZE", libc::PTRACE_SEIZE, tid, 0, 0).map(|_| Running::new(tid))
}

impl Running {
    /// Stops it soon; waitpid(2) will tell.
    pub fn interrupt(&self) -> Result<(), Failed> {
        interrupt(self.tid())
    }
}

fn interrupt(tid: pid_t) -> Result<(), Failed> {
    request("PTRACE_INTERRUPT", libc::PTRACE_INTERRUPT, tid, 0, 0).map(drop)
}

impl Stopped {
    /// Stops it again as soon as it goes on.
    pub fn interrupt(&self) -> Result<(), Failed> {
        interrupt(self.tid())
    }

    /// Its registers.
    pub fn registers(&self) -> Result<Registers, Failed> {
        let mut registers = Registers::default();
        let at = registers.as_mut_ptr() as usize;
        request("PTRACE_GETREGS", libc::PTRACE_GETREGS, self.tid(), 0, at)?;
        Ok(registers)
    }

    /// The registers of its floating-point and vector unit, as the kernel saves them.
    pub fn vectors(&self) -> Result<Vec<u8>, Failed> {
        /// `NT_X86_XSTATE`, elf(5).
        const XSTATE: usize = 0x202;
        let mut bytes = vec![0u8; 1 << 14];
        let mut there = libc::iovec { iov_base: bytes.as_mut_ptr().cast(), iov_len: bytes.len() };
        request(
            "PTRACE_GETREGSET",
            libc::PTRACE_GETREGSET,
            self.tid(),
            XSTATE,
            &raw mut there as usize,
        )?;
        bytes.truncate(there.iov_len);
        Ok(bytes)
    }

    /// Changes its registers.
    pub fn set_registers(&self, registers: &Registers) -> Result<(), Failed> {
        let at = registers.as_ptr() as usize;
        request("PTRACE_SETREGS", libc::PTRACE_SETREGS, self.tid(), 0, at).map(drop)
    }

    /// Answers the system call that it is about to make, which the kernel skips then. Two words
    /// cost less than all registers.
    pub fn answer(&self, answer: i64) -> Result<(), Failed> {
        let words =
            [(Registers::NUMBER_IN_USER, usize::MAX), (Registers::ANSWER_IN_USER, answer as usize)];
        for (at, word) in words {
            request("PTRACE_POKEUSER", libc::PTRACE_POKEUSER, self.tid(), at, word)?;
        }
        Ok(())
    }

    /// What is known of the signal that is about to be delivered.
    pub fn signal_info(&self) -> Result<SignalInfo, Failed> {
        let mut info = SignalInfo::default();
        let at = &raw mut info as usize;
        request("PTRACE_GETSIGINFO", libc::PTRACE_GETSIGINFO, self.tid(), 0, at)?;
        Ok(info)
    }

    /// Is any signal pending for it, or its process?
    pub fn has_pending(&self) -> Result<bool, Failed> {
        let (tid, what) = (self.tid(), "PTRACE_PEEKSIGINFO");
        for shared in [0u32, 1] {
            let mut info = SignalInfo::default();
            let first = libc::ptrace_peeksiginfo_args { off: 0, flags: shared, nr: 1 };
            let args = &raw const first as usize;
            if request(what, libc::PTRACE_PEEKSIGINFO, tid, args, &raw mut info as usize)? > 0 {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The signals that it blocks, once a call's own mask is not in force any more.
    pub fn mask(&self) -> Result<u64, Failed> {
        let mut mask = 0u64;
        request(
            "PTRACE_GETSIGMASK",
            libc::PTRACE_GETSIGMASK,
            self.tid(),
            8,
            &raw mut mask as usize,
        )?;
        Ok(mask)
    }

    /// Changes them; a call's own mask is in force no more.
    pub fn set_mask(&self, mask: u64) -> Result<(), Failed> {
        request(
            "PTRACE_SETSIGMASK",
            libc::PTRACE_SETSIGMASK,
            self.tid(),
            8,
            &raw const mask as usize,
        )
        .map(drop)
    }

    /// Changes what is known of the signal that is about to be delivered.
    pub fn set_signal_info(&self, info: &SignalInfo) -> Result<(), Failed> {
        let at = &raw const *info as usize;
        request("PTRACE_SETSIGINFO", libc::PTRACE_SETSIGINFO, self.tid(), 0, at).map(drop)
    }

    /// The message of its event: a child's number, a former number.
    pub fn message(&self) -> Result<u64, Failed> {
        let mut message: libc::c_ulong = 0;
        request(
            "PTRACE_GETEVENTMSG",
            libc::PTRACE_GETEVENTMSG,
            self.tid(),
            0,
            &raw mut message as usize,
        )?;
        Ok(message)
    }

    /// Lets it go on, and delivers `signal` if it is not 0.
    pub fn go(self, how: Go, signal: i32) -> Result<Running, Failed> {
        let (what, number) = match how {
            Go::On => ("PTRACE_CONT", libc::PTRACE_CONT),
            Go::ToSyscallExit => ("PTRACE_SYSCALL", libc::PTRACE_SYSCALL),
            Go::Step => ("PTRACE_SINGLESTEP", libc::PTRACE_SINGLESTEP),
            Go::Listen => ("PTRACE_LISTEN", libc::PTRACE_LISTEN),
        };
        request(what, number, self.tid(), 0, signal as usize)?;
        Ok(Running::new(self.tid()))
    }

    /// Detaches from it: it is a tracee no longer, and goes on.
    pub fn detach(self, signal: i32) -> Result<(), Failed> {
        request("PTRACE_DETACH", libc::PTRACE_DETACH, self.tid(), 0, signal as usize).map(drop)
    }
}
