//! Why a request to a tracee failed.

use libc::pid_t;
use std::fmt;
use std::io;

/// A request that failed: which, of whom, and why.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Failed {
    tid: pid_t,
    operation: &'static str,
    errno: i32,
}

impl Failed {
    /// `operation` on thread `tid` failed with `error`.
    pub fn new(tid: pid_t, operation: &'static str, error: &io::Error) -> Failed {
        Failed { tid, operation, errno: error.raw_os_error().unwrap_or(0) }
    }

    /// Thread `tid` was found dead where it should have stopped.
    pub fn found_dead(tid: pid_t, operation: &'static str) -> Failed {
        Failed { tid, operation, errno: libc::ESRCH }
    }

    /// Has the tracee been killed? waitpid(2) will report its end.
    ///
    /// ptrace(2) answers ESRCH for three reasons: there is no such thread, it is not our tracee, or
    /// it is not stopped. The types [`super::wait::Running`] and [`super::wait::Stopped`] rule out
    /// the last two. `/proc` answers ESRCH or ENOENT for the first one.
    pub fn died(&self) -> bool {
        matches!(self.errno, libc::ESRCH | libc::ENOENT)
    }

    /// Has the kernel refused to let this process trace the thread?
    pub fn refused(&self) -> bool {
        self.errno == libc::EPERM
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let error = io::Error::from_raw_os_error(self.errno);
        write!(f, "{} of thread {}: {error}", self.operation, self.tid)
    }
}
