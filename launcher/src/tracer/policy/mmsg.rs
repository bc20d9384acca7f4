//! recvmmsg(2) and sendmmsg(2) of tracees, where a time-out is involved: the call's own, or the
//! socket's.
//!
//! The tracer makes such a call message by message. The thread makes the call for one message. When
//! that is done it makes the call again for the next one, and the call stops again. So each message
//! has the socket's limit for itself. The kernel looks at the call's time-out only after each
//! message; the tracer does so too, by the virtual clock.
//!
//! An error that comes after the first message belongs to the program's next call, but a receive
//! would take it away. So the thread waits for a later message by poll(2). The set stands where the
//! length of that message will be.

use super::call::{Call, Do};
use super::sockets::{self, limit_of};
use super::tracees::Tracees;
use super::transfer::{Transfer, length, message, receives};
use super::wait::Wait;
use crate::tracer::arch::registers::Registers;
use crate::tracer::ptrace::failed::Failed;
use crate::tracer::ptrace::memory::Memory;
use crate::tracer::ptrace::wait::Stopped;
use crate::virtual_clock::SessionClocks;
use engine::Engine;
use engine::region::wait_kind::WaitKind;
use engine::sys::with_descriptor;
use libc::{c_int, c_short, pid_t, pollfd};
use posix::clock::Clocks;
use posix::errno::interrupted;
use posix::socket_timeout::Way;
use posix::time::{Instant, Span};
use posix::wait::{self, Call as Named};

const EAGAIN: i64 = -(libc::EAGAIN as i64);

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
        let [socket, _, count, all_flags, ..] = r.arguments();
        let receives = receives(r);
        let mut flags = all_flags as c_int & !libc::MSG_WAITFORONE;
        let timed = match receives {
            true => wait::begins(Named::Recvmmsg, r.arguments(), &self.memory),
            false => Ok(None),
        };
        let Some(timed) = timed.ok().filter(|_| count as u32 != 0) else { return Do::Pass };
        let clocks = SessionClocks(self.engine);
        let goes_on = self.again.and_then(|wait| wait.transfer);
        let end = || timed.and_then(|timed| timed.until.deadline(&clocks).ok());
        let mut transfer =
            goes_on.unwrap_or_else(|| Transfer { done: 0, end: end(), until: None, polls: None });
        let way = if receives { Way::In } else { Way::Out };
        if transfer.done > 0 && all_flags as c_int & libc::MSG_WAITFORONE != 0 {
            flags |= libc::MSG_DONTWAIT;
        }
        let (mut limit, mut found, mut waits) = (None, Found::End, false);
        with_descriptor(process as u32, socket as i32, |fd| {
            waits = sockets::waits(fd, way, flags);
            limit = limit_of(fd, way).filter(|_| waits);
            if transfer.done > 0 {
                // One from the queue of errors may be there, and never comes later.
                found = if flags & libc::MSG_ERRQUEUE == 0 { look(fd) } else { Found::Message };
            }
            true
        });
        if goes_on.is_none() && timed.is_none() && limit.is_none() {
            return Do::Pass;
        }
        let at = length(r, transfer.done);
        transfer.polls = None;
        if receives && transfer.done > 0 && found != Found::Message {
            let before = self.memory.read(at).ok().filter(|_| waits && found == Found::Nothing);
            let set = socket as u32 as u64 | (libc::POLLIN as u64) << 32;
            if before.is_none() || self.memory.write(at, &set).is_err() {
                return Do::Answer(transfer.answer(self.engine, self.memory, r));
            }
            transfer.polls = before;
        }
        let within = |limit| clocks.now().after(limit);
        let until = transfer.until.unwrap_or_else(|| limit.map_or(Instant::NEVER, within));
        transfer.until = Some(until);
        // Without a limit no deadline comes.
        let timed_out = if limit.is_some() { EAGAIN } else { 0 };
        let means = wait::Wait::limited(limit.unwrap_or(Span::MAX), timed_out, r.arguments());
        let Some(mut wait) = self.wait(WaitKind::Descriptor, means) else { return Do::Pass };
        wait.deadline = until.ns();
        let r = &mut wait.during;
        if transfer.polls.is_some() {
            r.set_number(libc::SYS_poll);
            r.set_arguments([at, 1, u32::MAX as u64, 0, 0, 0]);
        } else {
            let timeout = if receives { 0 } else { r.argument(4) };
            let (message, flags) = (message(r, transfer.done), flags as u32 as u64);
            r.set_arguments([socket, message, 1, flags, timeout, r.argument(5)]);
        }
        wait.transfer = Some(transfer);
        Do::Wait(Box::new(wait))
    }
}

impl Wait {
    /// A signal is about to be delivered to a thread with these registers: if it is between two
    /// messages, they become those of a call that is over.
    pub fn ends_between(&self, engine: &Engine, memory: Memory, regs: &mut Registers) -> bool {
        let between = |transfer: &Transfer| transfer.done > 0 && regs.makes_again(&self.before);
        let Some(transfer) = self.transfer.filter(between) else { return false };
        regs.end_call(&self.before, transfer.answer(engine, memory, &self.before));
        true
    }
}

/// A step of `transfer`, made in `wait`, is done with this answer.
pub fn step_done(
    tracees: &mut Tracees,
    stopped: Stopped,
    mut regs: Registers,
    (mut wait, mut transfer): (Box<Wait>, Transfer),
    answer: i64,
) -> Result<(), Failed> {
    let (tid, engine) = (stopped.tid(), tracees.engine);
    let memory = Memory(tid);
    let more = match transfer.polls.take() {
        Some(before) => {
            let at = length(&wait.before, transfer.done);
            let set = memory.read::<u64>(at);
            // The kernel has just written there.
            let _ = memory.write(at, &before);
            let failed = |set: u64| (set >> 48) as c_short & (libc::POLLERR | libc::POLLNVAL) != 0;
            answer == 1 && set.is_ok_and(|set| !failed(set))
        }
        None if answer == 1 => {
            transfer.done += 1;
            !transfer.over(&engine, memory, &wait.before)
        }
        None => false,
    };
    // A signal that has interrupted it comes before the next step, and may end the call there.
    let interrupted = interrupted(answer);
    if more || interrupted && transfer.done > 0 {
        regs.make_call_again();
        transfer.until = transfer.until.filter(|_| !more);
    } else if transfer.done > 0 {
        regs.set_answer(transfer.answer(&engine, memory, &wait.before));
    } else {
        regs.set_answer(answer);
    }
    let again = more || interrupted;
    wait.transfer = Some(transfer);
    tracees.threads.entry(tid).and_modify(|thread| thread.again = again.then_some(wait));
    stopped.set_registers(&regs)?;
    tracees.go(stopped, 0)
}
