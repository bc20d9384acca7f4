//! What a program of the session does to processes and threads whose numbers stand in the region.
//!
//! Every other program of the session can write there, one of another user too. So this program
//! writes to no descriptor and sends no signal because the region says so, unless it knows better
//! than the region: its own wake fds are those that it has hidden, another process's carry a mark
//! ([`engine::schedule::wake_fd`]). It signals no process but its own. What is refused here the
//! keeper does, who knows which processes are the session's.

use crate::shim::{hidden_fds, inherited_fds, numbers};
use engine::arch::syscall::syscall6;
use engine::region::slot::Slot;
use engine::schedule::reach::Reach;
use engine::schedule::wake_fd;
use engine::sys;
use engine::{Kind, Page};
use libc::c_int;
use std::sync::atomic::AtomicI32;
use std::sync::atomic::Ordering::Relaxed;

/// The signal that this program has a handler of the session's for; 0 if it has none.
static CAUGHT: AtomicI32 = AtomicI32::new(0);

/// This program has a handler for the session's signal now.
pub fn catches(signal: c_int) {
    CAUGHT.store(signal, Relaxed);
}

/// See the module.
pub struct Member;

impl Reach for Member {
    fn ring(&self, pid: u32, fd: i32) -> bool {
        if pid == numbers::process() {
            hidden_fds::is_hidden(fd) && !inherited_fds::is(fd) && wake_fd::ring(fd)
        } else {
            !numbers::nested() && wake_fd::ring_other(pid, fd, || true)
        }
    }

    fn signal(&self, slot: usize, pid: u32, tid: u32) -> bool {
        let number = CAUGHT.load(Relaxed);
        let own = pid == numbers::process() && number != 0;
        // SAFETY: plain numbers; a thread of this process, which has a handler for the signal. If
        // the kernel refuses it, the thread rechecks by itself.
        own && unsafe {
            let (pid, tid) = (numbers::getpid() as usize, numbers::here(slot, tid) as usize);
            syscall6(libc::SYS_tgkill, pid, tid, number as usize, 0, 0, 0) == 0
        }
    }

    /// The descriptor itself tells whether it is that timer's.
    fn may_reach(&self, _: u32) -> bool {
        !numbers::nested()
    }

    /// From a PID namespace below the launcher's the kernel cannot be asked. The keeper gives the
    /// slots of a process back when the kernel says that it is dead.
    fn gone(&self, page: &Page, pid: u32, tid: u32) -> bool {
        if !numbers::nested() {
            return sys::thread_gone(pid, tid);
        }
        let lives = |slot: &Slot| slot.pid.load(Relaxed) == pid;
        let lives = |slot: &Slot| lives(slot) && slot.state.load().kind() != Kind::Timer;
        pid != numbers::process() && !page.slots[..page.high()].iter().any(lives)
    }
}
