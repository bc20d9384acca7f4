//! recvmmsg(2) and sendmmsg(2) of tracees, where a time-out is involved: the call's own, or the
//! socket's.
//!
//! They go message by message. The call is made for one of them, and when that is done the thread
//! makes it again, which stops again, for the next. So each message has the socket's limit for
//! itself, and the call's time-out, which the kernel only looks at after each message, is compared
//! with the virtual clock.
//!
//! An error that comes after the first message is the next call's, but who receives takes it away.
//! So a later message is waited for by poll(2), whose set is in the place where the length of that
//! message will be.

use crate::tracer::calls::SYSCALL;
use crate::tracer::event_loop::Tracer;
use crate::tracer::policy::sockets::{self, limit_of};
use crate::tracer::policy::verdict::Do;
use crate::tracer::policy::wait::{Call, Wait};
use crate::tracer::ptrace::memory::Memory;
use crate::tracer::ptrace::stop::{Failed, Stopped};
use engine::Engine;
use engine::region::wait_kind::What;
use engine::sys::with_descriptor;
use libc::{c_int, c_long, c_short, mmsghdr, msghdr, pid_t, pollfd, user_regs_struct};
use posix::errno::interrupted;
use posix::time::{NEVER, Spec};
use std::mem::offset_of;

const EAGAIN: i64 = -(libc::EAGAIN as i64);
const EFAULT: i64 = -(libc::EFAULT as i64);

/// How far such a call has come, and what it does now.
#[derive(Clone, Copy)]
pub struct Transfer {
    /// Messages that are done.
    done: u32,
    /// When the call's own time-out is over, absolute virtual ns.
    end: Option<u64>,
    /// Until when it waits now, absolute virtual ns; `None` before it is known.
    until: Option<u64>,
    /// It waits by poll(2), and this was in the place of the set.
    polls: Option<u64>,
}

/// Of the message that comes after `done` others.
fn message(regs: &user_regs_struct, done: u32) -> u64 {
    regs.rsi.wrapping_add(done as u64 * size_of::<mmsghdr>() as u64)
}

/// Its length, and four bytes that nobody uses.
fn length(regs: &user_regs_struct, done: u32) -> u64 {
    message(regs, done) + offset_of!(mmsghdr, msg_len) as u64
}

const _: () = assert!(size_of::<mmsghdr>() - offset_of!(mmsghdr, msg_len) == size_of::<pollfd>());

fn receives(regs: &user_regs_struct) -> bool {
    regs.orig_rax as c_long == libc::SYS_recvmmsg
}

impl Transfer {
    /// The call is over: its answer.
    fn answer(&self, engine: &Engine, memory: Memory, regs: &user_regs_struct) -> i64 {
        let left = self.end.map(|end| Spec::from_nanos(end.saturating_sub(engine.now())));
        match left.map(|left| memory.write(regs.r8, &[left.sec, left.nsec])) {
            Some(Err(_)) => EFAULT,
            _ => self.done as i64,
        }
    }

    /// Is there no other message to come?
    fn over(&self, engine: &Engine, memory: Memory, regs: &user_regs_struct) -> bool {
        let flags = (offset_of!(mmsghdr, msg_hdr) + offset_of!(msghdr, msg_flags)) as u64;
        let urgent = |flags: u32| flags as c_int & libc::MSG_OOB != 0;
        self.done >= regs.rdx as u32
            || self.end.is_some_and(|end| engine.now() >= end)
            || receives(regs) && memory.read(message(regs, self.done - 1) + flags).is_ok_and(urgent)
    }
}

/// What a thread finds that wants one more message.
#[derive(PartialEq, Eq)]
enum Found {
    Message,
    Nothing,
    /// An error, or no socket.
    End,
}

/// Of descriptor `fd` of this process.
fn look(fd: c_int) -> Found {
    let mut set = pollfd { fd, events: libc::POLLIN, revents: 0 };
    // SAFETY: a set of one.
    match unsafe { libc::poll(&mut set, 1, 0) } {
        0 => Found::Nothing,
        _ if set.revents & (libc::POLLERR | libc::POLLNVAL) != 0 => Found::End,
        _ => Found::Message,
    }
}

impl Call<'_> {
    /// What is to be done about recvmmsg(2) or sendmmsg(2) of a thread of `process`.
    pub fn transfer(&self, process: pid_t) -> Do {
        let r = self.regs;
        let (receives, mut flags) = (receives(r), r.r10 as c_int & !libc::MSG_WAITFORONE);
        let timed = receives && r.r8 != 0;
        let timeout = if timed { self.memory.read::<[i64; 2]>(r.r8).ok() } else { None };
        let timeout = timeout.and_then(|[sec, nsec]| Spec { sec, nsec }.nanos());
        if r.rdx as u32 == 0 || timed && timeout.is_none() {
            return Do::Pass;
        }
        let goes_on = self.again.and_then(|wait| wait.transfer);
        let end = || timeout.map(|ns| self.engine.now().saturating_add(ns));
        let mut transfer =
            goes_on.unwrap_or_else(|| Transfer { done: 0, end: end(), until: None, polls: None });
        let option = if receives { libc::SO_RCVTIMEO } else { libc::SO_SNDTIMEO };
        if transfer.done > 0 && r.r10 as c_int & libc::MSG_WAITFORONE != 0 {
            flags |= libc::MSG_DONTWAIT;
        }
        let (mut limit, mut found, mut waits) = (None, Found::End, false);
        with_descriptor(process as u32, r.rdi as i32, |fd| {
            waits = sockets::waits(fd, flags);
            limit = limit_of(fd, option).filter(|_| waits);
            if transfer.done > 0 {
                // One from the queue of errors may be there, and never comes later.
                found = if flags & libc::MSG_ERRQUEUE == 0 { look(fd) } else { Found::Message };
            }
            true
        });
        if goes_on.is_none() && timeout.is_none() && limit.is_none() {
            return Do::Pass;
        }
        let at = length(r, transfer.done);
        transfer.polls = None;
        if receives && transfer.done > 0 && found != Found::Message {
            let before = self.memory.read(at).ok().filter(|_| waits && found == Found::Nothing);
            let set = r.rdi as u32 as u64 | (libc::POLLIN as u64) << 32;
            if before.is_none() || self.memory.write(at, &set).is_err() {
                return Do::Answer(transfer.answer(self.engine, self.memory, r));
            }
            transfer.polls = before;
        }
        let until = transfer
            .until
            .unwrap_or_else(|| limit.map_or(NEVER, |ns| self.engine.now().saturating_add(ns)));
        transfer.until = Some(until);
        // Without a limit no deadline comes.
        let timed_out = if limit.is_some() { EAGAIN } else { 0 };
        let mut wait = self.wait(What::Descriptor, until, timed_out, |r| {
            if transfer.polls.is_some() {
                r.orig_rax = libc::SYS_poll as u64;
                (r.rdi, r.rsi, r.rdx) = (at, 1, u32::MAX as u64);
            } else {
                (r.rsi, r.rdx, r.r10) = (message(r, transfer.done), 1, flags as u32 as u64);
                r.r8 = if receives { 0 } else { r.r8 };
            }
        });
        wait.transfer = Some(transfer);
        Do::Wait(Box::new(wait))
    }
}

impl Wait {
    /// A signal is about to be delivered to a thread with these registers: if it is between two
    /// messages, they become those of a call that is over.
    pub fn ends_between(
        &self,
        engine: &Engine,
        memory: Memory,
        regs: &mut user_regs_struct,
    ) -> bool {
        let between = |transfer: &Transfer| {
            transfer.done > 0 && regs.rip.wrapping_add(SYSCALL) == self.before.rip
        };
        let Some(transfer) = self.transfer.filter(between) else { return false };
        (regs.rax, regs.rip) =
            (transfer.answer(engine, memory, &self.before) as u64, self.before.rip);
        true
    }
}

impl Tracer {
    /// A step of `transfer`, made in `wait`, is done with this answer.
    pub(in crate::tracer) fn step_done(
        &mut self,
        stopped: Stopped,
        mut regs: user_regs_struct,
        (mut wait, mut transfer): (Box<Wait>, Transfer),
        answer: i64,
    ) -> Result<(), Failed> {
        let (tid, engine) = (stopped.tid(), self.engine);
        let memory = Memory(tid);
        let more = match transfer.polls.take() {
            Some(before) => {
                let at = length(&wait.before, transfer.done);
                let set = memory.read::<u64>(at);
                // The kernel has just written there.
                let _ = memory.write(at, &before);
                let failed =
                    |set: u64| (set >> 48) as c_short & (libc::POLLERR | libc::POLLNVAL) != 0;
                answer == 1 && set.is_ok_and(|set| !failed(set))
            }
            None if answer == 1 => {
                transfer.done += 1;
                !transfer.over(&engine, memory, &wait.before)
            }
            None => false,
        };
        // If a signal has, it comes before the next step, and may end the call there.
        let interrupted = interrupted(answer);
        if more || interrupted && transfer.done > 0 {
            (regs.rax, regs.rip) = (regs.orig_rax, regs.rip - SYSCALL);
            transfer.until = transfer.until.filter(|_| !more);
        } else if transfer.done > 0 {
            regs.rax = transfer.answer(&engine, memory, &wait.before) as u64;
        } else {
            regs.rax = answer as u64;
        }
        let again = more || interrupted;
        wait.transfer = Some(transfer);
        self.threads.entry(tid).and_modify(|thread| thread.again = again.then_some(wait));
        stopped.set_registers(&regs)?;
        self.go(stopped, 0)
    }
}
