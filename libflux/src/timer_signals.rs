//! What the signal of a timer says when it is taken: how often the timer has expired besides, up to
//! that very moment.
//!
//! A signal that is pending cannot be changed. So whoever takes it writes the number into what the
//! kernel has told: the calls that wait for signals, a read of a signalfd, and a function of this
//! library that stands before the program's handler, for the signals of its timers alone. What the
//! program sees of its handlers is what it has installed.

use crate::send_signal::Info;
use crate::timer_table;
use interpose::shim::await_sleep;
use interpose::shim::clock_id::SessionClocks;
use interpose::shim::futex_lock::FutexLock;
use interpose::shim::session;
use interpose::shim::session_signal;
use interpose::shim::signal_handlers::next_sigaction;
use libc::{SIG_DFL, SIG_IGN, c_int, c_void, sigaction, sighandler_t, siginfo_t};
use posix::clock::Clocks;
use std::mem::zeroed;
use std::ptr::null;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::atomic::{AtomicU64, AtomicUsize};

/// Signals in which a timer of this process ends, or has ended, by their bits.
static OURS: AtomicU64 = AtomicU64::new(0);
/// The program's handlers for these.
static HANDLERS: [AtomicUsize; 65] = [const { AtomicUsize::new(0) }; 65];
/// Which of them were installed without `SA_SIGINFO`.
static PLAIN: AtomicU64 = AtomicU64::new(0);
/// Held by who changes a handler of these signals.
static LOCK: FutexLock = FutexLock::new();

fn bit(signal: c_int) -> u64 {
    1 << (signal - 1)
}

/// In a forked child: the lock may have been another thread's.
pub fn reset() {
    LOCK.reset();
}

/// Somebody takes a signal of which the kernel has told this.
pub fn taken(info: &mut Info) {
    let number = info.number;
    let Some(expired) = info.take_expired() else { return };
    let Some(engine) = session::own_engine() else {
        return;
    };
    let (_locked, table) = timer_table::table(&engine);
    if let Some(overrun) =
        table.taken(info.timer, number, Some(expired), SessionClocks(&engine).now())
    {
        info.overrun = overrun;
    }
}

/// The same of a `siginfo_t`.
///
/// # Safety
/// It can be written.
pub unsafe fn taken_by(info: *mut siginfo_t) {
    // SAFETY: the same structure; the caller's promise.
    taken(unsafe { &mut *info.cast::<Info>() });
}

/// A read of `fd` has filled `done` bytes at `buf`: if it is a signalfd(2), what it says of timers
/// is made right.
///
/// # Safety
/// The kernel has just written them.
#[cold]
pub unsafe fn read(fd: c_int, buf: *mut c_void, done: usize) {
    const SIZE: usize = size_of::<libc::signalfd_siginfo>();
    if !done.is_multiple_of(SIZE) || !is_signalfd(fd) {
        return;
    }
    let Some(engine) = session::own_engine() else {
        return;
    };
    let (_locked, table) = timer_table::table(&engine);
    for n in 0..done / SIZE {
        // SAFETY: within the bytes, which may lie anywhere.
        unsafe {
            let at = buf.cast::<libc::signalfd_siginfo>().add(n);
            let mut told = at.read_unaligned();
            if told.ssi_code == libc::SI_TIMER
                && let Some(overrun) = table.taken(
                    told.ssi_tid as c_int,
                    told.ssi_signo as c_int,
                    None,
                    SessionClocks(&engine).now(),
                )
            {
                told.ssi_overrun = overrun as u32;
                at.write_unaligned(told);
            }
        }
    }
}

fn is_signalfd(fd: c_int) -> bool {
    let mut text = [0; 128];
    let text = await_sleep::own_file(b"fdinfo/", fd as u32, &mut text);
    text.windows(SIGMASK.len()).any(|part| part == SIGMASK)
}

/// A line of what the kernel tells of a signalfd, and of nothing else (proc_pid_fdinfo(5)).
const SIGMASK: &[u8] = b"\nsigmask:";

/// Stands before the program's handler.
extern "C-unwind" fn deliver(signal: c_int, info: *mut siginfo_t, context: *mut c_void) {
    type Handler = unsafe extern "C-unwind" fn(c_int, *mut siginfo_t, *mut c_void);
    let handler = HANDLERS[signal as usize].load(SeqCst);
    // SAFETY: what the kernel gives to a handler, and the program's handler. One without
    // `SA_SIGINFO` takes the first argument alone, and the kernel, too, passes all three.
    unsafe {
        taken_by(info);
        // A program may have copied the kernel's record of the action to another signal, by a
        // system call in line.
        if handler != 0 {
            std::mem::transmute::<usize, Handler>(handler)(signal, info, context);
        }
    }
}

fn ours() -> sighandler_t {
    deliver as extern "C-unwind" fn(c_int, *mut siginfo_t, *mut c_void) as usize
}

/// Has a timer of this process ever ended in a signal?
#[inline]
pub fn any() -> bool {
    OURS.load(Relaxed) != 0
}

/// Is it a signal whose handler may stand behind ours?
pub fn of_timer(signal: c_int) -> bool {
    (1..=64).contains(&signal) && OURS.load(SeqCst) & bit(signal) != 0
}

/// A timer ends in that signal.
pub fn used(signal: c_int) {
    if (1..=64).contains(&signal) && !of_timer(signal) {
        let _locked = LOCK.lock();
        OURS.fetch_or(bit(signal), SeqCst);
        step_before(signal);
    }
}

/// If the program has a handler, ours stands before it from now on. Under the lock; but a thread
/// that has not yet seen that this is one of our signals may change it meanwhile: then it is done
/// again with what was there, until nobody has.
fn step_before(signal: c_int) {
    // SAFETY: zeroes are valid, and all structures are of this function's own.
    let (mut now, mut before): (sigaction, sigaction) = unsafe { (zeroed(), zeroed()) };
    let failed = next_sigaction(signal, null(), &mut now) != 0;
    if failed || !is_handler(&now) || [ours(), session_signal::ours()].contains(&now.sa_sigaction) {
        return;
    }
    let mut seen = now.sa_sigaction;
    loop {
        let mut new = now;
        if is_handler(&now) {
            HANDLERS[signal as usize].store(now.sa_sigaction, SeqCst);
            let plain = now.sa_flags & libc::SA_SIGINFO == 0;
            _ = if plain {
                PLAIN.fetch_or(bit(signal), SeqCst)
            } else {
                PLAIN.fetch_and(!bit(signal), SeqCst)
            };
            (new.sa_sigaction, new.sa_flags) = (ours(), now.sa_flags | libc::SA_SIGINFO);
        }
        if next_sigaction(signal, &new, &mut before) != 0 || before.sa_sigaction == seen {
            return;
        }
        (seen, now) = (new.sa_sigaction, before);
    }
}

fn is_handler(action: &sigaction) -> bool {
    !matches!(action.sa_sigaction, SIG_DFL | SIG_IGN)
}

/// What the program had installed for a signal of ours.
#[derive(Clone, Copy)]
pub struct Installed {
    handler: sighandler_t,
    plain: bool,
}

impl Installed {
    /// The handler that the program is to see in the place of `seen`.
    pub fn handler(self, seen: sighandler_t) -> sighandler_t {
        if seen == ours() { self.handler } else { seen }
    }

    /// The same for all that is told of an action.
    pub fn show(self, action: &mut sigaction) {
        if action.sa_sigaction == ours() {
            action.sa_sigaction = self.handler;
            if self.plain {
                action.sa_flags &= !libc::SA_SIGINFO;
            }
        }
    }
}

/// `call` changes the action of a signal of ours, or asks for it; with its answer, what was there
/// for ours before. A child that uses its parent's memory has actions of its own, and leaves all as
/// it is.
pub fn change<R>(signal: c_int, call: impl FnOnce() -> R) -> (R, Installed) {
    let own = session::own_engine().is_some();
    let _locked = own.then(|| LOCK.lock());
    let (handler, plain) =
        (HANDLERS[signal as usize].load(Relaxed), PLAIN.load(Relaxed) & bit(signal) != 0);
    let answer = call();
    if own {
        step_before(signal);
    }
    (answer, Installed { handler, plain })
}
