//! The earliest deadline: a binary heap in the shared region, fed by a mailbox.
//!
//! The facts are the slots' own deadlines. The heap is derived from them and may be rebuilt at any
//! time. Only the lock's holder touches it. A thread that starts a timed wait stores its deadline.
//! It posts itself to the mail only if neither the heap nor the mail holds it under an earlier or
//! equal key. So a loop of waits whose time-outs never come costs nothing here.
//!
//! No deadline is missed. The thread stores its deadline and then reads `heap_key`. A decider that
//! takes the thread's entry out resets `heap_key` and then reads the deadline. Both are
//! sequentially consistent, so either the decider sees the new deadline and puts the entry back, or
//! the thread sees the reset key and posts itself. All this is before the thread stops being busy,
//! so no jump comes between.
//!
//! A deadline counts only while its slot waits, or belongs to a timer descriptor. A thread that was
//! cancelled asynchronously or has died leaves a deadline behind, and time must not go there. The
//! same order makes this safe: the thread prepares its wait before it posts the deadline, and a
//! decider that finds a slot which does not wait resets its `heap_key` and then looks once more.
//!
//! NOTE [Runtime ticks]. Go's runtime has a thread that looks every 10 ms whether a goroutine has
//! had its processor for too long. It only helps others on, and reports the time to nobody. Each
//! such sleep is a runtime tick. While the session moves on in back-offs or small steps for the
//! sake of a spinning thread, an hour would take as many ticks as it has ten milliseconds. So the
//! clock passes the deadline of a tick then, and the runtime's thread looks at the end of each
//! step. No spinning thread waits for the runtime's thread, and a tick that is over changes nothing
//! for others ([`crate::region::slot_views::Thread::spin`]).

use crate::region::layout::{Entry, Page};
use crate::region::sizes::{ARENAS, HEAP, SLOTS};
use crate::region::slot::Slot;
use crate::schedule::next::Key;
use crate::sync::{AtomicU32, Relaxed, SeqCst};
use posix::time::NEVER;

impl Page {
    /// Sets the deadline of `slot`'s next wait, and makes sure that the next user of the heap sees
    /// it. Owner, while busy.
    pub fn post_deadline(&self, slot: usize, deadline: u64, parked: u64) {
        let s = &self.slots[slot];
        s.parked.store(parked, Relaxed);
        s.deadline.store(deadline, SeqCst);
        // The mark holds the arena's number: a mark left by a holder that died with the mail in its
        // hands is void.
        let mark = self.header.arena.load(SeqCst).wrapping_add(1);
        if deadline >= s.heap_key.load(SeqCst) || s.queued.swap(mark, SeqCst) == mark {
            return;
        }
        let mut head = self.header.mail.load(Relaxed);
        loop {
            s.mail_next.store(head, Relaxed);
            match self.header.mail.compare_exchange(head, slot as u32 + 1, SeqCst, Relaxed) {
                Ok(_) => return,
                Err(now) => head = now,
            }
        }
    }

    /// Can there be a deadline at all?
    pub fn deadlines_pending(&self) -> bool {
        self.heap_len(self.arena()).load(Relaxed) != 0
            || self.header.mail.load(SeqCst) != 0
            || self.header.unhooked.load(Relaxed) != 0
    }

    /// The key that `slot`'s current deadline has.
    pub fn key_of(&self, slot: usize) -> Key {
        let s = &self.slots[slot];
        Key {
            deadline: s.deadline.load(SeqCst),
            parked: s.parked.load(Relaxed),
            birth: s.birth.load(Relaxed),
        }
    }

    /// The arena in use. The taker of the lock reads it once: a holder that loses the lock goes on
    /// writing to its own arena.
    pub fn arena(&self) -> usize {
        self.header.arena.load(SeqCst) as usize % ARENAS
    }

    fn heap_len(&self, arena: usize) -> &AtomicU32 {
        &self.header.heap_len[arena]
    }

    /// Moves the mail into the heap. Lock's holder only.
    pub fn drain_mail(&self, arena: usize) {
        if self.header.heap_lost.load(SeqCst) != 0 {
            self.rebuild(arena);
        }
        if self.header.mail.load(SeqCst) == 0 {
            return;
        }
        let mut at = self.header.mail.swap(0, SeqCst);
        let mut left = SLOTS;
        while at != 0 && left != 0 {
            left -= 1;
            let slot = (at as usize - 1) % SLOTS;
            let s = &self.slots[slot];
            // Read the link first: the slot may be posted again as soon as `queued` is reset.
            at = s.mail_next.load(Relaxed);
            if s.queued.swap(0, SeqCst) == 0 {
                // The slot is in the mail twice, because the arena was changed in between. What was
                // in front of the first entry is lost.
                self.slots[..self.high()].iter().for_each(|slot| slot.queued.store(0, SeqCst));
                return self.rebuild(arena);
            }
            self.enter(arena, slot);
        }
    }

    /// Puts `slot` into the heap under its current deadline, if it has one.
    pub(crate) fn enter(&self, arena: usize, slot: usize) {
        let s = &self.slots[slot];
        s.heap_key.store(NEVER, SeqCst);
        let key = self.key_of(slot);
        if key.deadline != NEVER && s.state.load().timed() {
            s.heap_key.store(key.deadline, SeqCst);
            self.push(arena, slot, key);
        }
    }

    /// The earliest waiter. Drops or moves the entries on the way that no longer hold. Lock's
    /// holder only.
    pub fn earliest(&self, arena: usize) -> Option<(usize, Key)> {
        if self.heap_len(arena).load(Relaxed) as usize > HEAP {
            // Nobody who keeps to the rules has written this.
            self.rebuild(arena);
        }
        while self.heap_len(arena).load(Relaxed) != 0 {
            let (slot, key) = self.read(arena, 0);
            let s = &self.slots[slot];
            let timed = s.state.load().timed();
            if timed
                && s.deadline.load(SeqCst) == key.deadline
                && s.heap_key.load(Relaxed) == key.deadline
            {
                let now = self.key_of(slot);
                if now == key {
                    return Some((slot, key));
                }
            }
            self.pop(arena);
            // An older entry of a slot that the heap also holds under an earlier key: just dropped.
            if s.heap_key.load(SeqCst) >= key.deadline {
                self.enter(arena, slot);
            }
        }
        None
    }

    /// The earliest waiter whose deadline matters to others than its own runtime. Lock's holder
    /// only.
    pub fn earliest_but_ticks(&self, arena: usize) -> Option<(usize, Key)> {
        self.earliest_but(arena, Slot::is_runtime_tick)
    }

    /// The earliest waiter that is neither a runtime tick nor a back-off. Lock's holder only.
    pub fn earliest_sleeper(&self, arena: usize) -> Option<(usize, Key)> {
        self.earliest_but(arena, |slot| slot.is_runtime_tick() || slot.backs_off())
    }

    fn earliest_but(&self, arena: usize, aside: impl Fn(&Slot) -> bool) -> Option<(usize, Key)> {
        /// Threads of a session that stand aside. The clock keeps to the deadlines of any more of
        /// them.
        const ASIDE: usize = 64;
        let mut stand = [0; ASIDE];
        let mut passed = 0;
        let mut first = self.earliest(arena);
        while let Some((slot, _)) =
            first.filter(|&(slot, _)| passed < ASIDE && aside(&self.slots[slot]))
        {
            self.drop_earliest(arena, slot);
            stand[passed] = slot;
            passed += 1;
            first = self.earliest(arena);
        }
        stand[..passed].iter().for_each(|&slot| self.enter(arena, slot));
        first
    }

    /// The deadline to which time may move while all are blocked: the earliest, except that runtime
    /// ticks do not hold up a back-off. Lock's holder only.
    pub fn goal(&self, arena: usize) -> Option<Key> {
        let (slot, key) = self.earliest(arena)?;
        if !self.slots[slot].is_runtime_tick() {
            return Some(key);
        }
        self.earliest_but_ticks(arena)
            .filter(|&(slot, _)| self.slots[slot].backs_off())
            .map_or(Some(key), |(_, back_off)| Some(back_off))
    }

    /// Takes the earliest waiter out. The caller then ends its wait, or looks whether there is a
    /// later deadline to put in.
    pub fn drop_earliest(&self, arena: usize, slot: usize) {
        self.pop(arena);
        let s = &self.slots[slot];
        s.heap_key.store(NEVER, SeqCst);
    }

    /// Makes the heap anew from the slots.
    fn rebuild(&self, arena: usize) {
        self.header.heap_lost.store(0, SeqCst);
        self.heap_len(arena).store(0, Relaxed);
        for slot in 0..self.high() {
            self.enter(arena, slot);
        }
    }

    fn entry(&self, arena: usize, at: usize) -> &Entry {
        &self.heap[arena][at.min(HEAP - 1)]
    }

    fn read(&self, arena: usize, at: usize) -> (usize, Key) {
        let e = self.entry(arena, at);
        let key = Key {
            deadline: e.deadline.load(Relaxed),
            parked: e.parked.load(Relaxed),
            birth: e.birth.load(Relaxed),
        };
        (e.slot.load(Relaxed) as usize % crate::region::sizes::SLOTS, key)
    }

    fn write(&self, arena: usize, at: usize, (slot, key): (usize, Key)) {
        let e = self.entry(arena, at);
        e.deadline.store(key.deadline, Relaxed);
        e.parked.store(key.parked, Relaxed);
        e.birth.store(key.birth, Relaxed);
        e.slot.store(slot as u64, Relaxed);
    }

    fn push(&self, arena: usize, slot: usize, key: Key) {
        let mut at = self.heap_len(arena).load(Relaxed) as usize;
        if at >= HEAP {
            // Full of superseded entries: the live ones are at most one a slot.
            self.rebuild(arena);
            return;
        }
        self.heap_len(arena).store(at as u32 + 1, Relaxed);
        while at > 0 {
            let parent = (at - 1) / 2;
            let above = self.read(arena, parent);
            if above.1 <= key {
                break;
            }
            self.write(arena, at, above);
            at = parent;
        }
        self.write(arena, at, (slot, key));
    }

    fn pop(&self, arena: usize) {
        let len = (self.heap_len(arena).load(Relaxed) as usize).saturating_sub(1);
        self.heap_len(arena).store(len as u32, Relaxed);
        let last = self.read(arena, len);
        let mut at = 0;
        loop {
            let left = 2 * at + 1;
            if left >= len {
                break;
            }
            let right = left + 1;
            let (child, below) =
                match (self.read(arena, left), (right < len).then(|| self.read(arena, right))) {
                    (l, Some(r)) if r.1 < l.1 => (right, r),
                    (l, _) => (left, l),
                };
            if last.1 <= below.1 {
                break;
            }
            self.write(arena, at, below);
            at = child;
        }
        self.write(arena, at, last);
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
