//! wait(2) and its forms: the kernel says when a child has changed.

use super::descriptors::kernel_waits;
use crate::enter::What;
use libc::{c_int, id_t, idtype_t, pid_t, rusage, siginfo_t};

kernel_waits! { What::Child;
    /// wait(2).
    fn wait(status: *mut c_int) -> pid_t;
    /// waitpid(2).
    fn waitpid(pid: pid_t, status: *mut c_int, options: c_int) -> pid_t;
    /// wait3(2).
    fn wait3(status: *mut c_int, options: c_int, usage: *mut rusage) -> pid_t;
    /// wait4(2).
    fn wait4(pid: pid_t, status: *mut c_int, options: c_int, usage: *mut rusage) -> pid_t;
    /// waitid(2).
    fn waitid(kind: idtype_t, id: id_t, info: *mut siginfo_t, options: c_int) -> c_int;
}
