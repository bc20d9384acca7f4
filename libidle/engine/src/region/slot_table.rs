//! How slots are taken, given back and found.

use crate::region::layout::Page;
use crate::region::sizes::SLOTS;
use crate::region::state::{Kind, State};
use crate::region::wait_kind::WaitKind;
use crate::sync::{Relaxed, SeqCst};
use posix::time::NEVER;

impl Page {
    /// Slots ever used.
    pub fn high(&self) -> usize {
        (self.header.high.load(SeqCst) as usize).min(SLOTS)
    }

    /// Takes a free slot for thread and process `[pid, tid, maker]`, and empties it. The state word
    /// still says free: see [`Page::claim`]. `None` when all are in use.
    pub(crate) fn take_free(&self, [pid, tid, maker]: [u32; 3], birth: u64) -> Option<usize> {
        let index = self.pop_free().or_else(|| self.fresh())?;
        let slot = &self.slots[index];
        slot.pid.store(pid, Relaxed);
        slot.tid.store(tid, Relaxed);
        slot.birth.store(birth, Relaxed);
        slot.deadline.store(NEVER, Relaxed);
        if slot.queued.load(SeqCst) == 0 && slot.heap_key.load(Relaxed) == 0 {
            slot.heap_key.store(NEVER, SeqCst);
        }
        let thread = slot.thread();
        for word in [&slot.covered, &slot.witness, &slot.tracer, thread.joiner, thread.children] {
            word.store(0, Relaxed);
        }
        for word in [&thread.what, &thread.spin, &thread.cancels] {
            word.store(0, Relaxed);
        }
        thread.wake_fd.store(0, Relaxed);
        for word in [&thread.queue, &thread.pthread, &thread.interrupted_at] {
            word.store(0, Relaxed);
        }
        let credit = slot.credit();
        credit.alarm_deadline.store(0, Relaxed);
        credit.maker.store(maker, Relaxed);
        Some(index)
    }

    /// Gives slot `index` back. Its bit of the busy set stays until the lock's holder sees that the
    /// slot is free.
    pub fn release(&self, index: usize) {
        let slot = &self.slots[index];
        if self.header.idle.forced.load(SeqCst) != 0 {
            self.force(index, None);
        }
        // A new wait number: a thread that saw the slot before must not take its next owner for the
        // old one.
        slot.state.prepare();
        slot.deadline.store(NEVER, SeqCst);
        slot.pid.store(0, Relaxed);
        slot.tid.store(0, Relaxed);
        slot.state.set(Kind::Free);
        let mut head = self.header.free.load(SeqCst);
        loop {
            slot.free().next.store(head as u32, Relaxed);
            let next = (index as u64 + 1) | ((head >> 32).wrapping_add(1) << 32);
            match self.header.free.compare_exchange(head, next, SeqCst, SeqCst) {
                Ok(_) => return,
                Err(now) => head = now,
            }
        }
    }

    /// Gives slot `index` back if its state is still `seen`. Of several threads that find its
    /// thread gone, one gives it back, and gets the slot of the joiner.
    ///
    /// No joiner is lost. The joiner stores its number in the slot, then reads the state word, and
    /// then looks whether the slot is still that thread's. Either the joiner finds the slot free or
    /// taken by another thread, or it stored its number before both and this function finds the
    /// number.
    pub fn release_seen(&self, index: usize, seen: State) -> Option<usize> {
        let slot = &self.slots[index];
        if !slot.state.replace(seen, Kind::Free) {
            return None;
        }
        // A timer uses these fields for something else.
        let joiner = if seen.kind() == Kind::Timer {
            0
        } else {
            slot.thread().pthread.store(0, SeqCst);
            slot.thread().joiner.swap(0, SeqCst)
        };
        self.release(index);
        joiner.checked_sub(1).map(|joiner| joiner as usize % SLOTS)
    }

    fn pop_free(&self) -> Option<usize> {
        let mut head = self.header.free.load(SeqCst);
        loop {
            let index = (head as u32).checked_sub(1)? as usize % SLOTS;
            let next = self.slots[index].free().next.load(Relaxed) as u64
                | ((head >> 32).wrapping_add(1) << 32);
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

    /// A number, not 0, that changes with everything that any thread does and that can be seen
    /// here. Three things do not count. A spinning thread asks again: that changes nothing for
    /// others. A timer's deadline is set anew: only what happens when it comes counts. A runtime
    /// tick: the runtime has looked after its own threads.
    pub fn words(&self) -> u32 {
        let mut sum = self.header.signals_sent.load(SeqCst) as u32;
        for slot in &self.slots[..self.high()] {
            let state = slot.state.load();
            let what = slot.thread().what.load(SeqCst);
            let aside = what == WaitKind::Timer as u32 || what == WaitKind::RuntimeTick as u32;
            let word = if aside || slot.spins(state) != 0 { 1 } else { state.0 };
            sum = (sum.rotate_left(5) ^ word).wrapping_mul(0x9e37_79b1);
        }
        sum | 1
    }

    /// The slot of thread `tid` of process `pid`, if there is one.
    pub fn find(&self, pid: u32, tid: u32) -> Option<usize> {
        (0..self.high()).find(|&i| {
            let s = &self.slots[i];
            s.tid.load(Relaxed) == tid
                && s.pid.load(Relaxed) == pid
                && s.state.load().kind() != Kind::Free
        })
    }
}
