//! What `/proc/TID/status` and `schedstat` say of a thread. See proc(5).

use crate::proc;
use libc::pid_t;
use look::process;

/// The whole `status` file.
struct Status(String);

impl Status {
    fn of(tid: pid_t) -> Status {
        Status(proc::text(&format!("/proc/{tid}/status")))
    }

    /// What stands behind `name`.
    fn field(&self, name: &str) -> &str {
        self.0.lines().find_map(|line| line.strip_prefix(name)).map_or("", str::trim)
    }

    /// The set of signals or capabilities behind `name`.
    fn set(&self, name: &str) -> u64 {
        u64::from_str_radix(self.field(name), 16).unwrap_or(0)
    }
}

/// Numbers in the file, 0 where there is none of that name.
pub fn numbers<const N: usize>(tid: pid_t, names: [&str; N]) -> [u64; N] {
    let status = Status::of(tid);
    names.map(|name| status.field(name).parse().unwrap_or(0))
}

/// Is `signal` in this set?
pub fn in_set(tid: pid_t, name: &str, signal: i32) -> bool {
    Status::of(tid).set(name) >> (signal - 1) & 1 != 0
}

/// Does the thread run, as opposed to sleeping, being stopped or having ended?
pub fn runs_now(tid: pid_t) -> bool {
    let status = Status::of(tid);
    let state = status.field("State:");
    !state.is_empty() && !state.starts_with(['S', 'T', 'Z', 'X'])
}

/// The signals that are pending for the thread or its process.
pub fn pending(tid: pid_t) -> u64 {
    let status = Status::of(tid);
    status.set("SigPnd:") | status.set("ShdPnd:")
}

/// The pending signals that the thread does not block.
pub fn deliverable(tid: pid_t) -> u64 {
    let status = Status::of(tid);
    (status.set("SigPnd:") | status.set("ShdPnd:")) & !status.set("SigBlk:")
}

/// Has the thread `CAP_SYS_TIME` on the machine, and not just in a user namespace of its own?
pub fn may_set_time(tid: pid_t) -> bool {
    const CAP_SYS_TIME: u32 = 25;
    /// The inode of the first user namespace (`PROC_USER_INIT_INO` of the kernel).
    const FIRST: &str = "user:[4026531837]";
    let namespace = std::fs::read_link(format!("/proc/{tid}/ns/user"));
    Status::of(tid).set("CapEff:") >> CAP_SYS_TIME & 1 != 0
        && namespace.is_ok_and(|of| of.as_os_str() == FIRST)
}

/// The number that the thread has in its own PID namespace, if that is not the tracer's.
fn innermost(tid: pid_t) -> Option<pid_t> {
    let status = Status::of(tid);
    status.field("NSpid:").split_ascii_whitespace().skip(1).last()?.parse().ok()
}

/// The thread that thread `tid` knows as `inside`, one of its own process: it may be in a PID
/// namespace below the tracer's.
pub fn from_inside(tid: pid_t, inside: pid_t) -> pid_t {
    if innermost(tid).is_none() {
        return inside;
    }
    let mut found = inside;
    let _ = process::tasks(tid as u32, |task| {
        let is_it = innermost(task as pid_t) == Some(inside);
        if is_it {
            found = task as pid_t;
        }
        !is_it
    });
    found
}

/// Is it the first process of a PID namespace of its own?
pub fn is_first_of_namespace(tid: pid_t) -> bool {
    innermost(tid) == Some(1)
}

/// Has the thread ended, or does another process trace it?
pub fn is_dead_or_traced(tid: pid_t) -> bool {
    let status = Status::of(tid);
    status.field("State:").starts_with(['Z', 'X']) || status.field("TracerPid:") != "0"
}

/// How often the thread has given up the processor by itself.
pub fn voluntary_switches(tid: pid_t) -> u64 {
    numbers(tid, ["voluntary_ctxt_switches:"])[0]
}

/// How often the thread has been put on a processor: its run count.
pub fn run_count(pid: pid_t, tid: pid_t) -> u64 {
    let text = proc::text(&format!("/proc/{pid}/task/{tid}/schedstat"));
    text.split_ascii_whitespace().nth(2).and_then(|count| count.parse().ok()).unwrap_or(0)
}
