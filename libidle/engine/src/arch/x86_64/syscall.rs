//! The `syscall` instruction, and the gate.

/// What the library's own calls carry in the upper half of a register, see [`gate`]. Under
/// `--trace=all` a filter stops a program's calls by which time is read or waited for, and lets
/// these through.
///
/// NOTE [The gate]. The obvious gate is an instruction: a page at a fixed address holds the only
/// one that makes the library's calls, and the filter looks where a call comes from. It has to be
/// at the same place in every process, for filters are inherited for ever, and each of the
/// library's calls has to go there. A register needs neither: the kernel does not look at that half
/// of it, a filter does, and nobody has this number there by chance. So that nobody has it left
/// over, the last register is cleared after the call; where a signal's handler begins before that,
/// the tracer takes the mark out of it.
pub const GATE: u32 = 0x666c_7578;

/// Which argument of the call has an upper half that the kernel has no use for, if a filter may
/// stop it ([`crate::verdict::Verdict::traced`]) and the library makes it. The last
/// where there are fewer than six, or that is a number of 32 bits; or the first, where that is a
/// descriptor or a count.
pub const fn gate(nr: i64) -> Option<u8> {
    match nr {
        // nanosleep, interval timers, setsockopt, getsockopt, kill, sysinfo, times, signals, futex,
        // POSIX timers and clocks, ppoll, timer descriptors, pidfd_send_signal, futex_waitv.
        35..=38
        | 54
        | 55
        | 62
        | 99
        | 100
        | 128
        | 129
        | 200
        | 202
        | 222..=228
        | 230
        | 234
        | 271
        | 283
        | 286
        | 287
        | 297 => Some(5),
        424 | 449 => Some(5),
        // pselect6, epoll_pwait, io_uring_enter, epoll_pwait2.
        270 | 281 | 426 | 441 => Some(0),
        _ => None,
    }
}

/// Issues system call `nr` with six arguments.
///
/// # Safety
/// The arguments must be valid for that system call.
#[inline(always)]
pub unsafe fn syscall6(
    nr: i64,
    a: usize,
    b: usize,
    c: usize,
    d: usize,
    e: usize,
    f: usize,
) -> isize {
    let ret: isize;
    const MARK: usize = (GATE as usize) << 32;
    let (a, f) = match gate(nr) {
        Some(0) => (a as u32 as usize | MARK, f),
        Some(_) => (a, f | MARK),
        None => (a, f),
    };
    // SAFETY: the caller vouches for the arguments; the kernel clobbers rcx and r11 only.
    unsafe {
        std::arch::asm!("syscall", "xor r9d, r9d", inlateout("rax") nr as isize => ret, in("rdi") a, in("rsi") b, in("rdx") c,
            in("r10") d, in("r8") e, inlateout("r9") f => _, lateout("rcx") _, lateout("r11") _, options(nostack));
    }
    ret
}
