//! How a system call is made on x86-64.

/// The instruction that makes a system call.
pub const SYSCALL: [u8; 2] = [0x0f, 0x05];
/// Its length.
pub(super) const SYSCALL_LENGTH: u64 = SYSCALL.len() as u64;

/// `AUDIT_ARCH_X86_64`: what a seccomp filter is told of a call made in 64-bit mode.
pub const AUDIT_ARCH: u32 = 0xc000_003e;
