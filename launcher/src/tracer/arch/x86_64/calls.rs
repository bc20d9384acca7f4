//! How a system call is made on x86-64, and calls that libc has no name for.

use libc::c_long;

/// The instruction that makes a system call.
pub const SYSCALL: [u8; 2] = [0x0f, 0x05];
/// Its length.
pub(super) const SYSCALL_LENGTH: u64 = SYSCALL.len() as u64;

/// `AUDIT_ARCH_X86_64`: what a seccomp filter is told of a call made in 64-bit mode.
pub const AUDIT_ARCH: u32 = 0xc000_003e;

/// io_pgetevents(2).
pub const IO_PGETEVENTS: c_long = 333;
/// futex_wait, of Linux 6.7.
pub const FUTEX_WAIT: c_long = 455;
