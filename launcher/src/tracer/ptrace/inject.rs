//! System calls made in a tracee's name, at a stop between two of its own instructions.

use super::failed::Failed;
use super::memory::Memory;
use super::stop::Go;
use super::wait::{Event, Stopped};
use crate::tracer::arch::registers::Registers;

/// One instruction on. What comes meanwhile is put into `late`.
pub fn step(mut stopped: Stopped, late: &mut Vec<Event>) -> Result<Stopped, Failed> {
    loop {
        let (next, event) = stopped.go(Go::Step, 0)?.next_stop("a step")?;
        stopped = next;
        match event {
            // By the kernel, and not by somebody.
            Event::Signal(libc::SIGTRAP) if stopped.signal_info()?.is_of_kernel() => {
                return Ok(stopped);
            }
            Event::Signal(_) | Event::GroupStop => late.push(event),
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
    before: Registers,
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
    pub fn registers(&self) -> &Registers {
        &self.before
    }

    /// Makes one call; the kernel's answer.
    pub fn call(self, number: libc::c_long, args: [u64; 6]) -> Result<(Calls, i64), Failed> {
        let mut regs = self.before;
        regs.make_call(number, args, self.instruction);
        self.stopped.set_registers(&regs)?;
        let mut late = self.late;
        let stopped = step(self.stopped, &mut late)?;
        let answer = stopped.registers()?.answer();
        Ok((Calls { stopped, late, ..self }, answer))
    }

    /// Puts the registers back.
    pub fn finish(self) -> Result<Stopped, Failed> {
        self.stopped.set_registers(&self.before)?;
        again(&self.stopped, self.late)?;
        Ok(self.stopped)
    }
}

/// Makes calls for a thread that has just made one by an instruction of its own, with memory of
/// their own at the address that `make` is given. `None` if the kernel refuses that.
pub fn after_a_call<T>(
    stopped: Stopped,
    make: impl FnOnce(Calls, u64) -> Result<(Calls, T), Failed>,
) -> Result<(Stopped, Option<T>), Failed> {
    /// All but SIGTRAP, which ends each step.
    const ALL: u64 = !(1 << (libc::SIGTRAP - 1));
    const SIZE: u64 = 1 << 16;
    let mask = stopped.mask()?;
    stopped.set_mask(ALL)?;
    let instruction = stopped.registers()?.call_instruction();
    let calls = Calls::new(stopped, instruction)?;
    let (prot, flags) =
        (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
    let (calls, scratch) =
        calls.call(libc::SYS_mmap, [0, SIZE, prot as u64, flags as u64, u64::MAX, 0])?;
    let (calls, made) = if scratch < 0 {
        (calls, None)
    } else {
        let (calls, made) = make(calls, scratch as u64)?;
        let (calls, _) = calls.call(libc::SYS_munmap, [scratch as u64, SIZE, 0, 0, 0, 0])?;
        (calls, Some(made))
    };
    let stopped = calls.finish()?;
    stopped.set_mask(mask)?;
    Ok((stopped, made))
}

/// A place in the memory of a program that has just been executed: far enough below what its stack
/// holds.
pub fn scratch(calls: Calls, memory: Memory) -> Result<(Calls, u64), Failed> {
    let at = (calls.registers().stack_pointer() - 0x4000) & !0xfff;
    Ok((touch(calls, memory, at)?, at))
}

/// Makes the kernel write somewhere in the stack if that is not there yet, which a write by another
/// process does not: it has room for some thousand arguments. Nothing comes of it where the stack
/// may not grow so much.
pub fn touch(calls: Calls, memory: Memory, at: u64) -> Result<Calls, Failed> {
    match memory.read::<u64>(at) {
        Ok(_) => Ok(calls),
        Err(_) => {
            Ok(calls.call(libc::SYS_rt_sigprocmask, [libc::SIG_BLOCK as u64, 0, at, 8, 0, 0])?.0)
        }
    }
}
