//! What a thread does from here on, found out by letting it make one instruction after the other.
//!
//! NOTE [A round that repeats]. A loop on plain memory makes no calls, so nobody can tell what it
//! does from outside. But if a thread comes back to where it was with the same registers, and each
//! word that it has written meanwhile is what it was, then it does the same again and again until
//! somebody else changes its memory. That is proved, and not guessed, as long as all that its
//! instructions depend on is registers and memory: so only instructions are let pass of which that
//! is known (none asks the processor for the time, a random number or its own number, none goes
//! into the kernel), and only memory that nothing but programs writes to. What others write
//! meanwhile must be told by other means: they have to be asleep.

use crate::tracer::event_loop::in_set;
use crate::tracer::policy::exec_setup::mappings;
use crate::tracer::policy::filter::Range;
use crate::tracer::ptrace::inject::{again, step};
use crate::tracer::ptrace::memory::Memory;
use crate::tracer::ptrace::stop::{Failed, Stopped};
use iced_x86::{
    CpuidFeature, Decoder, DecoderOptions, FlowControl, Instruction, InstructionInfoFactory,
    Mnemonic, OpAccess, OpKind, Register, UsedMemory,
};
use libc::user_regs_struct;
use std::collections::{BTreeMap, BTreeSet};

/// What a thread does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Round {
    /// NOTE [A round that repeats].
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
pub fn round(stopped: Stopped, clocks: Range, most: u64) -> Result<(Stopped, Round, u64), Failed> {
    const TRAP: u64 = 1 << (libc::SIGTRAP - 1);
    // A trap that is blocked or ignored would change what the program has set.
    if in_set(stopped.tid(), "SigIgn:", libc::SIGTRAP) {
        return Ok((stopped, Round::Computes, 0));
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

fn walk(mut stopped: Stopped, clocks: Range, most: u64) -> Result<(Stopped, Round, u64), Failed> {
    let (first, vectors) = (stopped.registers()?, stopped.vectors()?);
    let mut walk = Walk::new(Memory(stopped.tid()));
    let (mut regs, mut late, mut steps) = (first, vec![], 0);
    let round = loop {
        if clocks.start <= regs.rip && regs.rip < clocks.end {
            break Round::Reads;
        }
        let Some(instruction) = walk.instruction(regs.rip) else { break Round::Computes };
        if instruction.mnemonic() == Mnemonic::Syscall {
            break Round::Calls;
        }
        if steps == most || walk.notes(&instruction, &regs).is_none() {
            break Round::Computes;
        }
        stopped = step(stopped, &mut late)?;
        steps += 1;
        if !late.is_empty() {
            break Round::Computes;
        }
        regs = stopped.registers()?;
        if state(&regs) == state(&first) && walk.is_as_before() && stopped.vectors()? == vectors {
            break Round::Repeats;
        }
    };
    again(&stopped, late)?;
    Ok((stopped, round, steps))
}

/// Registers that instructions depend on: where it is, the flags, all others.
pub type State = (u64, u64, [u64; 8], [u64; 8], [u64; 8]);

/// Those of a thread that is stopped.
pub fn state(r: &user_regs_struct) -> State {
    /// See the processor's manual.
    const FLAGS: u64 = 0xcd5;
    let general = [r.rax, r.rbx, r.rcx, r.rdx, r.rsi, r.rdi, r.rbp, r.rsp];
    let more = [r.r8, r.r9, r.r10, r.r11, r.r12, r.r13, r.r14, r.r15];
    let segments = [r.cs, r.ds, r.es, r.ss, r.fs, r.gs, r.fs_base, r.gs_base];
    (r.rip, r.eflags & FLAGS, general, more, segments)
}

/// What has been touched.
struct Walk {
    memory: Memory,
    info: InstructionInfoFactory,
    /// Words that have been written, and what they were.
    written: BTreeMap<u64, u64>,
    pages: BTreeSet<u64>,
}

impl Walk {
    fn new(memory: Memory) -> Walk {
        Walk {
            memory,
            info: InstructionInfoFactory::new(),
            written: BTreeMap::new(),
            pages: BTreeSet::new(),
        }
    }

    fn instruction(&self, at: u64) -> Option<Instruction> {
        const PAGE: u64 = 4096;
        let mut bytes = [0; 15];
        let here = bytes.len().min((PAGE - at % PAGE) as usize);
        let mut n = self.memory.bytes(at, &mut bytes[..here]);
        if n == here {
            n += self.memory.bytes(at + here as u64, &mut bytes[here..]);
        }
        let instruction = Decoder::with_ip(64, &bytes[..n], at, DecoderOptions::NONE).decode();
        (!instruction.is_invalid()).then_some(instruction)
    }

    /// The instruction is about to be made: what it writes to is noted. `None` if it depends on
    /// anything but registers and memory, or if that is not known.
    fn notes(&mut self, instruction: &Instruction, regs: &user_regs_struct) -> Option<()> {
        if !is_plain(instruction) {
            return None;
        }
        for used in self.info.info(instruction).used_memory() {
            let (at, size) = match used.access() {
                OpAccess::None | OpAccess::NoMemAccess => continue,
                _ => (address(used, regs)?, used.memory_size().size() as u64),
            };
            let last = at.checked_add(size.checked_sub(1)?)?;
            self.pages.extend([at >> 12, last >> 12]);
            if matches!(used.access(), OpAccess::Read | OpAccess::CondRead) {
                continue;
            }
            for word in (at & !7..=last).step_by(8) {
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

/// Does what the instruction does depend on registers and memory alone, and is it known which
/// memory?
fn is_plain(i: &Instruction) -> bool {
    use CpuidFeature::*;
    const KNOWN: [CpuidFeature; 27] = [
        INTEL8086,
        INTEL186,
        INTEL286,
        INTEL386,
        INTEL486,
        X64,
        CMOV,
        CX8,
        CMPXCHG16B,
        PAUSE,
        MULTIBYTENOP,
        CET_IBT,
        SSE,
        SSE2,
        SSE3,
        SSSE3,
        SSE4_1,
        SSE4_2,
        AVX,
        AVX2,
        FMA,
        POPCNT,
        LZCNT,
        BMI1,
        BMI2,
        MOVBE,
        ADX,
    ];
    // A flag of the processor shows that it makes one instruction at a time.
    const NOT_PLAIN: [Mnemonic; 10] = [
        Mnemonic::Pushf,
        Mnemonic::Pushfq,
        Mnemonic::Popf,
        Mnemonic::Popfq,
        Mnemonic::Iret,
        Mnemonic::Iretd,
        Mnemonic::Iretq,
        Mnemonic::Retf,
        Mnemonic::In,
        Mnemonic::Out,
    ];
    let flow = matches!(
        i.flow_control(),
        FlowControl::Next
            | FlowControl::UnconditionalBranch
            | FlowControl::IndirectBranch
            | FlowControl::ConditionalBranch
            | FlowControl::Return
            | FlowControl::Call
            | FlowControl::IndirectCall
    );
    let segment = i.op_count() > 0
        && i.op0_kind() == OpKind::Register
        && i.op0_register().is_segment_register();
    flow && !segment
        && i.cpuid_features().iter().all(|feature| KNOWN.contains(feature))
        && !NOT_PLAIN.contains(&i.mnemonic())
        && !(i.is_privileged()
            || i.is_string_instruction()
            || i.is_vsib()
            || i.is_save_restore_instruction())
}

fn address(used: &UsedMemory, regs: &user_regs_struct) -> Option<u64> {
    used.virtual_address(0, |register, _, _| {
        let value = match register.full_register() {
            Register::RAX => regs.rax,
            Register::RBX => regs.rbx,
            Register::RCX => regs.rcx,
            Register::RDX => regs.rdx,
            Register::RSI => regs.rsi,
            Register::RDI => regs.rdi,
            Register::RBP => regs.rbp,
            Register::RSP => regs.rsp,
            Register::R8 => regs.r8,
            Register::R9 => regs.r9,
            Register::R10 => regs.r10,
            Register::R11 => regs.r11,
            Register::R12 => regs.r12,
            Register::R13 => regs.r13,
            Register::R14 => regs.r14,
            Register::R15 => regs.r15,
            Register::FS => regs.fs_base,
            Register::GS => regs.gs_base,
            Register::CS | Register::DS | Register::ES | Register::SS => 0,
            _ => return None,
        };
        Some(if register.is_gpr32() { value as u32 as u64 } else { value })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(bytes: &[u8]) -> bool {
        let i = Decoder::with_ip(64, bytes, 0x1000, DecoderOptions::NONE).decode();
        assert!(!i.is_invalid() && i.len() == bytes.len(), "{bytes:x?}");
        is_plain(&i)
    }

    #[test]
    fn what_depends_on_more_than_registers_and_memory_is_not_plain() {
        let [lock_cmpxchg, pause, call, ret] =
            [&[0xf0, 0x0f, 0xb1, 0x17][..], &[0xf3, 0x90], &[0xe8, 0, 0, 0, 0], &[0xc3]];
        assert!([lock_cmpxchg, pause, call, ret].iter().all(|i| plain(i)));
        let [rdtsc, rdtscp, cpuid, rdrand] =
            [&[0x0f, 0x31][..], &[0x0f, 0x01, 0xf9], &[0x0f, 0xa2], &[0x0f, 0xc7, 0xf0]];
        let [syscall, int80, pushf, xsave] =
            [&[0x0f, 0x05][..], &[0xcd, 0x80], &[0x9c], &[0x0f, 0xae, 0x27]];
        let [rep_stos, input, rdpid] = [&[0xf3, 0xaa][..], &[0xec], &[0xf3, 0x0f, 0xc7, 0xf8]];
        for i in
            [rdtsc, rdtscp, cpuid, rdrand, syscall, int80, pushf, xsave, rep_stos, input, rdpid]
        {
            assert!(!plain(i), "{i:x?}");
        }
    }

    #[test]
    fn what_a_call_writes_is_below_the_stack_pointer() {
        // SAFETY: numbers, for which zero is a valid value.
        let zero: user_regs_struct = unsafe { std::mem::zeroed() };
        let regs = user_regs_struct { rsp: 0x8000, ..zero };
        let call = Decoder::with_ip(64, &[0xe8, 0, 0, 0, 0], 0x1000, DecoderOptions::NONE).decode();
        let mut info = InstructionInfoFactory::new();
        let [used] = info.info(&call).used_memory() else { panic!("one word") };
        assert_eq!((address(used, &regs), used.memory_size().size()), (Some(0x7ff8), 8));
    }
}
