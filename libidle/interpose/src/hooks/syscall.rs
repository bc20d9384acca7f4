//! syscall(2): the calls that have a hook of their own go there. Those on which time has a part are
//! libflux.so's business.

use crate::hooks::{SyscallArgs, close_dup, credentials, fork, futex, mappings, signals};
use crate::next;
use crate::shim::errno::Answer;
use crate::shim::library::library;
use crate::shim::own_block;
use crate::shim::tls::tls;
use crate::shim::user_memory;
use crate::shim::vdso;
use libc::{c_int, c_long};

/// The calls of which both libraries need to know, and which time has no part in; others are made
/// as they are.
///
/// # Safety
/// As for syscall(2).
pub unsafe fn timeless(number: c_long, args: SyscallArgs) -> c_long {
    let [a, b, c, d, e, f] = args;
    let real = next!(syscall: fn(c_long, usize, usize, usize, usize, usize, usize) -> c_long);
    // SAFETY: each call has the system call's arguments, in its order.
    unsafe {
        match number {
            libc::SYS_futex => match futex::futex(args) {
                Some(done) => done.answer(),
                None => real(number, a, b, c, d, e, f),
            },
            libc::SYS_fork | libc::SYS_clone | libc::SYS_clone3 if forks(number, args) => {
                // It may be asked for a child in another user namespace, and that is rare.
                if number != libc::SYS_fork {
                    library().keep_session();
                }
                let block = |e: usize| match a as c_int & libc::CLONE_SETTLS {
                    0 => e,
                    _ if number != libc::SYS_clone || own_block::is_one(e as *mut _) => e,
                    // The child goes on here, and so in hooks.
                    _ => own_block::copy(tls().slot.get()) as usize,
                };
                fork::around(|| real(number, a, b, c, d, block(e), f) as libc::pid_t) as c_long
            }
            libc::SYS_exit => {
                credentials::thread_ends();
                real(number, a, b, c, d, e, f)
            }
            libc::SYS_setuid
            | libc::SYS_setreuid
            | libc::SYS_setresuid
            | libc::SYS_setgid
            | libc::SYS_setregid
            | libc::SYS_setresgid
            | libc::SYS_setgroups
            | libc::SYS_unshare
            | libc::SYS_setns
            | libc::SYS_chroot => credentials::alone(|| real(number, a, b, c, d, e, f)),
            libc::SYS_close_range => {
                close_dup::close_range(a as u32, b as u32, c as c_int).answer() as c_long
            }
            libc::SYS_tgkill => signals::tgkill(a as i32, b as i32, c as c_int) as c_long,
            libc::SYS_kill => signals::kill(a as i32, b as c_int) as c_long,
            libc::SYS_pidfd_send_signal => {
                signals::pidfd_send_signal(a as c_int, b as c_int, c as *mut _, d as u32) as c_long
            }
            libc::SYS_munmap => mappings::munmap(a as *mut _, b) as c_long,
            libc::SYS_mremap => {
                vdso::goes(a, b);
                real(number, a, b, c, d, e, f)
            }
            _ => real(number, a, b, c, d, e, f),
        }
    }
}

/// Does the call make a process with memory and stack of its own? It goes on in a copy of this very
/// frame then.
///
/// # Safety
/// As for syscall(2).
unsafe fn forks(number: c_long, args: SyscallArgs) -> bool {
    let (flags, stack) = match number {
        libc::SYS_clone => (args[0], args[1]),
        libc::SYS_clone3 => {
            let given = args[0] as *const u64;
            if args[1] < 64 || !user_memory::readable(given as *const [u64; 8]) {
                return false;
            }
            // SAFETY: asked above: a `struct clone_args` of 64 bytes, flags first, stack sixth.
            unsafe { (*given as usize, *given.add(5) as usize) }
        }
        _ => (0, 0),
    };
    // Of clone3 the block stands in memory.
    let blocks = if number == libc::SYS_clone { 0 } else { libc::CLONE_SETTLS };
    stack == 0 && flags & (libc::CLONE_VM | blocks) as usize == 0
}
