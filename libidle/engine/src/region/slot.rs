//! Slots: a thread's entry in the shared region, and how slots are taken and given back.
//!
//! A slot belongs to the thread whose number it holds. Before that thread exists it belongs to its
//! creator, who has taken it as a *credit* (kind `New`, counted as busy) so that no jump comes
//! between the creation and the first step. A creator may be killed before its child exists, or
//! before it knows the child's number. So a credit names its maker; the keeper gives it back when
//! the maker is dead and nobody is left who could be the child. Both, adoption and giving back, are
//! a compare-and-swap of the state that the credit was made with, so one of them happens.

use crate::programs::tracing::owned;
use crate::region::layout::{Page, SLOTS};
use crate::region::state::{Kind, State, StateWord};
use crate::region::wait_kind::{FLAGS, PEEPS, What};
use crate::sync::{AtomicI32, AtomicU32, AtomicU64, Relaxed, SeqCst};
use posix::time::NEVER;

/// A thread's entry. The first cache line is what others look at, the second what its own process
/// needs.
#[repr(C, align(64))]
pub struct Slot {
    /// What the thread does; also the futex it parks on. See [`StateWord`] for who may change it.
    pub state: StateWord,
    /// Slot index + 1 of the wait that a signal handler of this thread is in, while this slot's
    /// wait is interrupted: a promise to this slot can't be kept before the handler returns. Owner.
    pub covered: AtomicU32,
    /// When the current wait ends by itself, absolute virtual ns, or [`NEVER`]. Owner, before the
    /// wait is published.
    pub deadline: AtomicU64,
    /// The earliest deadline under which the heap or the mail holds this slot, or [`NEVER`]. See
    /// [`crate::schedule::deadline_heap`].
    pub heap_key: AtomicU64,
    /// While the slot is in the mail, the number of the arena that the mail is for, + 1; else 0.
    pub queued: AtomicU32,
    /// Next slot in the mail, index + 1.
    pub mail_next: AtomicU32,
    /// Process id, 0 for a credit not yet placed. Creator or owner.
    pub pid: AtomicU32,
    /// Thread id, 0 for a credit. Creator or owner.
    pub tid: AtomicU32,
    /// Virtual ns at which the current timed wait began. Owner.
    pub parked: AtomicU64,
    /// The same in every run for the same thread of the same program: derived from the creator's
    /// key and how many children that had before. Breaks ties between deadlines in frozen mode.
    pub birth: AtomicU64,
    /// Slot index + 1 of the thread last found busy: asked first at the next block. Owner.
    pub witness: AtomicU32,
    /// What the thread and the launcher's tracer have to tell each other: see
    /// [`crate::programs::tracing`].
    pub tracer: AtomicU32,

    /// Links of the waiter queue that the slot is in, index + 1. Under that queue's lock, own
    /// process only.
    pub next: AtomicU32,
    /// See [`Slot::next`].
    pub prev: AtomicU32,
    /// What the queue is for (an address). Under the queue's lock.
    pub key: AtomicU64,
    /// The eventfd that ends this thread's timed descriptor waits, or 0: parked on the state word.
    /// Owner.
    pub bell: AtomicI32,
    /// Slot index + 1 of the thread that joins this one.
    pub joiner: AtomicU32,
    /// `pthread_t` of the thread, 0 unless it was made by `pthread_create`. Creator and owner, the
    /// same value.
    pub pthread: AtomicU64,
    /// Start routine and argument, between creator and thread. Creator.
    pub start: AtomicU64,
    /// See [`Slot::start`].
    pub start_arg: AtomicU64,
    /// Children made so far. Owner.
    pub children: AtomicU32,
    /// What the thread waits for, a [`What`], maybe with [`FLAGS`]. Owner, before the wait is
    /// prepared.
    pub what: AtomicU32,
    /// While the slot is free: the next free one, index + 1; whoever frees it. While it is a credit
    /// with [`Slot::pid`] 0: the process that made it; its creator. From its adoption to its end
    /// see [`Slot::spin`].
    pub link: AtomicU32,
    /// `pthread_cancel` calls aimed at this thread. Any thread of the process.
    pub cancels: AtomicU32,
}

impl Slot {
    /// A free slot.
    pub fn new() -> Slot {
        Slot {
            state: StateWord::new(),
            covered: AtomicU32::new(0),
            deadline: AtomicU64::new(0),
            heap_key: AtomicU64::new(0),
            queued: AtomicU32::new(0),
            mail_next: AtomicU32::new(0),
            pid: AtomicU32::new(0),
            tid: AtomicU32::new(0),
            parked: AtomicU64::new(0),
            birth: AtomicU64::new(0),
            witness: AtomicU32::new(0),
            tracer: AtomicU32::new(0),
            next: AtomicU32::new(0),
            prev: AtomicU32::new(0),
            key: AtomicU64::new(0),
            bell: AtomicI32::new(0),
            joiner: AtomicU32::new(0),
            pthread: AtomicU64::new(0),
            start: AtomicU64::new(0),
            start_arg: AtomicU64::new(0),
            children: AtomicU32::new(0),
            what: AtomicU32::new(0),
            link: AtomicU32::new(0),
            cancels: AtomicU32::new(0),
        }
    }
}

impl Slot {
    /// Does it wait, or did it wait last, for `what`?
    pub fn is_for(&self, what: What) -> bool {
        self.what.load(SeqCst) & !FLAGS == what as u32
    }

    /// Is it a thread of a language's runtime that looks after others now and then (NOTE [Beats] in
    /// [`crate::schedule::deadline_heap`])?
    pub fn beats(&self) -> bool {
        self.is_for(What::Beat)
    }

    /// Not 0 while the thread asks again and again for something: what [`Page::words`] was before
    /// it asked the last time. Owner, while busy or in a wait; it has the place of [`Slot::link`],
    /// which says something else before that and after.
    pub fn spin(&self) -> &AtomicU32 {
        &self.link
    }

    /// [`Slot::spin`] of a thread that was `seen` asking, or napping between two rounds of it;
    /// otherwise 0.
    pub fn spins(&self, seen: State) -> u32 {
        let asks = || seen.kind() == Kind::Foreign && owned(self.tracer.load(SeqCst));
        let naps = || {
            (matches!(seen.kind(), Kind::Prep | Kind::Kernel) || asks()) && self.is_for(What::Spin)
        };
        if seen.kind() == Kind::Busy || naps() { self.spin().load(SeqCst) } else { 0 }
    }

    /// Does the thread, waiting until some instant, look now and then for what does not wake it:
    /// whether libc's own threads are done, whether there is a signal for a handler?
    pub fn peeps(&self) -> bool {
        self.what.load(SeqCst) & PEEPS != 0 && self.deadline.load(SeqCst) != NEVER
    }
}

impl Default for Slot {
    fn default() -> Slot {
        Slot::new()
    }
}

impl Page {
    /// Slots ever used.
    pub fn high(&self) -> usize {
        (self.header.high.load(SeqCst) as usize).min(SLOTS)
    }

    /// Takes a free slot for thread and process `[pid, tid, maker]`, and empties it. Its state
    /// still says free: see [`Page::claim`]. `None` when all are in use.
    pub(crate) fn take_free(&self, [pid, tid, maker]: [u32; 3], birth: u64) -> Option<usize> {
        let index = self.pop_free().or_else(|| self.fresh())?;
        let slot = &self.slots[index];
        slot.pid.store(pid, Relaxed);
        slot.tid.store(tid, Relaxed);
        slot.link.store(maker, Relaxed);
        slot.birth.store(birth, Relaxed);
        slot.deadline.store(NEVER, Relaxed);
        if slot.queued.load(SeqCst) == 0 && slot.heap_key.load(Relaxed) == 0 {
            slot.heap_key.store(NEVER, SeqCst);
        }
        let words = [
            &slot.covered,
            &slot.joiner,
            &slot.children,
            &slot.witness,
            &slot.what,
            &slot.cancels,
            &slot.tracer,
        ];
        for word in words {
            word.store(0, Relaxed);
        }
        slot.bell.store(0, Relaxed);
        slot.pthread.store(0, Relaxed);
        slot.start.store(0, Relaxed);
        slot.key.store(0, Relaxed);
        Some(index)
    }

    /// Gives slot `index` back. Its bit of the busy set stays until the lock's holder sees that it
    /// is free.
    pub fn release(&self, index: usize) {
        let slot = &self.slots[index];
        if self.header.rest.forced.load(SeqCst) != 0 {
            self.force(index, None);
        }
        // A new wait number: nobody who saw the slot before may take its next owner for the old
        // one.
        slot.state.prepare();
        slot.deadline.store(NEVER, SeqCst);
        slot.pid.store(0, Relaxed);
        slot.tid.store(0, Relaxed);
        slot.state.set(Kind::Free);
        let mut head = self.header.free.load(SeqCst);
        loop {
            slot.link.store(head as u32, Relaxed);
            let next = (index as u64 + 1) | ((head >> 32).wrapping_add(1) << 32);
            match self.header.free.compare_exchange(head, next, SeqCst, SeqCst) {
                Ok(_) => return,
                Err(now) => head = now,
            }
        }
    }

    /// Gives slot `index` back if it is still as it was `seen`: of several who find its thread
    /// gone, one does it, and is told who waits for the thread's end.
    ///
    /// Who waits says so in the slot, then looks at its state, and then whether it is still that
    /// thread's: either the slot is found free or nobody's, or it was said before both and is found
    /// here.
    pub fn release_seen(&self, index: usize, seen: State) -> Option<usize> {
        let slot = &self.slots[index];
        if !slot.state.replace(seen, Kind::Free) {
            return None;
        }
        // A timer has something else in these places.
        let joiner = if seen.kind() == Kind::Timer {
            0
        } else {
            slot.pthread.store(0, SeqCst);
            slot.joiner.swap(0, SeqCst)
        };
        self.release(index);
        joiner.checked_sub(1).map(|joiner| joiner as usize)
    }

    fn pop_free(&self) -> Option<usize> {
        let mut head = self.header.free.load(SeqCst);
        loop {
            let index = (head as u32).checked_sub(1)? as usize;
            let next =
                self.slots[index].link.load(Relaxed) as u64 | ((head >> 32).wrapping_add(1) << 32);
            match self.header.free.compare_exchange(head, next, SeqCst, SeqCst) {
                Ok(_) => return Some(index),
                Err(now) => head = now,
            }
        }
    }

    fn fresh(&self) -> Option<usize> {
        let mut high = self.header.high.load(SeqCst);
        loop {
            if high as usize >= SLOTS {
                self.header.slots_missed.fetch_add(1, Relaxed);
                return None;
            }
            match self.header.high.compare_exchange(high, high + 1, SeqCst, SeqCst) {
                Ok(_) => return Some(high as usize),
                Err(now) => high = now,
            }
        }
    }

    /// A number, not 0, that changes with whatever any thread does that can be seen here. That
    /// those who spin ask again changes nothing for others; nor does it that the deadlines of
    /// timers are set anew, only what is done when they come; nor that a runtime has looked after
    /// its threads.
    pub fn words(&self) -> u32 {
        let mut sum = self.header.signals_sent.load(SeqCst) as u32;
        for slot in &self.slots[..self.high()] {
            let state = slot.state.load();
            let what = slot.what.load(SeqCst);
            let aside = what == What::Timer as u32 || what == What::Beat as u32;
            let word = if aside || slot.spins(state) != 0 { 1 } else { state.0 };
            sum = (sum.rotate_left(5) ^ word).wrapping_mul(0x9e37_79b1);
        }
        sum | 1
    }

    /// The slot that thread `tid` of process `pid` uses, if any.
    pub fn find(&self, pid: u32, tid: u32) -> Option<usize> {
        (0..self.high()).find(|&i| {
            let s = &self.slots[i];
            s.tid.load(Relaxed) == tid
                && s.pid.load(Relaxed) == pid
                && s.state.load().kind() != Kind::Free
        })
    }
}
