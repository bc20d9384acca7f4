//! A program that gives up system calls (seccomp(2)) would be killed for those that this library
//! makes to look at files. So from then on nothing is noted any more, and what the program writes
//! has its real times.

use super::record::look_at_written;
use interpose::next;
use interpose::shim::session;
use interpose::shim::written_files;
use libc::{PR_SET_SECCOMP, c_int, c_long};

/// The calling thread is about to confine itself.
fn begins() {
    look_at_written();
    // The memory is the parent's in a child of vfork(2).
    if !session::in_vfork_child() {
        written_files::end();
    }
}

/// prctl(2). Four arguments are read whether or not they were passed.
pub fn prctl(option: c_int, a: usize, b: usize, c: usize, d: usize) -> c_int {
    if option == PR_SET_SECCOMP {
        begins();
    }
    next!(prctl: fn(c_int, usize, usize, usize, usize) -> c_int)(option, a, b, c, d)
}

/// A system call by number is about to be made, which may do the same.
#[inline]
pub fn about_to_call(number: c_long, option: usize) {
    let confines = match number {
        libc::SYS_prctl => option == PR_SET_SECCOMP as usize,
        libc::SYS_seccomp => option <= libc::SECCOMP_SET_MODE_FILTER as usize,
        _ => false,
    };
    if confines {
        begins();
    }
}
