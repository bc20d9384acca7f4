//! The `syscall` instruction, and the gate.

/// The mark that the library's own calls carry in the upper half of a register, see [`gate`]. Under
/// `--trace=all` a filter stops a program's calls that read time or wait for it, and lets the
/// marked ones through.
///
/// NOTE [The gate]. The obvious gate is an instruction: a page at a fixed address holds the only
/// one that makes the library's calls, and the filter looks where a call comes from. That page has
/// to be at the same place in every process, because filters are inherited for ever, and each of
/// the library's calls has to go there. A register needs neither. The kernel does not look at that
/// half of the register, a filter does, and no program has this number there by chance. The library
/// clears the last register after the call, so that no program has the mark left over. If a signal
/// handler begins before that, the tracer takes the mark out of the register.
pub const GATE: u32 = 0x666c_7578;

/// The argument of the call whose upper half the kernel does not use, if a filter may stop the call
/// ([`crate::verdict::Verdict::traced`]) and the library makes it. It is the last argument, if the
/// call has fewer than six or the last is a number of 32 bits; or the first, if that is a
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
