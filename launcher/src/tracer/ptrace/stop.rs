//! Tracees as types, and the requests of ptrace(2).
//!
//! A [`Running`] tracee can only be interrupted, a [`Stopped`] one read, changed and resumed;
//! resuming consumes it. Neither can be copied, so a request to a tracee that is not stopped does
//! not compile.
//!
//! ESRCH. ptrace(2) gives it for three reasons: no such thread, not our tracee, not stopped. The
//! types rule out the last two, so it means that the tracee has been killed, and is
//! [`Failed::Died`]; waitpid(2) will report it.

use crate::tracer::policy::timer_calls::{CODE, Info, NUMBER};
use libc::{c_long, c_void, pid_t, user_regs_struct};
use std::fmt;
use std::mem::offset_of;

/// Why a request failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Failed {
    /// The tracee has been killed.
    Died,
    /// Anything else: the thread, what was asked, the error's number.
    Request(pid_t, &'static str, i32),
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failed::Died => write!(f, "the process has been killed"),
            Failed::Request(tid, what, error) => {
                write!(f, "{what} of thread {tid}: {}", std::io::Error::from_raw_os_error(*error))
            }
        }
    }
}

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
    /// Stays stopped by its signal, but hears of SIGCONT.
    Listen,
}

/// Why a tracee has stopped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// Before a system call that the filter wants to be looked at.
    Seccomp,
    /// After a system call.
    SyscallExit,
    /// Has made a process or thread; its number is the event's message.
    Child,
    /// Runs a new program; its former number is the event's message.
    Exec,
    /// Stopped by a signal, like everybody in its process.
    GroupStop,
    /// A first stop, or one that was asked for.
    Interrupted,
    /// A signal is about to be delivered.
    Signal(i32),
}

impl Event {
    /// From a stop's wait status.
    pub fn of(status: i32) -> Event {
        const SYSCALL: i32 = libc::SIGTRAP | 0x80;
        let signal = libc::WSTOPSIG(status);
        match status >> 16 {
            libc::PTRACE_EVENT_SECCOMP => Event::Seccomp,
            libc::PTRACE_EVENT_FORK | libc::PTRACE_EVENT_VFORK | libc::PTRACE_EVENT_CLONE => {
                Event::Child
            }
            libc::PTRACE_EVENT_EXEC => Event::Exec,
            libc::PTRACE_EVENT_STOP if signal == libc::SIGTRAP => Event::Interrupted,
            libc::PTRACE_EVENT_STOP => Event::GroupStop,
            _ if signal == SYSCALL => Event::SyscallExit,
            _ => Event::Signal(signal),
        }
    }
}

fn request(
    what: &'static str,
    request: u32,
    tid: pid_t,
    addr: usize,
    data: usize,
) -> Result<c_long, Failed> {
    // SAFETY: `addr` and `data` are numbers, or point to what the callers below say is valid for
    // this request.
    let done = unsafe { libc::ptrace(request as _, tid, addr as *mut c_void, data as *mut c_void) };
    if done >= 0 {
        return Ok(done);
    }
    Err(match std::io::Error::last_os_error().raw_os_error().unwrap_or(0) {
        libc::ESRCH => Failed::Died,
        error => Failed::Request(tid, what, error),
    })
}

/// A tracee that runs.
#[derive(Debug)]
pub struct Running(pid_t);

/// A tracee in a ptrace-stop.
#[derive(Debug)]
pub struct Stopped(pid_t);

/// Attaches to a thread, without stopping it. `kill`: it ends when this process does.
pub fn seize(tid: pid_t, kill: bool) -> Result<Running, Failed> {
    let options = if kill { OPTIONS | libc::PTRACE_O_EXITKILL } else { OPTIONS };
    request("PTRACE_SEIZE", libc::PTRACE_SEIZE, tid, 0, options as usize)?;
    Ok(Running(tid))
}

/// The same for a visit: nothing is reported but stops, and it is let go before long.
pub fn seize_briefly(tid: pid_t) -> Result<Running, Failed> {
    request("PTRACE_SEIZE", libc::PTRACE_SEIZE, tid, 0, 0).map(|_| Running(tid))
}

impl Running {
    /// Stops it soon; waitpid(2) will tell.
    pub fn interrupt(&self) -> Result<(), Failed> {
        request("PTRACE_INTERRUPT", libc::PTRACE_INTERRUPT, self.0, 0, 0).map(drop)
    }
}

impl Stopped {
    /// Thread `tid` as reported by waitpid(2).
    pub fn reported(tid: pid_t) -> Stopped {
        Stopped(tid)
    }

    /// Its number.
    pub fn tid(&self) -> pid_t {
        self.0
    }

    /// Stops it again as soon as it goes on.
    pub fn interrupt(&self) -> Result<(), Failed> {
        Running(self.0).interrupt()
    }

    /// Its registers.
    pub fn registers(&self) -> Result<user_regs_struct, Failed> {
        let mut registers = std::mem::MaybeUninit::<user_regs_struct>::uninit();
        request(
            "PTRACE_GETREGS",
            libc::PTRACE_GETREGS,
            self.0,
            0,
            registers.as_mut_ptr() as usize,
        )?;
        // SAFETY: filled by the request.
        Ok(unsafe { registers.assume_init() })
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
            self.0,
            XSTATE,
            &raw mut there as usize,
        )?;
        bytes.truncate(there.iov_len);
        Ok(bytes)
    }

    /// Changes its registers.
    pub fn set_registers(&self, registers: &user_regs_struct) -> Result<(), Failed> {
        request("PTRACE_SETREGS", libc::PTRACE_SETREGS, self.0, 0, registers as *const _ as usize)
            .map(drop)
    }

    /// Answers the system call that it is about to make, which the kernel skips then. Two words
    /// cost less than all registers.
    pub fn answer(&self, answer: i64) -> Result<(), Failed> {
        const RAX: usize = offset_of!(user_regs_struct, rax);
        const ORIG_RAX: usize = offset_of!(user_regs_struct, orig_rax);
        request("PTRACE_POKEUSER", libc::PTRACE_POKEUSER, self.0, ORIG_RAX, usize::MAX)?;
        request("PTRACE_POKEUSER", libc::PTRACE_POKEUSER, self.0, RAX, answer as usize).map(drop)
    }

    /// What is known of the signal that is about to be delivered.
    pub fn signal_info(&self) -> Result<Info, Failed> {
        let mut info: Info = [0; 32];
        request(
            "PTRACE_GETSIGINFO",
            libc::PTRACE_GETSIGINFO,
            self.0,
            0,
            info.as_mut_ptr() as usize,
        )?;
        Ok(info)
    }

    /// Is any signal pending for it, or its process?
    pub fn has_pending(&self) -> Result<bool, Failed> {
        let (tid, what) = (self.0, "PTRACE_PEEKSIGINFO");
        for shared in [0u32, 1] {
            let mut info: Info = [0; 32];
            let first = libc::ptrace_peeksiginfo_args { off: 0, flags: shared, nr: 1 };
            let args = &raw const first as usize;
            if request(what, libc::PTRACE_PEEKSIGINFO, tid, args, info.as_mut_ptr() as usize)? > 0 {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The signals that it blocks, once a call's own mask is not in force any more.
    pub fn mask(&self) -> Result<u64, Failed> {
        let mut mask = 0u64;
        request("PTRACE_GETSIGMASK", libc::PTRACE_GETSIGMASK, self.0, 8, &raw mut mask as usize)?;
        Ok(mask)
    }

    /// Changes them; a call's own mask is in force no more.
    pub fn set_mask(&self, mask: u64) -> Result<(), Failed> {
        request("PTRACE_SETSIGMASK", libc::PTRACE_SETSIGMASK, self.0, 8, &raw const mask as usize)
            .map(drop)
    }

    /// Changes it.
    pub fn set_signal_info(&self, info: &Info) -> Result<(), Failed> {
        request("PTRACE_SETSIGINFO", libc::PTRACE_SETSIGINFO, self.0, 0, info.as_ptr() as usize)
            .map(drop)
    }

    /// The signal that it has stopped for, about to be delivered; `None` in any other stop.
    pub fn signal(&self) -> Result<Option<i32>, Failed> {
        let info = self.signal_info()?;
        let event = info[CODE] >> 8 == libc::PTRACE_EVENT_STOP;
        Ok((!event).then_some(info[NUMBER]))
    }

    /// The message of its event: a child's number, a former number.
    pub fn message(&self) -> Result<u64, Failed> {
        let mut message: libc::c_ulong = 0;
        request(
            "PTRACE_GETEVENTMSG",
            libc::PTRACE_GETEVENTMSG,
            self.0,
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
        request(what, number, self.0, 0, signal as usize)?;
        Ok(Running(self.0))
    }

    /// Is a tracee no longer, and goes on.
    pub fn detach(self, signal: i32) -> Result<(), Failed> {
        request("PTRACE_DETACH", libc::PTRACE_DETACH, self.0, 0, signal as usize).map(drop)
    }
}
