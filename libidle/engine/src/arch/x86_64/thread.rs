//! Threads that are made without libc.

use super::numbers;

/// The number of words of a control block; the others are zero.
pub const CONTROL_BLOCK: usize = 32;

/// Makes `block` the control block of a new thread. Thread-local storage lies below it. The ABI
/// wants its own address at 0 and at 16.
pub fn init_control_block(block: &mut [usize; CONTROL_BLOCK]) {
    let at = block.as_ptr() as usize;
    (block[0], block[2]) = (at, at);
}

/// clone(2) of a thread that runs `main`, a C function without arguments that never returns, on the
/// stack that ends at `top`. The kernel keeps the thread's number at `tid` as long as the thread
/// lives. `flags` are clone's, CLONE_SETTLS among them: that sets the thread pointer to `block`.
///
/// # Safety
/// The stack and the control block are nobody else's, and stay.
pub unsafe fn clone_thread(
    flags: usize,
    top: usize,
    tid: usize,
    block: usize,
    main: *const (),
) -> isize {
    let raw: isize;
    // SAFETY: the new thread leaves this frame at once, and never returns to it. Its registers are
    // those of its creator.
    unsafe {
        std::arch::asm!(
            "syscall",
            "test rax, rax",
            "jnz 2f",
            "xor ebp, ebp",
            "call r12",
            "ud2",
            "2:",
            in("r12") main,
            inlateout("rax") numbers::CLONE as isize => raw,
            in("rdi") flags, in("rsi") top, in("rdx") tid, in("r10") tid, in("r8") block,
            lateout("rcx") _, lateout("r11") _,
        );
    }
    raw
}

/// The calling thread's stack pointer.
#[inline(always)]
pub fn stack_pointer() -> usize {
    let sp: usize;
    // SAFETY: reads a register.
    unsafe {
        std::arch::asm!("mov {}, rsp", out(reg) sp, options(nomem, nostack, preserves_flags))
    };
    sp
}

/// The stack pointer in `jump`, a `jmp_buf` of glibc: word 6, `PTR_MANGLE`d (xor with the thread's
/// pointer guard, which is `tcbhead_t.pointer_guard`, and rotated left by 17).
///
/// # Safety
/// A `jmp_buf` that setjmp(3) has filled in.
pub unsafe fn stack_pointer_of_jump(jump: *const usize) -> usize {
    const STACK_POINTER: usize = 6;
    let guard: usize;
    // SAFETY: reads a word of the thread's control block.
    unsafe {
        std::arch::asm!("mov {}, fs:[0x30]", out(reg) guard,
            options(readonly, nostack, preserves_flags));
    }
    // SAFETY: the caller's `jmp_buf` is that long.
    unsafe { jump.add(STACK_POINTER).read() }.rotate_right(17) ^ guard
}
