//! The clock's word and the lock under which it moves, side by side in 16 bytes.
//!
//! The lock is only *tried*, never waited for. A thread that does not get it leaves a note
//! ([`crate::region::layout::Header::rerun`]) and goes to sleep. A holder may be killed or stopped
//! at any instant, so the keeper may take the lock over. One compare-and-swap of both words moves
//! the clock. So a holder that was stopped, lost the lock and was continued cannot move it any
//! more. Everything else done under the lock can be redone (the heap is rebuilt from the slots) or
//! fails by its own sequence number (promises).

use crate::sync::{AtomicU64, Relaxed, SeqCst};

/// Clock value and lock. Elapsed mode: the value is the offset to real time, ns. Frozen mode:
/// virtual now, ns.
#[repr(C, align(64))]
pub struct ClockCell {
    value: AtomicU64,
    lock: AtomicU64,
    /// The model has no compare-and-swap of two words. An operation that must not come between the
    /// two halves takes this lock.
    #[cfg(loom)]
    both: loom::sync::Mutex<()>,
}

/// Proof that the caller holds the lock: the value of the lock word, unique for each time that the
/// lock was taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Token(u64);

impl Token {
    /// Slot index of the holder; [`KEEPER`] for the keeper.
    pub fn owner(self) -> usize {
        (self.0 as u32).wrapping_sub(1) as usize
    }
}

/// The owner index that the keeper uses.
pub const KEEPER: usize = 0xffff_0000;

impl ClockCell {
    /// Clock at 0, lock free.
    pub fn new() -> ClockCell {
        ClockCell {
            value: AtomicU64::new(0),
            lock: AtomicU64::new(0),
            #[cfg(loom)]
            both: loom::sync::Mutex::new(()),
        }
    }

    /// The clock's word.
    #[inline]
    pub fn value(&self) -> u64 {
        self.value.load(SeqCst)
    }

    /// Sets the clock before the session starts.
    pub fn set(&self, value: u64) {
        self.value.store(value, SeqCst);
    }

    /// Moves a frozen clock on to `to` without the lock, after the launcher's death, when nobody
    /// moves it under the lock any more. A holder from before fails with its commit.
    pub fn raise(&self, to: u64) {
        let mut seen = self.value();
        while seen < to
            && let Err(now) = self.value.compare_exchange(seen, to, SeqCst, SeqCst)
        {
            seen = now;
        }
    }

    /// Takes the lock if it is free. `stamp` makes tokens differ: any value that changes, such as a
    /// clock.
    pub fn try_lock(&self, owner: usize, stamp: u64) -> Option<Token> {
        let token = (owner as u64 + 1) | (stamp << 32);
        // Sequentially consistent, like the note (`rerun`) that the caller has left. A stale
        // "taken" here would leave the decision to a holder that has already looked for notes.
        (self.lock.load(SeqCst) == 0
            && self.lock.compare_exchange(0, token, SeqCst, Relaxed).is_ok())
        .then_some(Token(token))
    }

    /// Releases the lock; false if somebody took it over meanwhile.
    pub fn unlock(&self, token: Token) -> bool {
        self.lock.compare_exchange(token.0, 0, SeqCst, Relaxed).is_ok()
    }

    /// Who holds the lock.
    pub fn holder(&self) -> Option<Token> {
        Some(self.lock.load(SeqCst)).filter(|&t| t != 0).map(Token)
    }

    /// Takes the lock from a holder that cannot go on (dead, stopped, or interrupted by a handler
    /// that waits) and gives it to `owner`.
    pub fn take_over(&self, from: Token, owner: usize, stamp: u64) -> Option<Token> {
        let token = (owner as u64 + 1) | (stamp << 32);
        #[cfg(loom)]
        let _both = self.both.lock();
        self.lock.compare_exchange(from.0, token, SeqCst, Relaxed).is_ok().then_some(Token(token))
    }

    /// Moves the clock from `old` to `new`, if `token` still holds the lock.
    pub fn commit(&self, token: Token, old: u64, new: u64) -> bool {
        #[cfg(not(loom))]
        // SAFETY: repr(C, align(64)) puts value and lock into 16 aligned bytes.
        unsafe {
            crate::arch::pair::swap_first((&raw const self.value).cast(), [old, token.0], new)
        }
        #[cfg(loom)]
        {
            let _both = self.both.lock();
            self.lock.load(SeqCst) == token.0
                && self.value.compare_exchange(old, new, SeqCst, Relaxed).is_ok()
        }
    }
}

impl Default for ClockCell {
    fn default() -> ClockCell {
        ClockCell::new()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_broken_lock_moves_no_clock() {
        let cell = ClockCell::new();
        let first = cell.try_lock(3, 7).unwrap();
        assert_eq!(first.owner(), 3);
        assert!(cell.try_lock(4, 8).is_none());
        assert!(cell.commit(first, 0, 10));
        let keeper = cell.take_over(first, KEEPER, 9).unwrap();
        assert!(!cell.commit(first, 10, 20));
        cell.unlock(first);
        assert_eq!(cell.holder(), Some(keeper));
        assert!(cell.commit(keeper, 10, 15));
        cell.unlock(keeper);
        assert_eq!((cell.value(), cell.holder()), (15, None));
    }
}
