//! Tracees as types, and what waitpid(2) reports of them.
//!
//! A [`Running`] tracee can only be interrupted; a [`Stopped`] one can be read, changed and
//! resumed (see [`super::stop`]). Resuming consumes it, and neither can be copied. A `Stopped` is
//! made in this file alone, from a report of waitpid(2) or waitid(2). So a request to a tracee that
//! is not stopped does not compile.

use super::failed::Failed;
use libc::pid_t;
use std::mem::MaybeUninit;
use std::sync::{Mutex, PoisonError};

/// A tracee that runs.
#[derive(Debug)]
pub struct Running(pid_t);

/// A tracee in a ptrace-stop.
#[derive(Debug)]
pub struct Stopped(pid_t);

/// Why a tracee has stopped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// Before a system call that the filter stops.
    Seccomp,
    /// After a system call.
    SyscallExit,
    /// It has made a process or thread, whose number is the event's message.
    Child,
    /// It runs a new program. Its former number is the event's message.
    Exec,
    /// A signal has stopped its whole process.
    GroupStop,
    /// Its first stop, or one that PTRACE_INTERRUPT asked for.
    Interrupted,
    /// A signal is about to be delivered.
    Signal(i32),
}

impl Event {
    /// From a stop's wait status.
    fn of(status: i32) -> Event {
        const SYSCALL: i32 = libc::SIGTRAP | 0x80;
        let signal = libc::WSTOPSIG(status);
        match status >> 16 {
            libc::PTRACE_EVENT_SECCOMP => Event::Seccomp,
            libc::PTRACE_EVENT_FORK | libc::PTRACE_EVENT_VFORK | libc::PTRACE_EVENT_CLONE => {
                Event::Child
            }
            libc::PTRACE_EVENT_EXEC => Event::Exec,
            libc::PTRACE_EVENT_STOP if signal == libc::SIGTRAP => Event::Interrupted,
            libc::PTRACE_EVENT_STOP => Event::GroupStop,
            _ if signal == SYSCALL => Event::SyscallExit,
            _ => Event::Signal(signal),
        }
    }
}

/// What waitpid(2) reports of a child or tracee.
pub enum Report {
    /// It has stopped.
    Stopped(Stopped, Event),
    /// It has ended, and this is its wait status.
    Ended(pid_t, i32),
}

impl Running {
    /// For [`super::stop`]: the thread has been seized, or resumed.
    pub(super) fn new(tid: pid_t) -> Running {
        Running(tid)
    }

    /// Its number.
    pub fn tid(&self) -> pid_t {
        self.0
    }

    /// Waits for the thread's next stop, and for nobody else's. Its end is left for
    /// [`next_report`].
    pub(super) fn next_stop(self, operation: &'static str) -> Result<(Stopped, Event), Failed> {
        let options = libc::WEXITED | libc::WSTOPPED | libc::WNOWAIT;
        let met = wait_for(self.0, options).as_ref().and_then(stop_status);
        // A leader's number goes on with the thread that has executed a program, when that thread
        // has killed the leader.
        if met.is_none_or(|status| status >> 16 == libc::PTRACE_EVENT_EXEC) {
            return Err(Failed::found_dead(self.0, operation));
        }
        // It may be killed right now, and then it is not stopped any more.
        let taken = wait_for(self.0, libc::WSTOPPED | libc::WNOHANG);
        let status = taken.as_ref().and_then(stop_status);
        let status = status.ok_or_else(|| Failed::found_dead(self.0, operation))?;
        Ok((Stopped(self.0), Event::of(status)))
    }
}

impl Stopped {
    /// Its number.
    pub fn tid(&self) -> pid_t {
        self.0
    }
}

/// What one of the tracees has to report, if any has; also of a child of the calling process that
/// is no tracee. With `of_this_thread` only of the children of the calling thread, and of the
/// process's own children that another of its threads traces.
pub fn next_report(of_this_thread: bool) -> nix::Result<Option<Report>> {
    let whose = if of_this_thread { libc::__WNOTHREAD } else { libc::__WALL };
    let mut status = 0;
    // SAFETY: a valid out-parameter.
    match unsafe { libc::waitpid(-1, &mut status, whose | libc::WNOHANG) } {
        0 => Ok(None),
        tid if tid < 0 => Err(nix::errno::Errno::last()),
        tid if libc::WIFSTOPPED(status) => {
            Ok(Some(Report::Stopped(Stopped(tid), Event::of(status))))
        }
        tid => Ok(Some(Report::Ended(tid, status))),
    }
}

/// Reports of stops that the launcher's main thread was given and that are for its keeper; see
/// [`hand_over`].
static HANDED_OVER: Mutex<Vec<(Stopped, Event)>> = Mutex::new(Vec::new());

/// Gives the report of a stop to [`look_for_stop`] of another thread of this process. The kernel
/// gives it to whichever thread asks first, if the tracee is also a child of this process.
pub fn hand_over(stopped: Stopped, event: Event) {
    HANDED_OVER.lock().unwrap_or_else(PoisonError::into_inner).push((stopped, event));
}

/// The report of a stop of child `tid` that nobody has taken is of no use: the child has ended.
pub fn drop_handed_over(tid: pid_t) {
    take_handed_over(tid);
}

fn take_handed_over(tid: pid_t) -> Option<(Stopped, Event)> {
    let mut reports = HANDED_OVER.lock().unwrap_or_else(PoisonError::into_inner);
    let at = reports.iter().position(|(stopped, _)| stopped.0 == tid)?;
    Some(reports.swap_remove(at))
}

/// What [`look_for_stop`] finds.
pub enum Found {
    /// Neither a stop nor an end, so far.
    Nothing,
    /// The thread has stopped.
    Stopped(Stopped, Event),
    /// The thread has ended. Nobody has collected it.
    Ended,
}

/// Has the tracee of the calling thread stopped? Does not wait.
pub fn look_for_stop(running: &Running) -> Found {
    let tid = running.0;
    if let Some((stopped, event)) = take_handed_over(tid) {
        return Found::Stopped(stopped, event);
    }
    let options = libc::WNOHANG | libc::__WNOTHREAD;
    match wait_for(tid, options | libc::WEXITED | libc::WSTOPPED | libc::WNOWAIT) {
        None => return Found::Ended,
        Some(met) if is_end(&met) => return Found::Ended,
        Some(_) => {}
    }
    match wait_for(tid, options | libc::WSTOPPED).as_ref().and_then(stop_status) {
        Some(status) => Found::Stopped(Stopped(tid), Event::of(status)),
        None => Found::Nothing,
    }
}

/// Collects the tracee of the calling thread if it has ended; is nothing left of it?
pub fn collect(ended: &Running) -> bool {
    let flags = libc::__WALL | libc::__WNOTHREAD | libc::WNOHANG;
    // SAFETY: plain numbers, and no status.
    unsafe { libc::waitpid(ended.0, std::ptr::null_mut(), flags) != 0 }
}

/// What waitid(2) answers for thread `tid`, zeroed where it has nothing to tell; `None` if there is
/// no such thread.
fn wait_for(tid: pid_t, options: i32) -> Option<libc::siginfo_t> {
    let mut info = MaybeUninit::<libc::siginfo_t>::zeroed();
    loop {
        // SAFETY: a valid out-parameter.
        let waited = unsafe {
            libc::waitid(libc::P_PID, tid as libc::id_t, info.as_mut_ptr(), options | libc::__WALL)
        };
        if waited == 0 {
            // SAFETY: zeroed or filled by the call.
            return Some(unsafe { info.assume_init() });
        }
        if std::io::Error::last_os_error().raw_os_error() != Some(libc::EINTR) {
            return None;
        }
    }
}

/// The status of a stop, as waitpid(2) has it; `None` if it is none.
fn stop_status(info: &libc::siginfo_t) -> Option<i32> {
    // SAFETY: of SIGCHLD, or zero.
    let reason = unsafe { info.si_status() };
    matches!(info.si_code, libc::CLD_TRAPPED | libc::CLD_STOPPED).then_some(reason << 8 | 0x7f)
}

fn is_end(info: &libc::siginfo_t) -> bool {
    matches!(info.si_code, libc::CLD_EXITED | libc::CLD_KILLED | libc::CLD_DUMPED)
}

/// Is the thread a tracee, or a child, of this process? No more if it has been killed, and
/// waitpid(2) has told of it.
pub fn is_tracee(tid: pid_t) -> bool {
    wait_for(tid, libc::WEXITED | libc::WSTOPPED | libc::WNOHANG | libc::WNOWAIT).is_some()
}
