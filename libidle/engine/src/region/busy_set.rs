//! The busy set: the slots that may be busy. It is a superset, in two levels of bits
//! (NOTE [At rest] in [`crate::schedule::survey`]).

use crate::region::layout::Page;
use crate::region::sizes::PER_WORD;
use crate::sync::SeqCst;

impl Page {
    /// Marks slot `index` as possibly busy. The caller sets the state word *before* it calls this,
    /// and is itself busy.
    #[inline]
    pub(crate) fn set_busy(&self, index: usize) {
        let (word, bit) = (&self.busy[index / PER_WORD], 1u64 << (index % PER_WORD));
        if word.load(SeqCst) & bit == 0 {
            word.fetch_or(bit, SeqCst);
        }
        let above = index / PER_WORD;
        let (word, bit) = (&self.busy_summary[above / PER_WORD], 1u64 << (above % PER_WORD));
        if word.load(SeqCst) & bit == 0 {
            word.fetch_or(bit, SeqCst);
        }
    }

    /// The words of the busy set that may be other than zero, ascending.
    pub(crate) fn busy_words(&self) -> impl Iterator<Item = usize> {
        let words = self.high().div_ceil(PER_WORD).div_ceil(PER_WORD);
        (0..words).flat_map(|s| {
            let mut bits = self.busy_summary[s].load(SeqCst);
            std::iter::from_fn(move || {
                let bit = bits.trailing_zeros() as usize;
                (bits != 0).then(|| {
                    bits &= bits - 1;
                    s * PER_WORD + bit
                })
            })
        })
    }

    /// Takes word `w` out of the summary if the word is zero. Only the lock's holder may call it.
    pub(crate) fn settle_word(&self, w: usize) {
        if self.busy[w].load(SeqCst) == 0 {
            let (word, bit) = (&self.busy_summary[w / PER_WORD], 1u64 << (w % PER_WORD));
            word.fetch_and(!bit, SeqCst);
            if self.busy[w].load(SeqCst) != 0 {
                word.fetch_or(bit, SeqCst);
            }
        }
    }
}
