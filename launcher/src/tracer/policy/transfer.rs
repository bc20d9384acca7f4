//! How far a call of recvmmsg(2) or sendmmsg(2) has come that is made message by message; see
//! [`super::mmsg`].

use crate::tracer::arch::registers::Registers;
use crate::tracer::ptrace::memory::Memory;
use crate::virtual_clock::SessionClocks;
use engine::Engine;
use libc::{c_int, mmsghdr, msghdr, pollfd};
use posix::clock::Clocks;
use posix::errno::Errno;
use posix::time::Instant;
use posix::wait::Left;
use std::mem::offset_of;

/// How far such a call has come, and what it does now.
#[derive(Clone, Copy)]
pub struct Transfer {
    /// Messages that are done.
    pub done: u32,
    /// When the call's own time-out is over.
    pub end: Option<Instant>,
    /// Until when it waits now; `None` before it is known.
    pub until: Option<Instant>,
    /// It waits by poll(2), and this was in the place of the set.
    pub polls: Option<u64>,
}

/// The address of the message that comes after `done` others.
pub fn message(regs: &Registers, done: u32) -> u64 {
    regs.argument(1).wrapping_add(done as u64 * size_of::<mmsghdr>() as u64)
}

/// The address of its length, and of four bytes that nobody uses.
pub fn length(regs: &Registers, done: u32) -> u64 {
    message(regs, done) + offset_of!(mmsghdr, msg_len) as u64
}

const _: () = assert!(size_of::<mmsghdr>() - offset_of!(mmsghdr, msg_len) == size_of::<pollfd>());

/// Is it recvmmsg(2)?
pub fn receives(regs: &Registers) -> bool {
    regs.number() == libc::SYS_recvmmsg
}

impl Transfer {
    /// The call is over: its answer.
    pub fn answer(&self, engine: &Engine, memory: Memory, regs: &Registers) -> i64 {
        let left = self.end.map(|end| end - SessionClocks(engine).now());
        match left.map(|left| Left::Timespec(regs.argument(4)).tell(&memory, left, false)) {
            Some(None) => Errno::EFAULT.answer(),
            _ => self.done as i64,
        }
    }

    /// Is there no other message to come?
    pub fn over(&self, engine: &Engine, memory: Memory, regs: &Registers) -> bool {
        let flags = (offset_of!(mmsghdr, msg_hdr) + offset_of!(msghdr, msg_flags)) as u64;
        let urgent = |flags: u32| flags as c_int & libc::MSG_OOB != 0;
        self.done >= regs.argument(2) as u32
            || self.end.is_some_and(|end| SessionClocks(engine).now() >= end)
            || receives(regs) && memory.read(message(regs, self.done - 1) + flags).is_ok_and(urgent)
    }
}
