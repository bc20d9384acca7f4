//! The few system calls the engine makes, straight to the kernel: no libc wrapper (it may be
//! hooked) and no `errno`.
//!
//! Results are the kernel's: a negative number is a negated error code.

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

/// What the library's own calls carry in the upper half of a register, see [`gate`]. Under
/// `--trace=all` a filter stops a program's calls by which time is read or waited for, and lets
/// these through.
///
/// NOTE [The gate]. The obvious gate is an instruction: a page at a fixed address holds the only
/// one that makes the library's calls, and the filter looks where a call comes from. It has to be
/// at the same place in every process, for filters are inherited for ever, and each of the
/// library's calls has to go there. A register needs neither: the kernel does not look at that half
/// of it, a filter does, and nobody has this number there by chance. So that nobody has it left
/// over, the last register is cleared after the call; where a signal's handler begins before that,
/// the tracer takes the mark out of it.
pub const GATE: u32 = 0x666c_7578;

/// Which argument of the call has an upper half that the kernel has no use for, if a filter may
/// stop it ([`crate::programs::verdicts::Verdict::traced`]) and the library makes it. The last
/// where there are fewer than six, or that is a number of 32 bits; or the first, where that is a
/// descriptor or a count.
pub const fn gate(nr: i64) -> Option<u8> {
    match nr {
        // nanosleep, interval timers, setsockopt, getsockopt, kill, sysinfo, times, signals, futex,
        // POSIX timers and clocks, ppoll, timer descriptors, pidfd_send_signal, futex_waitv.
        35..=38
        | 54
        | 55
        | 62
        | 99
        | 100
        | 128
        | 129
        | 200
        | 202
        | 222..=228
        | 230
        | 234
        | 271
        | 283
        | 286
        | 287
        | 297 => Some(5),
        424 | 449 => Some(5),
        // pselect6, epoll_pwait, io_uring_enter, epoll_pwait2.
        270 | 281 | 426 | 441 => Some(0),
        _ => None,
    }
}

/// Issues system call `nr` with six arguments.
///
/// # Safety
/// The arguments must be valid for that system call.
#[inline(always)]
pub unsafe fn syscall6(
    nr: i64,
    a: usize,
    b: usize,
    c: usize,
    d: usize,
    e: usize,
    f: usize,
) -> isize {
    let ret: isize;
    const MARK: usize = (GATE as usize) << 32;
    let (a, f) = match gate(nr) {
        Some(0) => (a as u32 as usize | MARK, f),
        Some(_) => (a, f | MARK),
        None => (a, f),
    };
    // SAFETY: the caller vouches for the arguments; the kernel clobbers rcx and r11 only.
    unsafe {
        std::arch::asm!("syscall", "xor r9d, r9d", inlateout("rax") nr as isize => ret, in("rdi") a, in("rsi") b, in("rdx") c,
            in("r10") d, in("r8") e, inlateout("r9") f => _, lateout("rcx") _, lateout("r11") _, options(nostack));
    }
    ret
}

/// A relative time-out for [`futex_wait`]. Its being there matters too: a timed futex wait ends
/// with `EINTR` after any signal handler, an untimed one only after a handler without `SA_RESTART`
/// (see `ERESTART_RESTARTBLOCK`, signal(7)).
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
        let Spec { sec, nsec } = Spec::from_nanos(span.ns());
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

/// Wakes up to `count` waiters of `word`; `private` as they said.
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

/// Makes eventfd `fd` of process `pid` readable. False where it cannot be reached: the keeper has
/// to do it.
pub fn ring(my_pid: u32, pid: u32, fd: i32) -> bool {
    let one = 1u64.to_ne_bytes();
    // SAFETY: `one` outlives the write.
    let write = |fd: i32| unsafe {
        syscall6(nr::WRITE, fd as usize, one.as_ptr() as usize, 8, 0, 0, 0) == 8
    };
    if pid == my_pid { write(fd) } else { with_descriptor(pid, fd, write) }
}

/// Does `body` with a copy of descriptor `fd` of another process, by `pidfd_getfd(2)`; false where
/// that is refused.
pub fn with_descriptor(pid: u32, fd: i32, body: impl FnOnce(i32) -> bool) -> bool {
    // SAFETY: plain descriptor calls.
    unsafe {
        let pidfd = syscall6(nr::PIDFD_OPEN, pid as usize, 0, 0, 0, 0, 0);
        if pidfd < 0 {
            return false;
        }
        let theirs = syscall6(nr::PIDFD_GETFD, pidfd as usize, fd as usize, 0, 0, 0, 0);
        let done = theirs >= 0 && body(theirs as i32);
        if theirs >= 0 {
            syscall6(nr::CLOSE, theirs as usize, 0, 0, 0, 0, 0);
        }
        syscall6(nr::CLOSE, pidfd as usize, 0, 0, 0, 0, 0);
        done
    }
}

/// Is thread `tid` of process `pid` gone, as seen by `tgkill(2)` with signal 0? A thread whose
/// number is gone has woken everybody who joins it; a zombie leader still counts as there.
pub fn thread_gone(pid: u32, tid: u32) -> bool {
    const ESRCH: isize = -3;
    // SAFETY: signal 0 only asks.
    unsafe { syscall6(nr::TGKILL, pid as usize, tid as usize, 0, 0, 0, 0) == ESRCH }
}

/// Passes through the kernel's task lock: what a dying process did before it became a zombie is
/// done when this returns. `kill(2)` of a process group that cannot exist takes that lock.
pub fn task_lock_fence() {
    const UNUSED_GROUP: isize = -0x3fff_fff0;
    // SAFETY: signal 0 to a group that does not exist does nothing.
    unsafe { syscall6(nr::KILL, UNUSED_GROUP as usize, 0, 0, 0, 0, 0) };
}

/// System call numbers of x86-64 Linux that the engine needs.
pub(crate) mod nr {
    pub const READ: i64 = 0;
    pub const WRITE: i64 = 1;
    pub const OPEN: i64 = 2;
    pub const CLOSE: i64 = 3;
    pub const FSTAT: i64 = 5;
    pub const RT_SIGPROCMASK: i64 = 14;
    pub const IOCTL: i64 = 16;
    pub const PREAD64: i64 = 17;
    pub const PWRITE64: i64 = 18;
    pub const SCHED_YIELD: i64 = 24;
    pub const NANOSLEEP: i64 = 35;
    pub const FLOCK: i64 = 73;
    pub const KILL: i64 = 62;
    pub const RT_SIGPENDING: i64 = 127;
    pub const RT_SIGTIMEDWAIT: i64 = 128;
    pub const PRCTL: i64 = 157;
    pub const TKILL: i64 = 200;
    #[cfg(not(loom))]
    pub const FUTEX: i64 = 202;
    pub const GETDENTS64: i64 = 217;
    pub const TGKILL: i64 = 234;
    pub const PPOLL: i64 = 271;
    pub const SET_ROBUST_LIST: i64 = 273;
    pub const TIMERFD_SETTIME: i64 = 286;
    pub const TIMERFD_GETTIME: i64 = 287;
    pub const PRLIMIT64: i64 = 302;
    pub const PIDFD_OPEN: i64 = 434;
    pub const PIDFD_GETFD: i64 = 438;
}

/// A futex for the model. It keeps private and shared waiters apart as the kernel does, and its
/// time-outs never come: a wake-up that is lost shows as a deadlock.
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
