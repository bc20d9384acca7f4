//! Sockets of traced processes.
//!
//! *Held-back bytes*. Two small writes and a wait for the reply: Nagle's algorithm holds the second
//! until the first is acknowledged, which takes 40 ms of the kernel's own time, and the clock would
//! jump meanwhile. What a tracee sends does not stop. So its TCP sockets have TCP_NODELAY from
//! their making on; those that they accept inherit it (tcp(7)). Who asks is told what the program
//! has set ([`Sockets`]).
//!
//! *Limits*: SO_RCVTIMEO and SO_SNDTIMEO, see socket(7). The kernel keeps to them by the real
//! clock. Virtual time is never behind that in elapsed mode, so the virtual deadline comes first;
//! in frozen mode a call that the kernel has ended too early is made once more. Only the calls of
//! processes that have set such an option stop: with the first one more filter is installed.

use super::call::Call;
use super::exec_setup::Kit;
use super::filter::{self, SOCKET_CALLS};
use super::tracees::Tracees;
use super::wait::Wait;
use crate::tracer::ptrace::failed::Failed;
use crate::tracer::ptrace::memory::Memory;
use crate::tracer::ptrace::wait::Stopped;
use engine::region::wait_kind::WaitKind;
use engine::sys::with_descriptor;
use libc::{c_int, pid_t};
use posix::socket_timeout::{self, Way, limit, timed_out};
use posix::time::Span;
use posix::wait;
use std::collections::HashMap;
use std::os::fd::BorrowedFd;

impl Call<'_> {
    /// The wait that the call of a thread of `process` begins if it is one of [`SOCKET_CALLS`] for
    /// a socket that has a limit.
    pub fn limited(&self, process: pid_t) -> Option<Wait> {
        let (r, fd) = (self.regs, self.regs.argument(0) as c_int);
        let number = r.number();
        let way = match number {
            _ if !SOCKET_CALLS.contains(&number) => return None,
            libc::SYS_write
            | libc::SYS_writev
            | libc::SYS_sendto
            | libc::SYS_sendmsg
            | libc::SYS_connect => Way::Out,
            _ => Way::In,
        };
        let flags = match number {
            libc::SYS_recvfrom | libc::SYS_sendto => r.argument(3),
            libc::SYS_recvmsg | libc::SYS_sendmsg => r.argument(2),
            _ => 0,
        } as c_int;
        let mut limited = None;
        with_descriptor(process as u32, fd, |fd| {
            limited = limit_of(fd, way).filter(|_| waits(fd, way, flags)).map(|limit| {
                let error = timed_out(number == libc::SYS_connect, || is_local(fd));
                wait::Wait::limited(limit, error.answer(), r.arguments())
            });
            true
        });
        self.wait(WaitKind::Descriptor, limited?)
    }
}

/// How long calls wait for socket `fd` of this process; `None` for ever.
pub fn limit_of(fd: c_int, way: Way) -> Option<Span> {
    let [sec, usec] = option_of::<[i64; 2]>(fd, way.option())?;
    limit(sec, usec)
}

/// Does a call with these flags wait for socket `fd` of this process?
pub fn waits(fd: c_int, way: Way, flags: c_int) -> bool {
    // SAFETY: plain numbers.
    socket_timeout::waits(way, flags, || is_local(fd))
        && unsafe { libc::fcntl(fd, libc::F_GETFL) } & libc::O_NONBLOCK == 0
}

fn is_local(fd: c_int) -> bool {
    option_of::<c_int>(fd, libc::SO_DOMAIN) == Some(libc::AF_UNIX)
}

/// An option of socket `fd` of this process.
fn option_of<T: Copy + Default>(fd: c_int, option: c_int) -> Option<T> {
    let (mut value, mut size) = (T::default(), size_of::<T>() as libc::socklen_t);
    // SAFETY: a value of integers, and its size.
    let failed = unsafe {
        libc::getsockopt(fd, libc::SOL_SOCKET, option, (&raw mut value).cast(), &mut size)
    };
    (failed == 0).then_some(value)
}

/// What programs have set TCP_NODELAY to, by the socket's inode, for the sockets on which the
/// tracer has set it. Programs that ask get that value; if there are too many sockets, they get
/// what is really set.
#[derive(Default)]
pub struct Sockets(HashMap<u64, bool>);

impl Sockets {
    const MOST: usize = 100_000;

    /// The kernel shall not hold back bytes that TCP socket `fd` of `process` sends. `asked`: what
    /// the program has set, if it has set anything.
    fn hurry(&mut self, process: pid_t, fd: c_int, asked: Option<bool>) {
        let (on, size): (c_int, _) = (1, size_of::<c_int>() as libc::socklen_t);
        with_descriptor(process as u32, fd, |fd| {
            // SAFETY: an int and its size. What is no TCP socket refuses it.
            let set = unsafe {
                libc::setsockopt(
                    fd,
                    libc::IPPROTO_TCP,
                    libc::TCP_NODELAY,
                    (&raw const on).cast(),
                    size,
                ) == 0
            };
            if self.0.len() >= Self::MOST {
                self.0.clear();
            }
            self.0.extend(inode(fd).filter(|_| set).map(|number| (number, asked.unwrap_or(false))));
            set
        });
    }

    /// What the program has set it to; `None` if that is not known.
    fn asked(&self, process: pid_t, fd: c_int) -> Option<bool> {
        let mut number = None;
        with_descriptor(process as u32, fd, |fd| {
            number = inode(fd);
            true
        });
        self.0.get(&number?).copied()
    }
}

fn inode(fd: c_int) -> Option<u64> {
    // SAFETY: `with_descriptor` keeps it open meanwhile.
    nix::sys::stat::fstat(unsafe { BorrowedFd::borrow_raw(fd) }).ok().map(|stat| stat.st_ino)
}

impl Sockets {
    /// A socket was made, or an option set or asked for on which waits depend.
    pub fn changed(
        &mut self,
        tracees: &mut Tracees,
        kit: &Kit,
        stopped: Stopped,
    ) -> Result<Stopped, Failed> {
        let (process, regs) = (tracees.threads[&stopped.tid()].process, stopped.registers()?);
        let memory = Memory(stopped.tid());
        match regs.number() {
            _ if regs.answer() < 0 => {}
            libc::SYS_socket => self.hurry(process, regs.answer() as c_int, None),
            libc::SYS_getsockopt => {
                let size = memory.read::<libc::socklen_t>(regs.argument(4)).unwrap_or(0) as usize;
                if let Some(asked) = self.asked(process, regs.argument(0) as c_int) {
                    let value = (asked as c_int).to_ne_bytes();
                    // It was written a moment ago.
                    let _ = memory.write_bytes(regs.argument(3), &value[..size.min(value.len())]);
                }
            }
            _ if regs.argument(1) as c_int == libc::IPPROTO_TCP => {
                let asked = memory.read::<u32>(regs.argument(3)) != Ok(0);
                self.hurry(process, regs.argument(0) as c_int, Some(asked));
            }
            _ => return limit_set(tracees, kit, stopped, process),
        }
        Ok(stopped)
    }
}

/// A limit was set: from now on the calls stop that it is for. If the kernel refuses the filter,
/// the limit is in real time. The library asks for limits at each wait.
fn limit_set(
    tracees: &mut Tracees,
    kit: &Kit,
    stopped: Stopped,
    process: pid_t,
) -> Result<Stopped, Failed> {
    let Some(known) = tracees.processes.get_mut(&process) else { return Ok(stopped) };
    if known.sockets_stop || known.library || known.confined {
        return Ok(stopped);
    }
    let (stopped, installed) = kit.stop_more(stopped, filter::of_sockets, &known.filtered)?;
    known.sockets_stop = installed;
    Ok(stopped)
}
