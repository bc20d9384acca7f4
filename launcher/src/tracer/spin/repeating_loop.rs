//! What a thread does from here on, found out by letting it make one instruction after the other.
//!
//! NOTE [A loop that repeats]. A loop on plain memory makes no calls, so nobody can tell what it
//! does from outside. But if a thread comes back to where it was with the same registers, and each
//! word that it has written meanwhile is what it was, then it does the same again and again until
//! somebody else changes its memory. That is proved, and not guessed, as long as all that its
//! instructions depend on is registers and memory: so only instructions are let pass of which that
//! is known (none asks the processor for the time, a random number or its own number, none goes
//! into the kernel), and only memory that nothing but programs writes to. What others write
//! meanwhile must be told by other means: they have to be asleep.

use crate::tracer::arch::instructions::{Instruction, LONGEST};
use crate::tracer::arch::registers::Registers;
use crate::tracer::ptrace::failed::Failed;
use crate::tracer::ptrace::inject::{again, step};
use crate::tracer::ptrace::maps::{Range, mappings};
use crate::tracer::ptrace::memory::Memory;
use crate::tracer::ptrace::thread_status::in_set;
use crate::tracer::ptrace::wait::Stopped;
use std::collections::{BTreeMap, BTreeSet};

/// What a thread does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ahead {
    /// NOTE [A loop that repeats].
    Repeats,
    /// It comes to clock code before long.
    Reads,
    /// It comes to a system call before long.
    Calls,
    /// Anything else.
    Computes,
}

/// What the thread is about to do in its next `most` instructions, and how many have been made:
/// each is a stop, and takes some microseconds. `clocks` is where its clocks are read.
pub fn look_ahead(
    stopped: Stopped,
    clocks: Range,
    most: u64,
) -> Result<(Stopped, Ahead, u64), Failed> {
    const TRAP: u64 = 1 << (libc::SIGTRAP - 1);
    // A trap that is blocked or ignored would change what the program has set.
    if in_set(stopped.tid(), "SigIgn:", libc::SIGTRAP) {
        return Ok((stopped, Ahead::Computes, 0));
    }
    let mask = stopped.mask()?;
    if mask & TRAP != 0 {
        stopped.set_mask(mask & !TRAP)?;
    }
    let walked = walk(stopped, clocks, most)?;
    if mask & TRAP != 0 {
        walked.0.set_mask(mask)?;
    }
    Ok(walked)
}

fn walk(mut stopped: Stopped, clocks: Range, most: u64) -> Result<(Stopped, Ahead, u64), Failed> {
    let (first, vectors) = (stopped.registers()?, stopped.vectors()?);
    let mut walk = Walk::new(Memory(stopped.tid()));
    let (mut regs, mut late, mut steps) = (first, vec![], 0);
    let round = loop {
        if clocks.contains(regs.instruction_pointer()) {
            break Ahead::Reads;
        }
        let Some(instruction) = walk.instruction(regs.instruction_pointer()) else {
            break Ahead::Computes;
        };
        if instruction.is_syscall() {
            break Ahead::Calls;
        }
        if steps == most || walk.notes(&instruction, &regs).is_none() {
            break Ahead::Computes;
        }
        stopped = step(stopped, &mut late)?;
        steps += 1;
        if !late.is_empty() {
            break Ahead::Computes;
        }
        regs = stopped.registers()?;
        if regs.state() == first.state() && walk.is_as_before() && stopped.vectors()? == vectors {
            break Ahead::Repeats;
        }
    };
    again(&stopped, late)?;
    Ok((stopped, round, steps))
}

/// What has been touched.
struct Walk {
    memory: Memory,
    /// Words that have been written, and what they were.
    written: BTreeMap<u64, u64>,
    pages: BTreeSet<u64>,
}

impl Walk {
    fn new(memory: Memory) -> Walk {
        Walk { memory, written: BTreeMap::new(), pages: BTreeSet::new() }
    }

    fn instruction(&self, at: u64) -> Option<Instruction> {
        const PAGE: u64 = 4096;
        let mut bytes = [0; LONGEST];
        let here = bytes.len().min((PAGE - at % PAGE) as usize);
        let mut n = self.memory.bytes(at, &mut bytes[..here]);
        if n == here {
            n += self.memory.bytes(at + here as u64, &mut bytes[here..]);
        }
        Instruction::decode(&bytes[..n], at)
    }

    /// The instruction is about to be made: what it writes to is noted. `None` if it depends on
    /// anything but registers and memory, or if that is not known.
    fn notes(&mut self, instruction: &Instruction, regs: &Registers) -> Option<()> {
        for touched in instruction.touches(regs)? {
            let (first, last) = (touched.first, touched.last);
            self.pages.extend([first >> 12, last >> 12]);
            for word in (first & !7..=last).step_by(8).filter(|_| touched.written) {
                if !self.written.contains_key(&word) {
                    self.written.insert(word, self.memory.read(word).ok()?);
                }
            }
        }
        Some(())
    }

    /// Has the memory that was written to the same contents again, and is all that was touched a
    /// program's memory?
    fn is_as_before(&self) -> bool {
        let mut words = self.written.iter();
        words.all(|(&at, &before)| self.memory.read(at) == Ok(before)) && self.is_of_programs()
    }

    /// Nothing but programs writes there: no device, nor the kernel.
    fn is_of_programs(&self) -> bool {
        let foreign = |name: &str| {
            let device = name.starts_with("/dev/")
                && !name.starts_with("/dev/shm/")
                && !name.starts_with("/dev/zero");
            device || ["anon_inode:", "socket:", "[vvar"].iter().any(|kind| name.starts_with(kind))
        };
        mappings(self.memory.0, 'r').is_some_and(|all| {
            let holds =
                |range: &Range, page: u64| range.start <= page << 12 && page << 12 < range.end;
            let of = |page: u64| all.iter().find(|(range, _)| holds(range, page));
            self.pages.iter().all(|&page| of(page).is_some_and(|(_, name)| !foreign(name)))
        })
    }
}
