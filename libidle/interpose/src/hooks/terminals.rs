//! The functions that make pseudo-terminals: see [`crate::shim::terminals`].

use crate::hooks::{close_dup, fork};
use crate::next;
use crate::shim::terminals::made;
use libc::{c_char, c_int, pid_t, termios, winsize};

/// posix_openpt(3).
pub fn posix_openpt(flags: c_int) -> c_int {
    made();
    next!(posix_openpt: fn(c_int) -> c_int)(flags)
}

/// getpt(3).
pub fn getpt() -> c_int {
    made();
    next!(getpt: fn() -> c_int)()
}

/// openpty(3).
pub fn openpty(
    master: *mut c_int,
    slave: *mut c_int,
    name: *mut c_char,
    modes: *const termios,
    size: *const winsize,
) -> c_int {
    made();
    next!(
        openpty: fn(*mut c_int, *mut c_int, *mut c_char, *const termios, *const winsize) -> c_int
    )(master, slave, name, modes, size)
}

/// forkpty(3): made of hooks, because libc's own fork counts no child before it runs.
///
/// # Safety
/// As for the C function.
pub unsafe fn forkpty(
    master: *mut c_int,
    name: *mut c_char,
    modes: *const termios,
    size: *const winsize,
) -> pid_t {
    let (mut ours, mut theirs) = (-1, -1);
    if openpty(&mut ours, &mut theirs, name, modes, size) < 0 {
        return -1;
    }
    let pid = fork::fork();
    let close = |fd| {
        let _ = close_dup::close(fd);
    };
    match pid {
        -1 => {
            let errno = crate::shim::errno::get();
            close(ours);
            close(theirs);
            crate::shim::errno::set(errno);
        }
        0 => {
            close(ours);
            if next!(login_tty: fn(c_int) -> c_int)(theirs) != 0 {
                // SAFETY: the child has nothing to write.
                unsafe { libc::_exit(1) };
            }
        }
        _ => {
            // SAFETY: where the caller wants the descriptor.
            unsafe { master.write(ours) };
            close(theirs);
        }
    }
    pid
}
