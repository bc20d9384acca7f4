//! A block of thread-local words.
//!
//! `thread_local!` may allocate and register destructors, and `__tls_get_addr` may allocate after a
//! `dlopen`; both are forbidden where hooks run. So the block is a plain `.tbss` symbol reached by
//! the initial-exec model: two instructions, no call. The library is preloaded, so it has static
//! TLS.

/// Bytes of the block. It begins at a cache line.
pub const SIZE: usize = 128;

std::arch::global_asm!(
    ".pushsection .tbss,\"awT\",@nobits",
    ".balign 64",
    ".hidden flux_tls_block",
    ".globl flux_tls_block",
    ".type flux_tls_block,@object",
    ".size flux_tls_block,{size}",
    "flux_tls_block:",
    ".zero {size}",
    ".popsection",
    size = const SIZE,
);

/// The calling thread's block, all zero in a new thread. It is there as long as the thread runs.
#[inline(always)]
pub fn thread_block() -> *mut [u8; SIZE] {
    let at;
    // SAFETY: the symbol is defined above, in static TLS.
    unsafe {
        std::arch::asm!(
            "mov {0}, qword ptr [rip + flux_tls_block@GOTTPOFF]",
            "add {0}, qword ptr fs:[0]",
            out(reg) at,
            options(pure, readonly, nostack),
        )
    };
    at
}

/// The calling thread's own address, by which libc names it (`pthread_t`).
#[inline(always)]
pub fn thread_pointer() -> usize {
    let at;
    // SAFETY: the ABI has it in the first word of the control block.
    unsafe {
        std::arch::asm!("mov {}, fs:[0]", out(reg) at, options(pure, readonly, nostack));
    }
    at
}
