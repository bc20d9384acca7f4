//! Slots of threads to come: a thread counts as busy from before it exists.
//!
//! NOTE [A credit]. Before a thread exists its slot belongs to its creator. The creator has taken
//! it as a *credit* (kind `New`, counted as busy), so no jump comes between the creation and the
//! thread's first step. A creator may be killed before its child exists, or before it knows the
//! child's number. So a credit names its maker. The keeper gives the credit back when the maker is
//! dead and nobody is left that could be the child. Adoption and giving back are both a
//! compare-and-swap of the state that the credit was made with, so only one of them happens.

use crate::region::layout::Page;
use crate::region::sizes::SLOTS;
use crate::region::state::{Kind, State};
use crate::sync::{Relaxed, SeqCst};

/// A slot taken for a process to come: its index, and its state until it is adopted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Credit(u64);

impl Credit {
    /// The slot.
    pub fn index(self) -> usize {
        self.0 as u32 as usize
    }

    fn seen(self) -> State {
        State((self.0 >> 32) as u32)
    }

    /// As one number, for the environment or a word.
    pub fn word(self) -> u64 {
        self.0
    }

    /// From [`Credit::word`], if it can be one.
    pub fn from_word(word: u64) -> Option<Credit> {
        let credit = Credit(word);
        (credit.index() < SLOTS && credit.seen().kind() == Kind::New).then_some(credit)
    }
}

/// SplitMix64's finaliser: spreads birth keys.
fn mix(x: u64) -> u64 {
    let x = (x ^ x >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ x >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ x >> 31
}

impl Page {
    /// The birth key of `parent`'s next child.
    pub fn birth_of_child(&self, parent: usize) -> u64 {
        let p = &self.slots[parent];
        let n = p.thread().children.fetch_add(1, Relaxed) as u64 + 1;
        mix(p.birth.load(Relaxed).wrapping_add(n.wrapping_mul(0x9e37_79b9_7f4a_7c15)))
    }

    /// Takes a free slot, busy from now on. The caller is itself busy (or is the launcher before
    /// the session starts), so nobody decides to jump before the slot's bit is set. `None` when all
    /// slots are in use.
    pub fn claim(&self, kind: Kind, pid: u32, tid: u32, birth: u64) -> Option<usize> {
        self.take(kind, [pid, tid, 0], birth)
    }

    /// Takes a free slot for a process that process `maker` is about to create.
    pub fn credit(&self, maker: u32, birth: u64) -> Option<Credit> {
        self.take(Kind::New, [0, 0, maker], birth).map(|index| self.as_credit(index))
    }

    fn take(&self, kind: Kind, owner: [u32; 3], birth: u64) -> Option<usize> {
        let index = self.take_free(owner, birth)?;
        self.slots[index].state.set(kind);
        self.set_busy(index);
        Some(index)
    }

    /// Slot `index`, whose state the caller has just set to `New`, as a credit.
    pub fn as_credit(&self, index: usize) -> Credit {
        Credit(index as u64 | (self.slots[index].state.load().0 as u64) << 32)
    }

    /// The creator knows the child's number now. From here on the credit belongs to that process,
    /// adopted or not.
    pub fn place(&self, credit: Credit, pid: u32) {
        let slot = &self.slots[credit.index()];
        if slot.state.load() == credit.seen() {
            let _ = slot.pid.compare_exchange(0, pid, SeqCst, SeqCst);
        }
    }

    /// Thread `tid` of process `pid` adopts the credit, busy; false if the credit was given back.
    pub fn adopt(&self, credit: Credit, pid: u32, tid: u32) -> bool {
        let slot = &self.slots[credit.index()];
        let mine = slot.state.replace(credit.seen(), Kind::Busy);
        if mine {
            slot.pid.store(pid, SeqCst);
            slot.tid.store(tid, SeqCst);
            slot.thread().spin.store(0, SeqCst);
            self.set_busy(credit.index());
        }
        mine
    }
}
