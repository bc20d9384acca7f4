//! The code that is written over the vDSO, as position-independent blobs with their constants in
//! front.
//!
//! For processes with the library the code is three jumps to functions of the library. For
//! processes without it the code is whole functions that read the session's header, mapped into the
//! process: [`frozen`] loads; [`elapsed`] calls the original and adds. They give the same answers
//! as the library's `clock_gettime(2)`. A clock that they do not know goes to the kernel.

use crate::region::layout::Header;
use posix::clock::{TIME_OF_DAY, VIRTUAL};
use std::mem::offset_of;

/// A blob: 32 bytes of constants, then code. The placer of the blob fills in the first three
/// constants, two addresses and a number. The others say where each function begins, from the
/// blob's start.
#[derive(Clone, Copy)]
pub struct Blob(&'static [u8]);

impl Blob {
    /// Its bytes.
    pub fn bytes(self) -> &'static [u8] {
        self.0
    }

    /// Where `clock_gettime`, `gettimeofday` and `time` begin.
    pub fn entries(self) -> [usize; 3] {
        let entry = |at: usize| {
            u32::from_le_bytes([self.0[at], self.0[at + 1], self.0[at + 2], self.0[at + 3]])
                as usize
        };
        [entry(20), entry(24), entry(28)]
    }
}

/// The bytes between two labels below.
macro_rules! blob {
    ($label:literal) => {{
        let (start, end): (*const u8, *const u8);
        // SAFETY: the labels are defined below, in read-only data; the second ends what the first
        // begins.
        Blob(unsafe {
            std::arch::asm!(
                concat!("lea {0}, [rip + ", $label, "]"),
                concat!("lea {1}, [rip + ", $label, "_end]"),
                out(reg) start, out(reg) end, options(pure, nomem, nostack, preserves_flags)
            );
            std::slice::from_raw_parts(start, end.addr() - start.addr())
        })
    }};
}

/// Offset of the header's address in a blob.
pub const HEADER_AT: usize = 0;
/// Offset of the counter's address ([`frozen`]) or the original's ([`elapsed`]).
pub const OTHER_AT: usize = 8;
/// Offset of the number of reads that the code answers without the kernel ([`frozen`]).
pub const LIMIT_AT: usize = 16;

/// Frozen mode: loads from the header. Each read counts up the 32-bit word at the counter's
/// address. Beyond the limit the code makes the real system call, so that the tracer notices a loop
/// that spins.
pub fn frozen() -> Blob {
    blob!("flux_vdso_frozen")
}

/// Elapsed mode: the original's answer plus the header's offset. The original may make the real
/// system call, for a clock that the vDSO does not have. Its answer must be the real one then.
pub fn elapsed() -> Blob {
    blob!("flux_vdso_elapsed")
}

/// The highest virtual clock.
const LAST: u32 = 11;

/// `ns / 10^9 = (ns >> 9) * DIVIDE >> 75`, exact for all 64-bit numbers.
const DIVIDE: u64 = 0x0044_b82f_a09b_5a53;
/// `n / 1000 = n * THOUSANDTH >> 38`, exact for all 32-bit numbers.
const THOUSANDTH: u32 = 0x1062_4dd3;

std::arch::global_asm!(
    ".pushsection .rodata,\"a\",@progbits",
    ".balign 8",
    ".hidden flux_vdso_frozen",
    ".globl flux_vdso_frozen",
    ".hidden flux_vdso_frozen_end",
    ".globl flux_vdso_frozen_end",
    "flux_vdso_frozen:",
    "20: .quad 0",
    "21: .quad 0",
    "22: .long 0",
    ".long 30f - 20b, 40f - 20b, 50f - 20b",
    //
    // clock_gettime(edi, rsi). Keeps rdi.
    "30: cmp edi, {last}",
    "ja 31f",
    "mov r9, [rip + 20b]",
    "mov ecx, [r9 + {clocks}]",
    "and ecx, {virtual}",
    "bt ecx, edi",
    "jnc 31f",
    "mov r8, [rip + 21b]",
    "mov ecx, [r8]",
    "inc ecx",
    "mov [r8], ecx",
    "cmp dword ptr [rip + 22b], ecx",
    "jb 31f",
    "mov rcx, [r9 + {value}]",
    "mov rax, rcx",
    "shr rax, 9",
    "movabs r10, {divide}",
    "mul r10",
    "shr rdx, 11",
    "imul r10, rdx, {second}",
    "sub rcx, r10",
    "mov r10d, edi",
    "add rcx, [r9 + r10 * 8 + {base_nsec}]",
    "add rdx, [r9 + r10 * 8 + {base_sec}]",
    "cmp rcx, {second}",
    "jb 24f",
    "sub rcx, {second}",
    "inc rdx",
    "24: mov eax, {realtime}",
    "bt eax, edi",
    "jnc 26f",
    "mov rax, [r9 + {shift}]",
    "test rax, rax",
    "jz 26f",
    // What the session's programs have set the clock ahead by, or back.
    "mov r8, rdx",
    "cqo",
    "mov r10d, {second}",
    "idiv r10",
    "add r8, rax",
    "add rcx, rdx",
    "jns 25f",
    "add rcx, {second}",
    "dec r8",
    "25: mov rdx, r8",
    "cmp rcx, {second}",
    "jb 26f",
    "sub rcx, {second}",
    "inc rdx",
    "26: mov [rsi], rdx",
    "mov [rsi + 8], rcx",
    "xor eax, eax",
    "ret",
    "31: mov eax, 228",
    "syscall",
    "ret",
    //
    // gettimeofday(rdi, rsi)
    "40: push rsi",
    "push rdi",
    "call 60f",
    "pop rdi",
    "pop rsi",
    "test rdi, rdi",
    "jz 41f",
    "mov [rdi], rcx",
    "imul rdx, rdx, {thousandth}",
    "shr rdx, 38",
    "mov [rdi + 8], rdx",
    "41: test rsi, rsi",
    "jz 42f",
    "mov qword ptr [rsi], 0",
    "42: xor eax, eax",
    "ret",
    //
    // time(rdi)
    "50: push rdi",
    "call 60f",
    "pop rdi",
    "mov rax, rcx",
    "test rdi, rdi",
    "jz 51f",
    "mov [rdi], rax",
    "51: ret",
    //
    // The time of day as rcx seconds and rdx nanoseconds, from the kernel if need be.
    "60: sub rsp, 16",
    "xor edi, edi",
    "mov rsi, rsp",
    "call 30b",
    "pop rcx",
    "pop rdx",
    "ret",
    "flux_vdso_frozen_end:",
    ".popsection",
    value = const offset_of!(Header, clock),
    clocks = const offset_of!(Header, clocks),
    shift = const offset_of!(Header, realtime_shift),
    base_sec = const offset_of!(Header, base_sec),
    base_nsec = const offset_of!(Header, base_nsec),
    virtual = const VIRTUAL,
    realtime = const TIME_OF_DAY,
    last = const LAST,
    divide = const DIVIDE,
    thousandth = const THOUSANDTH,
    second = const 1_000_000_000,
);

std::arch::global_asm!(
    ".pushsection .rodata,\"a\",@progbits",
    ".balign 8",
    ".hidden flux_vdso_elapsed",
    ".globl flux_vdso_elapsed",
    ".hidden flux_vdso_elapsed_end",
    ".globl flux_vdso_elapsed_end",
    "flux_vdso_elapsed:",
    "20: .quad 0",
    "21: .quad 0",
    ".long 0",
    ".long 30f - 20b, 40f - 20b, 50f - 20b",
    //
    // clock_gettime(edi, rsi). The offset is read before the clock: a jump in between makes the sum
    // late, never early.
    "30: cmp edi, {last}",
    "ja 35f",
    "mov ecx, {virtual}",
    "bt ecx, edi",
    "jnc 35f",
    "push rbx",
    "push rdi",
    "push rsi",
    "mov rax, [rip + 20b]",
    "mov rbx, [rax + {value}]",
    "call [rip + 21b]",
    "pop rsi",
    "pop rdi",
    "mov rcx, rbx",
    "pop rbx",
    "test eax, eax",
    "jnz 34f",
    "mov rax, rcx",
    "shr rax, 9",
    "movabs r10, {divide}",
    "mul r10",
    "shr rdx, 11",
    "imul r10, rdx, {second}",
    "sub rcx, r10",
    "add rdx, [rsi]",
    "add rcx, [rsi + 8]",
    "cmp rcx, {second}",
    "jb 31f",
    "sub rcx, {second}",
    "inc rdx",
    "31: mov r8d, {realtime}",
    "bt r8d, edi",
    "jnc 33f",
    "mov r8, [rip + 20b]",
    "mov rax, [r8 + {shift}]",
    "test rax, rax",
    "jz 33f",
    // What the session's programs have set the clock ahead by, or back.
    "mov r9, rdx",
    "cqo",
    "mov r10d, {second}",
    "idiv r10",
    "add r9, rax",
    "add rcx, rdx",
    "jns 32f",
    "add rcx, {second}",
    "dec r9",
    "32: mov rdx, r9",
    "cmp rcx, {second}",
    "jb 33f",
    "sub rcx, {second}",
    "inc rdx",
    "33: mov [rsi], rdx",
    "mov [rsi + 8], rcx",
    "xor eax, eax",
    "34: ret",
    "35: jmp [rip + 21b]",
    //
    // gettimeofday(rdi, rsi)
    "40: push rsi",
    "push rdi",
    "sub rsp, 24",
    "xor edi, edi",
    "mov rsi, rsp",
    "call 30b",
    "mov rcx, [rsp]",
    "mov rdx, [rsp + 8]",
    "add rsp, 24",
    "pop rdi",
    "pop rsi",
    "test eax, eax",
    "jnz 42f",
    "test rdi, rdi",
    "jz 41f",
    "mov [rdi], rcx",
    "imul rdx, rdx, {thousandth}",
    "shr rdx, 38",
    "mov [rdi + 8], rdx",
    "41: test rsi, rsi",
    "jz 42f",
    "mov qword ptr [rsi], 0",
    "42: ret",
    //
    // time(rdi)
    "50: push rdi",
    "sub rsp, 16",
    "xor edi, edi",
    "mov rsi, rsp",
    "call 30b",
    "mov rax, [rsp]",
    "add rsp, 16",
    "pop rdi",
    "test rdi, rdi",
    "jz 51f",
    "mov [rdi], rax",
    "51: ret",
    "flux_vdso_elapsed_end:",
    ".popsection",
    value = const offset_of!(Header, clock),
    shift = const offset_of!(Header, realtime_shift),
    virtual = const VIRTUAL,
    realtime = const TIME_OF_DAY,
    last = const LAST,
    divide = const DIVIDE,
    thousandth = const THOUSANDTH,
    second = const 1_000_000_000,
);
