//! Holding the clock's lock ([`crate::region::lock`]), as threads and the keeper do.

use crate::region::lock::Token;
use crate::region::sizes::SLOTS;
use crate::schedule::engine::Engine;
use crate::sync::{Relaxed, SeqCst};

/// Holding the lock: the token, and the arena that the deadlines are in.
#[derive(Clone, Copy)]
pub(crate) struct Held {
    pub(crate) token: Token,
    pub(crate) arena: usize,
}

impl Engine {
    /// Takes the lock if it is free, or if this very thread holds it further down its stack: then a
    /// signal handler has interrupted it there, and waits (or has left it by `longjmp`). That frame
    /// can't move the clock any more, and writes to an arena that nobody reads.
    ///
    /// Without a keeper nobody gets it: half of what jumps need is missing, so the session goes on
    /// in real time.
    pub(crate) fn lock(&self, me: usize, stamp: u64) -> Option<Held> {
        let h = &self.page.header;
        if self.page.abandoned() {
            return None;
        }
        if let Some(token) = h.clock.try_lock(me, stamp) {
            return Some(Held { token, arena: self.page.arena() });
        }
        let holder = h.clock.holder().filter(|t| t.owner() < SLOTS && me < SLOTS)?;
        let id = |index: usize| {
            let slot = &self.page.slots[index];
            (slot.pid.load(Relaxed), slot.tid.load(Relaxed))
        };
        (id(holder.owner()) == id(me)).then(|| self.take_over(holder, me, stamp)).flatten()
    }

    /// Breaks the lock of `holder`. The heap has to be made anew, in the other arena.
    pub(crate) fn take_over(&self, holder: Token, me: usize, stamp: u64) -> Option<Held> {
        let h = &self.page.header;
        let token = h.clock.take_over(holder, me, stamp)?;
        h.arena.fetch_add(1, SeqCst);
        h.heap_lost.store(1, SeqCst);
        // The old holder may have died between a promise and its mark in the busy set.
        let busy = |i: &usize| self.page.slots[*i].state.load().busy();
        (0..self.page.high()).filter(busy).for_each(|i| self.page.set_busy(i));
        Some(Held { token, arena: self.page.arena() })
    }

    /// A frame of slot `me`'s thread that held the lock is gone (`longjmp`): nobody else would free
    /// it.
    pub fn abandon_lock(&self, me: usize) {
        let held = self.page.header.clock.holder().filter(|t| t.owner() == me);
        if let Some(held) = held.and_then(|t| self.take_over(t, me, (self.real_now)())) {
            self.unlock(held);
        }
    }

    /// Releases the lock. Who set `rerun` meanwhile has left the decision to us: everybody who does
    /// has blocked, and the caller is either busy itself (it will decide when it blocks) or calls
    /// [`Engine::settle`] in a loop.
    pub(crate) fn unlock(&self, held: Held) {
        if !self.page.header.clock.unlock(held.token) {
            // The lock was broken: what this thread took out of the mail meanwhile is in no heap.
            self.page.header.heap_lost.store(1, SeqCst);
        }
    }
}
