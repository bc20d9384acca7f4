//! The numbers of the system calls that the engine makes.

pub(crate) const READ: i64 = 0;
pub(crate) const WRITE: i64 = 1;
pub(crate) const OPEN: i64 = 2;
pub(crate) const CLOSE: i64 = 3;
pub(crate) const FSTAT: i64 = 5;
pub(crate) const LSTAT: i64 = 6;
pub(crate) const RT_SIGPROCMASK: i64 = 14;
pub(crate) const IOCTL: i64 = 16;
pub(crate) const PREAD64: i64 = 17;
pub(crate) const PWRITE64: i64 = 18;
pub(crate) const NANOSLEEP: i64 = 35;
pub(crate) const FCNTL: i64 = 72;
pub(crate) const FLOCK: i64 = 73;
pub(crate) const CLONE: i64 = 56;
pub(crate) const KILL: i64 = 62;
pub(crate) const GETEUID: i64 = 107;
pub(crate) const RT_SIGPENDING: i64 = 127;
pub(crate) const RT_SIGTIMEDWAIT: i64 = 128;
pub(crate) const PRCTL: i64 = 157;
#[cfg(not(loom))]
pub(crate) const FUTEX: i64 = 202;
pub(crate) const GETDENTS64: i64 = 217;
pub(crate) const TGKILL: i64 = 234;
pub(crate) const PPOLL: i64 = 271;
pub(crate) const LINKAT: i64 = 265;
pub(crate) const SET_ROBUST_LIST: i64 = 273;
pub(crate) const TIMERFD_SETTIME: i64 = 286;
pub(crate) const TIMERFD_GETTIME: i64 = 287;
pub(crate) const EVENTFD2: i64 = 290;
pub(crate) const PRLIMIT64: i64 = 302;
pub(crate) const STATX: i64 = 332;
pub(crate) const PIDFD_OPEN: i64 = 434;
pub(crate) const PIDFD_GETFD: i64 = 438;
