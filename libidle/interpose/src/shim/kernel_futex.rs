//! Waiting on a futex word that others wake through the kernel: process-shared semaphores and
//! conditions, mutexes' lock words, shared futexes. A kernel wait, ended from our side through the
//! slot's own word: futex_waitv(2) sleeps on both (Linux 5.16). Where the kernel has no such call,
//! or a filter of the program's or its container's refuses it, the wait is a polling wait on the
//! word that others wake.

use crate::patience::SLICE;
use crate::shim::entry::{Cause, Entry, WaitKind};
use crate::shim::polling_wait;
use crate::shim::readiness::NO_WAIT;
use crate::shim::signal_handlers;
use crate::shim::signal_mask::Masked;
use crate::shim::vdso;
use engine::arch::syscall::syscall6;
use engine::region::slot::Slot;
use engine::sys::{self, Timespec};
use engine::{Kind, Reason};
use posix::time::{NEVER, Spec};
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::atomic::{AtomicBool, AtomicU32};

/// futex_waitv(2) was refused in this process.
static REFUSED: AtomicBool = AtomicBool::new(false);

const FUTEX_32: u32 = 2;
const FUTEX_PRIVATE: u32 = 128;

#[repr(C)]
struct Waitv {
    value: u64,
    address: u64,
    flags: u32,
    reserved: u32,
}

/// What futex_waitv(2) answers when its second word was woken, the slot's own. If that is as it
/// was, the wake-up was meant for an earlier wait: whoever promises a wait its end does so first
/// and wakes the thread when he gets to it.
const OWN: isize = 1;

/// Waits while `word` holds `expected`, at most until the virtual instant `deadline`. `Woken` is as
/// spurious as the kernel is for those who wait on `word` alone. Cancellation is reported, not
/// acted on; `cancels` as in [`crate::shim::wait_queue::Place::wait`].
pub fn wait(
    entry: &Entry,
    cause: impl Into<Cause>,
    word: &AtomicU32,
    expected: u32,
    private: bool,
    deadline: u64,
    cancels: Option<u32>,
) -> Reason {
    let cause = cause.into();
    let refused = REFUSED.load(Relaxed);
    let reason = try_to(entry, cause, word, expected, private, deadline, cancels);
    if !refused && reason == Reason::Woken && REFUSED.load(Relaxed) {
        // No other wait of this thread's comes to know. As spurious as any: the word says whether
        // there is something to wait for.
        return try_to(entry, cause, word, expected, private, deadline, cancels);
    }
    reason
}

/// The wait, by the calls that this process may make as far as it knows.
fn try_to(
    entry: &Entry,
    cause: Cause,
    word: &AtomicU32,
    expected: u32,
    private: bool,
    deadline: u64,
    cancels: Option<u32>,
) -> Reason {
    let (slot, what) = (entry.slot(), cause.what());
    let refused = REFUSED.load(Relaxed);
    let timed = deadline != NEVER;
    let interruptible = timed && matches!(what, WaitKind::Sem | WaitKind::Futex);
    let sliced = (interruptible && restarts() || timed && refused).then(Masked::but_cancellation);
    let cause = if sliced.is_some() { cause.rechecking() } else { cause };
    let _silent = Silent::new(slot);
    let guard = if deadline == NEVER {
        Some(entry.kernel_wait(what))
    } else {
        entry.kernel_wait_until(cause, deadline, || word.load(SeqCst) == expected)
    };
    match guard {
        None => Reason::TimedOut,
        Some(mut guard) => {
            let state = slot.state.load();
            let mut raw = 0;
            if cancels.is_some_and(|seen| seen != entry.cancels()) {
                entry.engine.cancel_kernel_wait(entry.me, state);
            } else if state.kind() == Kind::Kernel {
                raw = loop {
                    let raw = match &sliced {
                        Some(masked) => in_slice(word, expected, private, masked),
                        // Nothing but cancellation ends it from our side.
                        None if refused => {
                            let slice = cancels.map(|_| Timespec::of(SLICE));
                            sys::futex_wait(word, expected, slice.as_ref(), private)
                        }
                        None => {
                            waitv(word, expected, private, &slot.state.0, state.0, guard.left())
                        }
                    };
                    let goes_on = match raw {
                        sys::ETIMEDOUT if !timed => slot.state.load() == state,
                        sys::ETIMEDOUT => !guard.passed(),
                        OWN => slot.state.load() == state,
                        // As in glibc a handler does not end it.
                        sys::EINTR => what == WaitKind::Cond,
                        _ => false,
                    };
                    if !goes_on {
                        if raw == -(libc::ENOSYS as isize) || raw == -(libc::EPERM as isize) {
                            REFUSED.store(true, Relaxed);
                        }
                        break raw;
                    }
                };
            }
            match guard.end() {
                Reason::Woken if raw == sys::EINTR => Reason::Interrupted,
                reason => reason,
            }
        }
    }
}

/// The state word is what ends the wait, so no wake fd may be written to instead: its number is
/// negative until this is dropped, also by unwinding.
struct Silent(&'static Slot);

impl Silent {
    fn new(slot: &'static Slot) -> Silent {
        let fd = &slot.thread().wake_fd;
        fd.store(-fd.load(SeqCst).abs(), SeqCst);
        Silent(slot)
    }
}

impl Drop for Silent {
    fn drop(&mut self) {
        let fd = &self.0.thread().wake_fd;
        fd.store(fd.load(SeqCst).abs(), SeqCst);
    }
}

/// Has any signal a handler with `SA_RESTART`? futex_waitv(2) is then restarted, even with a
/// time-out, where futex(2) with one and so sem_timedwait(3) end with EINTR.
fn restarts() -> bool {
    signal_handlers::all().any(|handler| handler.restarts)
}

/// The same wait made of short real ones on `word` alone, which every handler ends: one of them.
/// Handlers run after it, and none between two: see [`polling_wait::wait_deaf`].
fn in_slice(word: &AtomicU32, expected: u32, private: bool, masked: &Masked) -> isize {
    let raw = sys::futex_wait(word, expected, Some(&Timespec::of(SLICE)), private);
    let handled =
        raw == sys::ETIMEDOUT && polling_wait::pause(&NO_WAIT, masked.before_as_set()).is_err();
    if handled { sys::EINTR } else { raw }
}

/// Waits for a change of either word, `left` real ns at most ([`NEVER`]: no limit).
fn waitv(
    word: &AtomicU32,
    expected: u32,
    private: bool,
    own: &AtomicU32,
    state: u32,
    left: u64,
) -> isize {
    let flags = FUTEX_32 | if private { FUTEX_PRIVATE } else { 0 };
    let both = [
        Waitv { value: expected as u64, address: word as *const _ as u64, flags, reserved: 0 },
        Waitv {
            value: state as u64,
            address: own as *const _ as u64,
            flags: FUTEX_32,
            reserved: 0,
        },
    ];
    // The time-out of this call is absolute.
    let until = (left != NEVER).then(|| Spec::of_ns(vdso::monotonic().saturating_add(left)));
    let until = until.map(|at| Timespec { sec: at.sec, nsec: at.nsec });
    let at = until.as_ref().map_or(0, |at| at as *const Timespec as usize);
    let (all, n, clock) = (both.as_ptr() as usize, both.len(), libc::CLOCK_MONOTONIC as usize);
    // SAFETY: two valid entries, a time of our own or none.
    unsafe { syscall6(libc::SYS_futex_waitv, all, n, 0, at, clock, 0) }
}

/// Waits without a limit for a wake-up of shared `word` that has one of `bits`: what
/// `FUTEX_WAIT_BITSET` of futex(2) answers. futex_waitv(2) has no bits.
pub fn wait_bits(entry: &Entry, word: &AtomicU32, expected: u32, bits: u32) -> isize {
    const FUTEX_WAIT_BITSET: usize = 9;
    let _wait = entry.kernel_wait(WaitKind::Futex);
    let at = word as *const _ as usize;
    // SAFETY: the word is readable; no time and no second word.
    unsafe {
        let (expected, bits) = (expected as usize, bits as usize);
        syscall6(libc::SYS_futex, at, FUTEX_WAIT_BITSET, expected, 0, 0, bits)
    }
}

/// Wakes up to `count` kernel waiters of `word`.
pub fn wake(word: &AtomicU32, count: u32, private: bool) -> isize {
    wake_bits(word, count, u32::MAX, private)
}

/// The same of those that wait for one of `bits`.
pub fn wake_bits(word: &AtomicU32, count: u32, bits: u32, private: bool) -> isize {
    const FUTEX_WAKE_BITSET: usize = 10;
    let op = FUTEX_WAKE_BITSET | if private { FUTEX_PRIVATE as usize } else { 0 };
    let (at, count, bits) = (word as *const _ as usize, count as usize, bits as usize);
    // SAFETY: FUTEX_WAKE_BITSET uses the address as a key only.
    unsafe { syscall6(libc::SYS_futex, at, op, count, 0, 0, bits) }
}
