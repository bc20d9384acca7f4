//! wait(2) and its forms: the kernel says when a child has changed.

use crate::hooks::descriptors::kernel_waits;
use crate::shim::entry::WaitKind;
use crate::shim::spin_loop;
use libc::{c_int, id_t, idtype_t, pid_t, rusage, siginfo_t};

kernel_waits! { WaitKind::Child;
    /// wait(2).
    fn wait(status: *mut c_int) -> pid_t;
    /// waitpid(2).
    fn waitpid(pid: pid_t, status: *mut c_int, options: c_int) -> pid_t;
    /// wait3(2).
    fn wait3(status: *mut c_int, options: c_int, usage: *mut rusage) -> pid_t;
    /// wait4(2).
    fn wait4(pid: pid_t, status: *mut c_int, options: c_int, usage: *mut rusage) -> pid_t;
    /// The real waitid(2) in a wait.
    fn waitid(kind: idtype_t, id: id_t, info: *mut siginfo_t, options: c_int) -> c_int;
}

/// waitid(2): with WNOHANG it has found no child when it answers 0 and a process id of 0.
///
/// # Safety
/// As for the C function.
pub unsafe fn waitid_asking(
    kind: idtype_t,
    id: id_t,
    info: *mut siginfo_t,
    options: c_int,
) -> c_int {
    // SAFETY: the kernel has just written an `info` that is not null.
    let (done, pid) = unsafe {
        let done = waitid(kind, id, info, options);
        (done, if done == 0 && !info.is_null() { (*info).si_pid() } else { 0 })
    };
    spin_loop::positive(pid as i64);
    done
}
