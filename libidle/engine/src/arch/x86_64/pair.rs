//! Compare-and-swap of two words.

/// Stores `new` in the first of the two words at `pair`, if both are as `seen`. Sequentially
/// consistent.
///
/// # Safety
/// `pair` is aligned to 16 bytes, and its words are only changed by atomic operations.
#[inline(always)]
pub unsafe fn swap_first(pair: *const u64, seen: [u64; 2], new: u64) -> bool {
    let ok: u8;
    // SAFETY: the caller's pair; every x86-64 processor that runs a Linux with FUTEX_WAITV (5.16)
    // has CMPXCHG16B. rbx is reserved by the compiler, so it is swapped back.
    unsafe {
        std::arch::asm!(
            "xchg rsi, rbx",
            "lock cmpxchg16b [rdi]",
            "sete r8b",
            "mov rbx, rsi",
            inout("rsi") new => _,
            in("rdi") pair,
            out("r8b") ok,
            inout("rax") seen[0] => _,
            inout("rdx") seen[1] => _,
            in("rcx") seen[1],
            options(nostack),
        );
    }
    ok != 0
}
