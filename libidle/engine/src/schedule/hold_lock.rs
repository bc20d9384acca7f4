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
    /// Takes the lock if it is free, or if this very thread holds it further down its stack. In the
    /// second case a signal handler has interrupted that frame and waits (or has left it by
    /// `longjmp`). That frame cannot move the clock any more, and writes to an arena that nobody
    /// reads.
    ///
    /// Without a keeper nobody gets the lock: half of what jumps need is missing, so the session
    /// goes on in real time.
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

    /// Takes the lock over from `holder`. The heap has to be rebuilt, in the other arena.
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

    /// A `longjmp` has dropped a frame of slot `me`'s thread that held the lock. Nobody else would
    /// release the lock.
    pub fn abandon_lock(&self, me: usize) {
        let held = self.page.header.clock.holder().filter(|t| t.owner() == me);
        if let Some(held) = held.and_then(|t| self.take_over(t, me, (self.real_now)())) {
            self.unlock(held);
        }
    }

    /// Releases the lock. A thread that set `rerun` meanwhile has blocked and left the decision to
    /// the caller. The caller is busy itself and decides when it blocks, or it calls
    /// [`Engine::settle`] in a loop.
    pub(crate) fn unlock(&self, held: Held) {
        if !self.page.header.clock.unlock(held.token) {
            // The lock was taken over: what this thread took out of the mail meanwhile is in no
            // heap.
            self.page.header.heap_lost.store(1, SeqCst);
        }
    }
}
