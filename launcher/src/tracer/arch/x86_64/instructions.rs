//! What an instruction does, as far as a proof needs it that a loop repeats: does it depend on
//! anything but registers and memory, and which memory does it touch?

use super::registers::Registers;
use iced_x86::{
    CpuidFeature, Decoder, DecoderOptions, FlowControl, InstructionInfoFactory, Mnemonic, OpAccess,
    OpKind, Register, UsedMemory,
};

/// No instruction is longer.
pub const LONGEST: usize = 15;

/// A decoded instruction.
pub struct Instruction(iced_x86::Instruction);

/// Memory that an instruction touches.
pub struct Touched {
    /// The first address.
    pub first: u64,
    /// The last address.
    pub last: u64,
    /// It may be written to.
    pub written: bool,
}

impl Instruction {
    /// The instruction that begins with `bytes`, at address `at`; `None` if it is none.
    pub fn decode(bytes: &[u8], at: u64) -> Option<Instruction> {
        let decoded = Decoder::with_ip(64, bytes, at, DecoderOptions::NONE).decode();
        (!decoded.is_invalid()).then_some(Instruction(decoded))
    }

    /// Does it make a system call?
    pub fn is_syscall(&self) -> bool {
        self.0.mnemonic() == Mnemonic::Syscall
    }

    /// The memory that the instruction is about to touch in a thread with these registers; `None`
    /// if it depends on anything but registers and memory, or if that is not known.
    pub fn touches(&self, regs: &Registers) -> Option<Vec<Touched>> {
        if !is_plain(&self.0) {
            return None;
        }
        let mut info = InstructionInfoFactory::new();
        let used = info.info(&self.0).used_memory().iter();
        let touching =
            used.filter(|used| !matches!(used.access(), OpAccess::None | OpAccess::NoMemAccess));
        touching
            .map(|used| {
                let first = address(used, regs)?;
                let last = first.checked_add((used.memory_size().size() as u64).checked_sub(1)?)?;
                let written = !matches!(used.access(), OpAccess::Read | OpAccess::CondRead);
                Some(Touched { first, last, written })
            })
            .collect()
    }
}

/// Does what the instruction does depend on registers and memory alone, and is it known which
/// memory?
fn is_plain(i: &iced_x86::Instruction) -> bool {
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

fn address(used: &UsedMemory, regs: &Registers) -> Option<u64> {
    let regs = regs.raw();
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

    fn decode(bytes: &[u8]) -> Instruction {
        let instruction = Instruction::decode(bytes, 0x1000).expect("an instruction");
        assert_eq!(instruction.0.len(), bytes.len(), "{bytes:x?}");
        instruction
    }

    fn plain(bytes: &[u8]) -> bool {
        is_plain(&decode(bytes).0)
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
        let mut regs = Registers::default();
        regs.set_stack_pointer(0x8000);
        let touched = decode(&[0xe8, 0, 0, 0, 0]).touches(&regs).expect("plain");
        let [word] = &touched[..] else { panic!("one word") };
        assert_eq!((word.first, word.last, word.written), (0x7ff8, 0x7fff, true));
    }
}
