//! wait(2) and its forms: the kernel says when a child has changed.

use crate::next;
use crate::shim::entry::{WaitKind, enter};
use crate::shim::own_children;
use crate::shim::spin_loop;
use libc::{c_int, id_t, idtype_t, pid_t, rusage, siginfo_t};

/// Bodies that collect a child inside a kernel wait.
macro_rules! collects {
    ($(
        $(#[$doc:meta])*
        fn $name:ident($($pid:ident: pid_t,)? | $status:ident | $(, $arg:ident: $t:ty)*);
    )*) => {$(
        $(#[$doc])*
        ///
        /// # Safety
        /// As for the C function.
        #[inline]
        pub unsafe fn $name($($pid: pid_t,)? $status: *mut c_int $(, $arg: $t)*) -> pid_t {
            let real = next!($name: fn($(collects!(pid $pid),)? *mut c_int $(, $t)*) -> pid_t);
            let Some(entry) = enter() else { return real($($pid,)? $status $(, $arg)*) };
            let mut own = 0;
            let status = if $status.is_null() { &raw mut own } else { $status };
            let pid = {
                let _wait = entry.kernel_wait(WaitKind::Child);
                real($($pid,)? status $(, $arg)*)
            };
            // SAFETY: the kernel has just written the status of `pid` there.
            if pid > 0 && own_children::ended(unsafe { status.read_unaligned() }) {
                own_children::collected(&entry.engine, pid);
            }
            pid
        }
    )*};
    (pid $pid:ident) => { pid_t };
}

collects! {
    /// wait(2).
    fn wait(|status|);
    /// waitpid(2).
    fn waitpid(pid: pid_t, |status|, options: c_int);
    /// wait3(2).
    fn wait3(|status|, options: c_int, usage: *mut rusage);
    /// wait4(2).
    fn wait4(pid: pid_t, |status|, options: c_int, usage: *mut rusage);
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
    let real = next!(waitid: fn(idtype_t, id_t, *mut siginfo_t, c_int) -> c_int);
    let entry = enter();
    let done = {
        let _wait = entry.as_ref().map(|e| e.kernel_wait(WaitKind::Child));
        real(kind, id, info, options)
    };
    let (pid, code) = if done == 0 && !info.is_null() {
        // SAFETY: the kernel has just written an `info` that is not null.
        unsafe { ((*info).si_pid(), (*info).si_code) }
    } else {
        (0, 0)
    };
    let ended = matches!(code, libc::CLD_EXITED | libc::CLD_KILLED | libc::CLD_DUMPED);
    if pid > 0 && ended && options & libc::WNOWAIT == 0 {
        entry.iter().for_each(|e| own_children::collected(&e.engine, pid));
    }
    spin_loop::positive(pid as i64);
    done
}
