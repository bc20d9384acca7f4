//! Waiting on a futex word that others wake through the kernel: process-shared semaphores and conditions, mutexes'
//! lock words, shared futexes. A kernel wait, ended from our side through the slot's own word: futex_waitv(2) sleeps on
//! both (Linux 5.16).

use crate::enter::{Entry, What};
use engine::sys::{self, syscall6};
use engine::time::NEVER;
use engine::{Kind, Reason};
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::SeqCst;

const FUTEX_32: u32 = 2;
const FUTEX_PRIVATE: u32 = 128;

#[repr(C)]
struct Waitv {
    value: u64,
    address: u64,
    flags: u32,
    reserved: u32,
}

/// Waits while `word` holds `expected`, at most until the virtual instant `deadline`. `Woken` may be spurious.
/// Cancellation is reported, not acted on; `cancels` as in [`crate::waitq::Place::wait`].
pub fn wait(
    entry: &Entry,
    what: What,
    word: &AtomicU32,
    expected: u32,
    private: bool,
    deadline: u64,
    cancels: Option<u32>,
) -> Reason {
    // The state word is what ends the wait, so no bell may be rung instead.
    let slot = entry.slot();
    let bell = slot.bell.swap(0, SeqCst);
    let guard = if deadline == NEVER {
        Some(entry.kernel_wait(what))
    } else {
        entry.kernel_wait_until(what, deadline, || word.load(SeqCst) == expected)
    };
    let reason = match guard {
        None => Reason::TimedOut,
        Some(guard) => {
            let state = slot.state.load();
            let mut raw = 0;
            if cancels.is_some_and(|seen| seen != entry.cancels()) {
                slot.state.interrupt(state, Reason::Cancelled);
            } else if state.kind() == Kind::Kernel {
                raw = waitv(word, expected, private, &slot.state.0, state.0);
            }
            match guard.end() {
                Reason::Woken if raw == sys::EINTR => Reason::Interrupted,
                reason => reason,
            }
        }
    };
    slot.bell.store(bell, SeqCst);
    reason
}

fn waitv(word: &AtomicU32, expected: u32, private: bool, own: &AtomicU32, state: u32) -> isize {
    let flags = FUTEX_32 | if private { FUTEX_PRIVATE } else { 0 };
    let both = [
        Waitv { value: expected as u64, address: word as *const _ as u64, flags, reserved: 0 },
        Waitv { value: state as u64, address: own as *const _ as u64, flags: FUTEX_32, reserved: 0 },
    ];
    // SAFETY: two valid entries, no time-out.
    unsafe { syscall6(libc::SYS_futex_waitv, both.as_ptr() as usize, both.len(), 0, 0, 0, 0) }
}

/// Wakes up to `count` kernel waiters of `word`.
pub fn wake(word: &AtomicU32, count: u32, private: bool) -> isize {
    const FUTEX_WAKE: usize = 1;
    let op = FUTEX_WAKE | if private { FUTEX_PRIVATE as usize } else { 0 };
    // SAFETY: FUTEX_WAKE uses the address as a key only.
    unsafe { syscall6(libc::SYS_futex, word as *const _ as usize, op, count as usize, 0, 0, 0) }
}
