//! System V message queues and semaphores, POSIX message queues.
//!
//! A POSIX queue is a descriptor on Linux, so its timed waits are waits for readiness. A System V
//! semaphore can't be waited for together with anything else: semtimedop(2) is ended by a signal at
//! its virtual deadline (`--signal`).

use crate::hooks::descriptors::kernel_waits;
use crate::hooks::poll::poll_for;
use crate::next;
use crate::shim::clock_id::SessionClocks;
use crate::shim::entry::{Cause, Entry, WaitKind, enter};
use crate::shim::errno::outcome;
use crate::shim::polling_wait::{self, Silenced};
use crate::shim::readiness::NO_WAIT;
use crate::shim::session;
use crate::shim::session_signal::{self, HEARD, QUIET, SIGNAL};
use crate::shim::signal_handlers;
use crate::shim::signal_mask;
use crate::shim::user_memory::{self, begins};
use engine::Reason;
use engine::arch::syscall::syscall6;
use libc::{
    IPC_NOWAIT, POLLIN, POLLOUT, c_char, c_int, c_long, c_short, c_uint, c_void, mqd_t, pollfd,
    sembuf, size_t, ssize_t, timespec,
};
use posix::clock::{Clocks, Until};
use posix::errno::Errno;
use posix::time::Span;
use posix::wait::{Call, Restart};
use std::sync::atomic::AtomicI32;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};

kernel_waits! { WaitKind::Queue;
    /// msgrcv(2).
    fn msgrcv(id: c_int, msg: *mut c_void, n: size_t, kind: c_long, flags: c_int) -> ssize_t;
    /// msgsnd(2).
    fn msgsnd(id: c_int, msg: *const c_void, n: size_t, flags: c_int) -> c_int;
    /// semop(2).
    fn semop(id: c_int, ops: *mut sembuf, n: size_t) -> c_int;
    /// mq_send(3).
    fn mq_send(queue: mqd_t, msg: *const c_char, n: size_t, priority: c_uint) -> c_int;
    /// mq_receive(3).
    fn mq_receive(queue: mqd_t, msg: *mut c_char, n: size_t, priority: *mut c_uint) -> ssize_t;
}

/// semtimedop(2).
pub fn semtimedop(
    id: c_int,
    ops: *mut sembuf,
    n: size_t,
    timeout: *const timespec,
) -> Result<c_int, Errno> {
    let real = next!(semtimedop: fn(c_int, *mut sembuf, size_t, *const timespec) -> c_int);
    let Some(entry) = enter().filter(|_| !timeout.is_null()) else {
        let entry = enter();
        let _wait = entry.as_ref().map(|e| e.kernel_wait(WaitKind::Queue));
        return outcome(real(id, ops, n, timeout));
    };
    let arguments = [id as u64, ops as u64, n as u64, timeout as u64, 0, 0];
    let begun = begins(Call::SemTimedOp, arguments)?;
    let until = begun.map_or(Until::After(Span::MAX), |wait| wait.until);
    let deadline = until.deadline(&SessionClocks(&entry.engine))?.ns();
    if none_waits(ops, n) {
        return outcome(real(id, ops, n, timeout));
    }
    const AGAIN: Result<c_int, Errno> = Err(Errno(libc::EAGAIN));
    let call = |time: &timespec| outcome(real(id, ops, n, time));
    if !signal_usable(&entry) {
        return polling_wait::wait_deaf(&entry, WaitKind::Queue, deadline, std::ptr::null(), call);
    }
    // A signal that comes just before the wait is sent again by the keeper, which finds a thread
    // asleep that was promised its end.
    let _bell = Silenced::new(&entry, QUIET);
    let slot = entry.slot();
    loop {
        match call(&NO_WAIT) {
            AGAIN => {}
            Err(Errno(libc::EINTR))
                if slot
                    .thread()
                    .wake_fd
                    .compare_exchange(HEARD, QUIET, SeqCst, Relaxed)
                    .is_ok() =>
            {
                continue;
            }
            done => return done,
        }
        slot.thread().wake_fd.store(SIGNAL, SeqCst);
        // Asked again by who is to move the clock: somebody may have had his say since, and gone to
        // sleep.
        let mut answer = AGAIN;
        let still = || {
            answer = call(&NO_WAIT);
            answer == AGAIN
        };
        let Some(mut wait) = entry.kernel_wait_until(WaitKind::Queue, deadline, still) else {
            return answer;
        };
        while answer == AGAIN {
            answer = call(&wait.timespec());
            // One wait, however many calls: a sender of signals sees that there is something to
            // end.
            if answer == AGAIN && wait.passed() {
                break;
            }
        }
        let reason = wait.end();
        if reason == Reason::TimedOut {
            await_signal(slot.thread().wake_fd);
        }
        let heard = slot.thread().wake_fd.swap(QUIET, SeqCst) == HEARD;
        match answer {
            AGAIN if reason == Reason::TimedOut => return answer,
            Err(Errno(libc::EINTR)) if heard && reason == Reason::TimedOut => return AGAIN,
            AGAIN => {}
            Err(Errno(libc::EINTR)) if heard => {}
            done => return done,
        }
    }
}

/// Does IPC_NOWAIT hold for each operation of the set, so that the call waits for nothing? No for a
/// set that cannot be read.
fn none_waits(ops: *const sembuf, n: size_t) -> bool {
    /// `SEMOPM`, the most that one call may have here; the kernel refuses a larger number.
    const MOST: usize = 500;
    (1..=MOST).contains(&n)
        && (0..n).all(|i| {
            let flags = ops.wrapping_add(i).cast::<c_short>().wrapping_add(2);
            // Memory is made of pages: what holds for the eight bytes around them holds for them.
            let around = (flags as usize & !7) as *const u64;
            // SAFETY: asked just before whether they can be read; they are the third word.
            flags.is_aligned()
                && user_memory::readable(around)
                && unsafe { flags.read() } as c_int & IPC_NOWAIT != 0
        })
}

/// Can the session's signal end a wait of the calling thread?
fn signal_usable(entry: &Entry) -> bool {
    let number = entry.engine.page.header.signal.load(Relaxed) as c_int;
    !session::in_vfork_child()
        && session_signal::installed(number)
        && signal_mask::blocked() & 1 << (number - 1) == 0
}

/// The deadline has come and the signal is on its way: it must not end another call of the
/// program's.
fn await_signal(word: &AtomicI32) {
    /// Who sends it may have died, or may not be allowed to.
    const TRIES: u32 = 100;
    let moment = timespec { tv_sec: 0, tv_nsec: 20_000 };
    for _ in 0..TRIES {
        if word.load(SeqCst) != SIGNAL {
            return;
        }
        // SAFETY: a time of our own.
        unsafe { syscall6(libc::SYS_nanosleep, &raw const moment as usize, 0, 0, 0, 0, 0) };
    }
}

/// Tries `call` with a time-out that is over, and between the tries waits for the queue to be
/// ready, as `means` it.
///
/// # Safety
/// `until` is as for mq_timedsend(3).
unsafe fn queue_until(
    (means, queue): (Call, mqd_t),
    events: c_short,
    until: *const timespec,
    call: impl Fn(*const timespec) -> ssize_t,
) -> Result<ssize_t, Errno> {
    let attempt = |until: *const timespec| {
        let raw = call(until);
        if raw < 0 { Err(Errno(crate::shim::errno::get())) } else { Ok(raw) }
    };
    let Some(entry) = enter() else { return attempt(until) };
    let arguments = [queue as u64, 0, 0, 0, until as u64, 0];
    // It is looked at also where the call need not wait.
    let Some(wait) = begins(means, arguments)? else { return attempt(until) };
    let clocks = SessionClocks(&entry.engine);
    const OVER: timespec = timespec { tv_sec: 0, tv_nsec: 0 };
    loop {
        match attempt(&OVER) {
            Err(Errno::ETIMEDOUT) => {}
            done => return done,
        }
        let cause = Cause::until(WaitKind::Queue, &entry.engine, wait.until);
        let deadline = wait.until.deadline(&clocks)?;
        if deadline <= clocks.now() {
            return Err(Errno::ETIMEDOUT);
        }
        let mut set = pollfd { fd: queue, events, revents: 0 };
        // SAFETY: a set of our own.
        match unsafe { poll_for(&entry, cause, &mut set, 1, deadline.ns(), std::ptr::null()) } {
            // poll(2) is never started again, these calls are.
            Err(Errno::EINTR) if wait.restart == Restart::Flag && signal_handlers::restart() => {}
            waited => _ = waited?,
        }
    }
}

/// mq_timedsend(3).
///
/// # Safety
/// As for the C function.
pub unsafe fn mq_timedsend(
    queue: mqd_t,
    msg: *const c_char,
    n: size_t,
    priority: c_uint,
    until: *const timespec,
) -> Result<c_int, Errno> {
    let real =
        next!(mq_timedsend: fn(mqd_t, *const c_char, size_t, c_uint, *const timespec) -> c_int);
    // SAFETY: the caller's arguments.
    unsafe {
        queue_until((Call::MqTimedSend, queue), POLLOUT, until, |t| {
            real(queue, msg, n, priority, t) as ssize_t
        })
    }
    .map(|v| v as c_int)
}

/// mq_timedreceive(3).
///
/// # Safety
/// As for the C function.
pub unsafe fn mq_timedreceive(
    queue: mqd_t,
    msg: *mut c_char,
    n: size_t,
    priority: *mut c_uint,
    until: *const timespec,
) -> Result<ssize_t, Errno> {
    let real = next!(
        mq_timedreceive: fn(mqd_t, *mut c_char, size_t, *mut c_uint, *const timespec) -> ssize_t
    );
    // SAFETY: the caller's arguments.
    unsafe {
        queue_until((Call::MqTimedReceive, queue), POLLIN, until, |t| {
            real(queue, msg, n, priority, t)
        })
    }
}
