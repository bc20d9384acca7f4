//! The earliest deadline: a binary heap in the shared region, fed by a mailbox.
//!
//! The facts are the slots' own deadlines; the heap is derived from them and may be rebuilt at any time. Only the
//! lock's holder touches it. A thread that starts a timed wait stores its deadline, and posts itself to the mail only
//! if the heap (or the mail) does not already hold it under an earlier or equal key: a loop of waits with time-outs
//! that never come to pass costs nothing here.
//!
//! No deadline is missed: the thread stores its deadline and then reads `heap_key`; whoever takes the thread's entry
//! out resets `heap_key` and then reads the deadline. Both are sequentially consistent, so either the one who takes it
//! out sees the new deadline and puts it back, or the thread sees the reset key and posts itself.
//! All this is before the thread stops being busy, so no jump comes between.

use crate::page::{Entry, HEAP, Page};
use crate::sync::{Relaxed, SeqCst};
use crate::time::NEVER;

/// What orders waiters: the deadline, then when the wait began, then the birth key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Key {
    /// Absolute virtual ns.
    pub deadline: u64,
    /// Virtual ns at which the wait began.
    pub parked: u64,
    /// See [`crate::slots::Slot::birth`].
    pub birth: u64,
}

impl Page {
    /// Sets the deadline of `slot`'s next wait and makes sure that the heap's next user sees it. Owner, while busy.
    pub fn post_deadline(&self, slot: usize, deadline: u64, parked: u64) {
        let s = &self.slots[slot];
        s.parked.store(parked, Relaxed);
        s.deadline.store(deadline, SeqCst);
        if deadline >= s.heap_key.load(SeqCst) || s.queued.swap(1, SeqCst) == 1 {
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

    /// May there be a deadline at all?
    pub fn deadlines_pending(&self) -> bool {
        self.header.heap_len.load(Relaxed) != 0 || self.header.mail.load(SeqCst) != 0
    }

    /// The key that `slot`'s current deadline has.
    pub fn key_of(&self, slot: usize) -> Key {
        let s = &self.slots[slot];
        Key { deadline: s.deadline.load(SeqCst), parked: s.parked.load(Relaxed), birth: s.birth.load(Relaxed) }
    }

    /// Moves the mail into the heap. Lock's holder only.
    pub fn drain_mail(&self) {
        if self.header.heap_lost.load(Relaxed) != 0 {
            self.rebuild();
        }
        if self.header.mail.load(SeqCst) == 0 {
            return;
        }
        let mut at = self.header.mail.swap(0, SeqCst);
        while at != 0 {
            let slot = at as usize - 1;
            let s = &self.slots[slot];
            // Read the link first: the slot may be posted again as soon as `queued` is reset.
            at = s.mail_next.load(Relaxed);
            s.queued.store(0, SeqCst);
            self.enter(slot);
        }
    }

    /// Puts `slot` into the heap under its current deadline, if it has one.
    pub(crate) fn enter(&self, slot: usize) {
        let s = &self.slots[slot];
        s.heap_key.store(NEVER, SeqCst);
        let key = self.key_of(slot);
        if key.deadline != NEVER {
            s.heap_key.store(key.deadline, SeqCst);
            self.push(slot, key);
        }
    }

    /// The earliest waiter. Entries that no longer hold are dropped or moved on the way. Lock's holder only.
    pub fn earliest(&self) -> Option<(usize, Key)> {
        while self.header.heap_len.load(Relaxed) != 0 {
            let (slot, key) = self.read(0);
            let s = &self.slots[slot];
            if s.deadline.load(SeqCst) == key.deadline && s.heap_key.load(Relaxed) == key.deadline {
                let now = self.key_of(slot);
                if now == key {
                    return Some((slot, key));
                }
            }
            self.pop();
            // An older entry of a slot that is also held under an earlier key is just dropped.
            if s.heap_key.load(SeqCst) >= key.deadline {
                self.enter(slot);
            }
        }
        None
    }

    /// Takes the earliest waiter out. Who does then ends its wait, or looks whether there is a later one to put in.
    pub fn drop_earliest(&self, slot: usize) {
        self.pop();
        let s = &self.slots[slot];
        s.heap_key.store(NEVER, SeqCst);
    }

    /// Makes the heap anew from the slots, in a fresh arena if the old one's owner may still write to it.
    fn rebuild(&self) {
        self.header.heap_lost.store(0, Relaxed);
        self.header.heap_len.store(0, Relaxed);
        for slot in 0..self.high() {
            self.enter(slot);
        }
    }

    fn entry(&self, at: usize) -> &Entry {
        let arena = self.header.arena.load(Relaxed) as usize % crate::page::ARENAS;
        &self.heap[arena][at.min(HEAP - 1)]
    }

    fn read(&self, at: usize) -> (usize, Key) {
        let e = self.entry(at);
        let key = Key {
            deadline: e.deadline.load(Relaxed),
            parked: e.parked.load(Relaxed),
            birth: e.birth.load(Relaxed),
        };
        (e.slot.load(Relaxed) as usize % crate::page::SLOTS, key)
    }

    fn write(&self, at: usize, (slot, key): (usize, Key)) {
        let e = self.entry(at);
        e.deadline.store(key.deadline, Relaxed);
        e.parked.store(key.parked, Relaxed);
        e.birth.store(key.birth, Relaxed);
        e.slot.store(slot as u64, Relaxed);
    }

    fn push(&self, slot: usize, key: Key) {
        let mut at = self.header.heap_len.load(Relaxed) as usize;
        if at >= HEAP {
            // Full of superseded entries: the live ones are at most one a slot.
            self.rebuild();
            return;
        }
        self.header.heap_len.store(at as u32 + 1, Relaxed);
        while at > 0 {
            let parent = (at - 1) / 2;
            let above = self.read(parent);
            if above.1 <= key {
                break;
            }
            self.write(at, above);
            at = parent;
        }
        self.write(at, (slot, key));
    }

    fn pop(&self) {
        let len = self.header.heap_len.load(Relaxed) as usize - 1;
        self.header.heap_len.store(len as u32, Relaxed);
        let last = self.read(len);
        let mut at = 0;
        loop {
            let left = 2 * at + 1;
            if left >= len {
                break;
            }
            let right = left + 1;
            let (child, below) = match (self.read(left), (right < len).then(|| self.read(right))) {
                (l, Some(r)) if r.1 < l.1 => (right, r),
                (l, _) => (left, l),
            };
            if last.1 <= below.1 {
                break;
            }
            self.write(at, below);
            at = child;
        }
        self.write(at, last);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::state::Kind;

    fn post(page: &Page, deadline: u64, birth: u64) -> usize {
        let slot = page.claim(Kind::Busy, 1, birth as u32, birth).unwrap();
        page.post_deadline(slot, deadline, 0);
        slot
    }

    #[test]
    fn earliest_first_ties_by_birth() {
        let page = Page::boxed();
        let order: Vec<u64> = vec![50, 10, 30, 10, 20, 40, 10];
        for (i, &d) in order.iter().enumerate() {
            post(&page, d, 100 - i as u64);
        }
        page.drain_mail();
        let mut seen = vec![];
        while let Some((slot, key)) = page.earliest() {
            seen.push((key.deadline, key.birth));
            page.drop_earliest(slot);
        }
        assert_eq!(seen, [(10, 94), (10, 97), (10, 99), (20, 96), (30, 98), (40, 95), (50, 100)]);
    }

    #[test]
    fn later_deadline_needs_no_mail_and_earlier_one_wins() {
        let page = Page::boxed();
        let a = post(&page, 100, 1);
        page.drain_mail();
        page.post_deadline(a, 200, 0);
        assert_eq!(page.header.mail.load(Relaxed), 0);
        assert_eq!(page.earliest().unwrap().1.deadline, 200);
        page.post_deadline(a, 50, 0);
        page.drain_mail();
        assert_eq!(page.earliest().unwrap().1.deadline, 50);
        page.post_deadline(a, NEVER, 0);
        assert_eq!(page.earliest(), None);
        page.post_deadline(a, 70, 0);
        page.drain_mail();
        assert_eq!(page.earliest().unwrap().1.deadline, 70);
    }

    #[test]
    fn a_lost_heap_is_rebuilt() {
        let page = Page::boxed();
        for d in [9, 3, 7] {
            post(&page, d, d);
        }
        page.drain_mail();
        page.header.arena.store(1, Relaxed);
        page.header.heap_lost.store(1, Relaxed);
        page.drain_mail();
        assert_eq!(page.earliest().unwrap().1.deadline, 3);
    }
}
