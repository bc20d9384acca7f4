//! futex(2): programs and language runtimes (Rust's std, C++20's atomics) wait with
//! `syscall(SYS_futex, …)`. A private futex is an exact wait here, queued by its address.

use crate::hooks::SyscallArgs;
use crate::shim::clock_id::SessionClocks;
use crate::shim::entry::{Cause, Entry, WaitKind, enter};
use crate::shim::kernel_futex;
use crate::shim::session;
use crate::shim::user_memory::{self, begins};
use crate::shim::wait_queue::{self, Key};
use engine::{Engine, Reason, Signals};
use libc::c_long;
use posix::clock::{Clocks, Until};
use posix::errno::{self, Errno};
use posix::time::Instant;
use posix::wait::Call;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};

const WAIT: usize = 0;
const WAKE: usize = 1;
const REQUEUE: usize = 3;
const CMP_REQUEUE: usize = 4;
const WAKE_OP: usize = 5;
const WAIT_BITSET: usize = 9;
const WAKE_BITSET: usize = 10;
const PRIVATE: usize = 128;
const REALTIME: usize = 256;
const ANY: u32 = u32::MAX;

/// futex(2) by syscall(2); `None` for what the kernel is to do alone.
///
/// # Safety
/// As for futex(2).
pub(super) unsafe fn futex(
    [address, op, value, timeout, address2, value3]: SyscallArgs,
) -> Option<Result<c_long, Errno>> {
    let command = op & !(PRIVATE | REALTIME);
    let private = op & PRIVATE != 0;
    if !address.is_multiple_of(4) || !user_memory::plausible(address as *const u32) {
        return None;
    }
    // SAFETY: asked above whether it can be read; futex(2) wants it aligned.
    let word = unsafe { &*(address as *const AtomicU32) };
    match command {
        // For the kernel to refuse. (Memory is made of pages, so what holds for the eight bytes
        // around it holds for the word.)
        WAIT | WAIT_BITSET if !user_memory::readable((address & !7) as *const u64) => None,
        WAIT | WAIT_BITSET => {
            let entry = enter()?;
            let bits = if command == WAIT { ANY } else { value3 as u32 };
            if bits == 0 {
                return Some(Err(Errno(libc::EINVAL)));
            }
            let arguments = [address, op, value, timeout, address2, value3].map(|word| word as u64);
            let begun = begins(Call::Futex, arguments);
            let until = begun.map(|wait| wait.map(|wait| wait.until));
            Some(until.and_then(|until| wait_for(&entry, word, value as u32, private, bits, until)))
        }
        WAKE | WAKE_BITSET => {
            let engine = session::engine()?;
            let bits = if command == WAKE { ANY } else { value3 as u32 };
            Some(wake_all(&engine, word, value as u32, bits, private))
        }
        WAKE_OP if private => {
            let engine = session::engine()?;
            if !address2.is_multiple_of(4) || !user_memory::plausible(address2 as *const u32) {
                return None;
            }
            // SAFETY: the second word, likewise.
            let second = unsafe { &*(address2 as *const AtomicU32) };
            let too = change(second, value3 as u32)?;
            let woken = wake_all(&engine, word, value as u32, ANY, true);
            let more =
                if too { wake_all(&engine, second, timeout as u32, ANY, true) } else { Ok(0) };
            Some(woken.and_then(|woken| Ok(woken + more?)))
        }
        REQUEUE | CMP_REQUEUE if private => {
            let engine = session::engine()?;
            if command == CMP_REQUEUE && word.load(SeqCst) != value3 as u32 {
                return Some(Err(Errno(libc::EAGAIN)));
            }
            let woken = wake(&engine, Key::any(word), value as u32, ANY);
            let moved = wait_queue::requeue(
                &engine,
                Key::any(word),
                Key::any(address2 as *const AtomicU32),
                timeout as u32,
            );
            Some(Ok((woken + if command == CMP_REQUEUE { moved } else { 0 }) as c_long))
        }
        _ => None,
    }
}

/// The operation on the second word of `FUTEX_WAKE_OP`: does the comparison with its old value
/// hold? `None` for a code that futex(2) does not know.
fn change(word: &AtomicU32, code: u32) -> Option<bool> {
    let signed = |bits: u32| ((bits << 20) as i32) >> 20;
    let (compare, against) = (code >> 24 & 15, signed(code & 0xfff));
    // Sign-extended like the other, unless it is a number of bits to shift by
    // (`FUTEX_OP_OPARG_SHIFT`).
    let given = signed(code >> 12 & 0xfff) as u32;
    let operand = if code >> 31 != 0 { 1 << (given & 31) } else { given };
    if compare > 5 {
        return None;
    }
    let old = match code >> 28 & 7 {
        0 => word.swap(operand, SeqCst),
        1 => word.fetch_add(operand, SeqCst),
        2 => word.fetch_or(operand, SeqCst),
        3 => word.fetch_and(!operand, SeqCst),
        4 => word.fetch_xor(operand, SeqCst),
        _ => return None,
    } as i32;
    Some(match compare {
        0 => old == against,
        1 => old != against,
        2 => old < against,
        3 => old <= against,
        4 => old > against,
        _ => old >= against,
    })
}

fn wait_for(
    entry: &Entry,
    word: &AtomicU32,
    expected: u32,
    private: bool,
    bits: u32,
    until: Option<Until>,
) -> Result<c_long, Errno> {
    let clocks = SessionClocks(&entry.engine);
    let (cause, deadline) = match until {
        None => (WaitKind::Futex.into(), Instant::NEVER),
        Some(until) => {
            (Cause::until(WaitKind::Futex, &entry.engine, until), until.deadline(&clocks)?)
        }
    };
    if deadline <= clocks.now() && word.load(SeqCst) == expected {
        return Err(Errno::ETIMEDOUT);
    }
    let deadline = deadline.ns();
    let reason = if private {
        let changed = || {
            // The bits that wake it, in a field that an exact wait does not use.
            entry.slot().futex().bitset.store(bits as u64, Relaxed);
            word.load(SeqCst) != expected
        };
        let place = wait_queue::enqueue(entry, cause, Key::any(word), changed)
            .ok_or(Errno(libc::EAGAIN))?;
        let signals = if until.is_some() { Signals::End } else { Signals::EndUnlessRestart };
        place.wait(deadline, signals, None)
    } else {
        if word.load(SeqCst) != expected {
            return Err(Errno(libc::EAGAIN));
        }
        if bits != ANY && until.is_none() {
            return errno::result(kernel_futex::wait_bits(entry, word, expected, bits))
                .map(|woken| woken as c_long);
        }
        kernel_futex::wait(entry, cause, word, expected, false, deadline, None)
    };
    match reason {
        Reason::Interrupted => Err(Errno(libc::EINTR)),
        Reason::TimedOut if until.is_some_and(|until| until.reached(&clocks)) => {
            Err(Errno(libc::ETIMEDOUT))
        }
        // Also where the clock was set and the time has not come: it may have been woken just then,
        // and who waits by futex(2) must look at the word in any case.
        Reason::TimedOut | Reason::Woken | Reason::Cancelled => Ok(0),
    }
}

/// `FUTEX_WAKE` of at least one waiter, here and in the kernel: somebody may wait for the same word
/// by an instruction of its own.
fn wake_all(
    engine: &Engine,
    word: &AtomicU32,
    count: u32,
    bits: u32,
    private: bool,
) -> Result<c_long, Errno> {
    let count = count.max(1);
    let woken = if private { wake(engine, Key::any(word), count, bits) } else { 0 };
    let rest =
        if woken < count { kernel_futex::wake_bits(word, count - woken, bits, private) } else { 0 };
    if woken == 0 {
        errno::result(rest).map(|rest| rest as c_long)
    } else {
        Ok(woken as c_long + rest.max(0) as c_long)
    }
}

fn wake(engine: &Engine, key: Key, count: u32, bits: u32) -> u32 {
    if wait_queue::nobody(key) {
        return 0;
    }
    wait_queue::wake(engine, key, count, |slot| {
        slot.futex().bitset.load(Relaxed) as u32 & bits != 0
    })
}
