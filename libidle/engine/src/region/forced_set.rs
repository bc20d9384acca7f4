//! Which slots are in the sets of [`crate::region::forced`].

use crate::region::forced::Forced;
use crate::region::layout::Page;
use crate::region::sizes::{PER_WORD, SLOTS};
use crate::sync::SeqCst;

impl Page {
    /// What the thread of slot `index` says that it counts as.
    #[inline]
    pub fn forced(&self, index: usize) -> Option<Forced> {
        if self.header.idle.forced.load(SeqCst) == 0 { None } else { self.forced_now(index) }
    }

    #[cold]
    fn forced_now(&self, index: usize) -> Option<Forced> {
        if index >= SLOTS {
            return None;
        }
        let has = |what| {
            self.forced.of(what)[index / PER_WORD].load(SeqCst) & 1 << (index % PER_WORD) != 0
        };
        [Forced::Busy, Forced::Idle].into_iter().find(|&what| has(what))
    }

    /// Changes what the thread of slot `index` says. The thread itself calls it, or the caller that
    /// gives the slot back.
    pub fn force(&self, index: usize, what: Option<Forced>) {
        let count = &self.header.idle.forced;
        let (at, bit) = (index / PER_WORD, 1u64 << (index % PER_WORD));
        if let Some(what) = what
            && self.forced.of(what)[at].fetch_or(bit, SeqCst) & bit == 0
        {
            count.fetch_add(1, SeqCst);
        }
        for other in [Forced::Idle, Forced::Busy].into_iter().filter(|&other| Some(other) != what) {
            let word = &self.forced.of(other)[at];
            if word.load(SeqCst) & bit != 0 && word.fetch_and(!bit, SeqCst) & bit != 0 {
                count.fetch_sub(1, SeqCst);
            }
        }
    }
}
