//! SO_RCVTIMEO and SO_SNDTIMEO of sockets of traced processes, see socket(7).
//!
//! The kernel keeps to them by the real clock. Virtual time is never behind that in elapsed mode, so the virtual deadline comes first;
//! in frozen mode a call that the kernel has ended too early is made once more. Only the calls of processes that have set such an
//! option stop: with the first one more filter is installed.

use super::filter;
use super::run::Tracer;
use super::stop::{Failed, Stopped};
use super::waits::{Call, Wait};
use engine::sys::with_descriptor;
use engine::time::{NEVER, timeval};
use engine::what::What;
use libc::{c_int, c_long, pid_t};

/// The calls that such an option limits.
pub const CALLS: [c_long; 11] = [
    libc::SYS_read,
    libc::SYS_readv,
    libc::SYS_recvfrom,
    libc::SYS_recvmsg,
    libc::SYS_accept,
    libc::SYS_accept4,
    libc::SYS_write,
    libc::SYS_writev,
    libc::SYS_sendto,
    libc::SYS_sendmsg,
    libc::SYS_connect,
];

impl Call<'_> {
    /// The wait that the call of a thread of `process` begins if it is one of [`CALLS`] for a socket that has a limit.
    pub fn limited(&self, process: pid_t) -> Option<Wait> {
        let (r, fd) = (self.regs, self.regs.rdi as c_int);
        let number = r.orig_rax as c_long;
        let option = match number {
            _ if !CALLS.contains(&number) => return None,
            libc::SYS_write | libc::SYS_writev | libc::SYS_sendto | libc::SYS_sendmsg | libc::SYS_connect => {
                libc::SO_SNDTIMEO
            }
            _ => libc::SO_RCVTIMEO,
        };
        let flags = match number {
            libc::SYS_recvfrom | libc::SYS_sendto => r.r10,
            libc::SYS_recvmsg | libc::SYS_sendmsg => r.rdx,
            _ => 0,
        };
        // Neither waits.
        if flags as c_int & (libc::MSG_DONTWAIT | libc::MSG_ERRQUEUE) != 0 {
            return None;
        }
        let (mut limit, mut error) = (None, libc::EAGAIN);
        with_descriptor(process as u32, fd, |fd| {
            limit = limit_of(fd, option);
            if number == libc::SYS_connect && option_of::<c_int>(fd, libc::SO_DOMAIN) != Some(libc::AF_UNIX) {
                error = libc::EINPROGRESS;
            }
            true
        });
        limit.map(|ns| self.wait(What::Descriptor, self.after(ns), -(error as i64), |_| {}))
    }
}

/// How long a call for socket `fd` of this process waits at most, ns; `None` for ever, or not at all.
fn limit_of(fd: c_int, option: c_int) -> Option<u64> {
    let [sec, usec] = option_of::<[i64; 2]>(fd, option)?;
    // SAFETY: plain numbers.
    let waits = unsafe { libc::fcntl(fd, libc::F_GETFL) } & libc::O_NONBLOCK == 0;
    timeval(sec, usec).filter(|&ns| waits && (1..NEVER).contains(&ns))
}

/// An option of socket `fd` of this process.
fn option_of<T: Copy + Default>(fd: c_int, option: c_int) -> Option<T> {
    let (mut value, mut size) = (T::default(), size_of::<T>() as libc::socklen_t);
    // SAFETY: a value of integers, and its size.
    let failed = unsafe { libc::getsockopt(fd, libc::SOL_SOCKET, option, (&raw mut value).cast(), &mut size) };
    (failed == 0).then_some(value)
}

impl Tracer {
    /// A limit was set: from now on the calls stop that it is for. Where that cannot be, it is real.
    pub(super) fn limit_set(&mut self, stopped: Stopped) -> Result<Stopped, Failed> {
        let process = self.threads[&stopped.tid()].process;
        let Some(known) = self.processes.get_mut(&process) else { return Ok(stopped) };
        if known.sockets_stop || stopped.registers()?.rax != 0 {
            return Ok(stopped);
        }
        let (stopped, installed) = self.kit.stop_more(stopped, filter::of_sockets, &known.filtered)?;
        known.sockets_stop = installed;
        Ok(stopped)
    }
}
