//! The few system calls that the engine makes, straight to the kernel: no libc wrapper (it may be
//! hooked) and no `errno`.
//!
//! Results are the kernel's: a negative number is a negated error number.

use crate::arch::numbers as nr;
use crate::arch::syscall::syscall6;
use crate::sync::AtomicU32;
use posix::time::{RealSpan, Spec};

/// `EAGAIN`, `EINTR` and `ETIMEDOUT` as the kernel returns them.
pub const EAGAIN: isize = -11;
/// See [`EAGAIN`].
pub const EINTR: isize = -4;
/// See [`EAGAIN`].
pub const ETIMEDOUT: isize = -110;

const FUTEX_WAIT: usize = 0;
const FUTEX_WAKE: usize = 1;
const FUTEX_PRIVATE_FLAG: usize = 128;

/// A relative time-out for [`futex_wait`]. Its presence matters too: a timed futex wait ends with
/// `EINTR` after any signal handler, an untimed one only after a handler without `SA_RESTART` (see
/// `ERESTART_RESTARTBLOCK`, signal(7)).
#[repr(C)]
pub struct Timespec {
    /// Seconds.
    pub sec: i64,
    /// Nanoseconds, 0 to 999 999 999.
    pub nsec: i64,
}

impl Timespec {
    /// That long.
    pub fn of(span: RealSpan) -> Timespec {
        let Spec { sec, nsec } = Spec::of_ns(span.ns());
        Timespec { sec, nsec }
    }
}

/// Waits while `word` holds `expected`; `timeout` is relative and real. `private`: only threads of
/// this process wake it.
pub fn futex_wait(
    word: &AtomicU32,
    expected: u32,
    timeout: Option<&Timespec>,
    private: bool,
) -> isize {
    #[cfg(loom)]
    {
        let _ = (timeout, FUTEX_WAIT, FUTEX_PRIVATE_FLAG);
        model::wait(word, expected, private)
    }
    #[cfg(not(loom))]
    {
        let ts = timeout.map_or(0, |t| t as *const Timespec as usize);
        let op = FUTEX_WAIT | if private { FUTEX_PRIVATE_FLAG } else { 0 };
        // SAFETY: `word` and the timespec outlive the call.
        unsafe { syscall6(nr::FUTEX, word as *const _ as usize, op, expected as usize, ts, 0, 0) }
    }
}

/// Wakes up to `count` waiters of `word`; `private` as the waiters had it.
pub fn futex_wake(word: &AtomicU32, count: u32, private: bool) -> isize {
    #[cfg(loom)]
    {
        let _ = FUTEX_WAKE;
        model::wake(word, count, private)
    }
    #[cfg(not(loom))]
    {
        let op = FUTEX_WAKE | if private { FUTEX_PRIVATE_FLAG } else { 0 };
        // SAFETY: FUTEX_WAKE only uses the address as a key.
        unsafe { syscall6(nr::FUTEX, word as *const _ as usize, op, count as usize, 0, 0, 0) }
    }
}

/// Calls `body` with a copy of descriptor `fd` of another process, by `pidfd_getfd(2)`; false if
/// the kernel refuses it.
pub fn with_descriptor(pid: u32, fd: i32, body: impl FnOnce(i32) -> bool) -> bool {
    with_reached(pid, fd, || true, body)
}

/// The same for a number from the region: false also if `reached` says that the process is not one
/// to act on. The kernel knows the process before `reached` is asked, and does not mistake a later
/// one of that number for it.
pub fn with_reached(
    pid: u32,
    fd: i32,
    reached: impl FnOnce() -> bool,
    body: impl FnOnce(i32) -> bool,
) -> bool {
    // SAFETY: plain descriptor calls.
    unsafe {
        let pidfd = syscall6(nr::PIDFD_OPEN, pid as usize, 0, 0, 0, 0, 0);
        if pidfd < 0 {
            return false;
        }
        let theirs = match reached() {
            true => syscall6(nr::PIDFD_GETFD, pidfd as usize, fd as usize, 0, 0, 0, 0),
            false => -1,
        };
        let done = theirs >= 0 && body(theirs as i32);
        if theirs >= 0 {
            syscall6(nr::CLOSE, theirs as usize, 0, 0, 0, 0, 0);
        }
        syscall6(nr::CLOSE, pidfd as usize, 0, 0, 0, 0, 0);
        done
    }
}

/// Is thread `tid` of process `pid` gone, by `tgkill(2)` with signal 0? A thread whose number is
/// gone has woken its joiner. A zombie leader still counts as there.
pub fn thread_gone(pid: u32, tid: u32) -> bool {
    const ESRCH: isize = -3;
    // SAFETY: signal 0 only asks.
    unsafe { syscall6(nr::TGKILL, pid as usize, tid as usize, 0, 0, 0, 0) == ESRCH }
}

/// A resource's soft limit (getrlimit(2)) for this process; `None` where the kernel does not tell.
pub fn soft_limit(resource: u32) -> Option<u64> {
    let mut limit = [0u64; 2];
    let at = limit.as_mut_ptr() as usize;
    // SAFETY: an out-parameter of two words.
    let failed = unsafe { syscall6(nr::PRLIMIT64, 0, resource as usize, 0, at, 0, 0) };
    (failed == 0).then_some(limit[0])
}

/// Passes through the kernel's task lock. When this returns, everything that a dying process did
/// before it became a zombie is done. `kill(2)` of a process group that cannot exist takes that
/// lock.
pub fn task_lock_fence() {
    const UNUSED_GROUP: isize = -0x3fff_fff0;
    // SAFETY: signal 0 to a group that does not exist does nothing.
    unsafe { syscall6(nr::KILL, UNUSED_GROUP as usize, 0, 0, 0, 0, 0) };
}

/// A futex for the model. It keeps private and shared waiters apart as the kernel does. Its
/// time-outs never come, so a lost wake-up shows as a deadlock.
#[cfg(loom)]
mod model {
    use crate::sync::{AtomicU32, SeqCst};
    use loom::sync::Mutex;
    use loom::thread::{self, Thread};

    type Key = (usize, bool);

    loom::lazy_static! {
        static ref WAITERS: Mutex<Vec<(Key, Thread)>> = Mutex::new(Vec::new());
    }

    pub fn wait(word: &AtomicU32, expected: u32, private: bool) -> isize {
        let (key, me) = ((word as *const _ as usize, private), thread::current());
        {
            let mut waiters = WAITERS.lock().unwrap();
            if word.load(SeqCst) != expected {
                return super::EAGAIN;
            }
            waiters.push((key, me.clone()));
        }
        loop {
            thread::park();
            if !WAITERS.lock().unwrap().iter().any(|w| w.0 == key && w.1.id() == me.id()) {
                return 0;
            }
        }
    }

    pub fn wake(word: &AtomicU32, count: u32, private: bool) -> isize {
        let key = (word as *const _ as usize, private);
        let mut waiters = WAITERS.lock().unwrap();
        let mut woken = 0;
        while woken < count as isize
            && let Some(at) = waiters.iter().position(|w| w.0 == key)
        {
            waiters.remove(at).1.unpark();
            woken += 1;
        }
        woken
    }
}
