//! Sets of descriptors: a bit for each number, in the process's own memory.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};

/// Numbers from here on are in no set.
pub const TRACKED: usize = 65_536;

/// A set.
pub struct FdSet {
    words: [AtomicU64; TRACKED / 64],
    count: AtomicU64,
}

impl FdSet {
    /// The empty one.
    pub const fn new() -> FdSet {
        FdSet { words: [const { AtomicU64::new(0) }; TRACKED / 64], count: AtomicU64::new(0) }
    }

    /// Is there anything in it?
    #[inline]
    pub fn any(&self) -> bool {
        self.count.load(Relaxed) != 0
    }

    /// Is `fd` in it?
    #[inline]
    pub fn contains(&self, fd: i32) -> bool {
        self.any()
            && (0..TRACKED as i32).contains(&fd)
            && self.words[fd as usize / 64].load(Relaxed) & (1 << (fd as usize % 64)) != 0
    }

    /// Puts `fd` into it, or takes it out.
    pub fn set(&self, fd: i32, on: bool) {
        let Some(at) = usize::try_from(fd).ok().filter(|&fd| fd < TRACKED) else { return };
        let (word, bit) = (&self.words[at / 64], 1u64 << (at % 64));
        if on {
            if word.fetch_or(bit, SeqCst) & bit == 0 {
                self.count.fetch_add(1, SeqCst);
            }
        } else if word.load(Relaxed) & bit != 0 && word.fetch_and(!bit, SeqCst) & bit != 0 {
            self.count.fetch_sub(1, SeqCst);
        }
    }

    /// What is in it of `first..=last`, ascending.
    pub fn within(&self, first: u32, last: u32) -> impl Iterator<Item = u32> {
        let (first, last) = (first as usize, (last as usize).min(TRACKED - 1));
        let words = if !self.any() || first > last { 0..0 } else { first / 64..last / 64 + 1 };
        words.flat_map(move |w| {
            let mut bits = self.words[w].load(Relaxed);
            std::iter::from_fn(move || {
                let bit = (bits != 0).then(|| bits.trailing_zeros() as usize)?;
                bits &= bits - 1;
                Some(w * 64 + bit)
            })
            .filter(move |fd| (first..=last).contains(fd))
            .map(|fd| fd as u32)
        })
    }
}

impl Default for FdSet {
    fn default() -> FdSet {
        FdSet::new()
    }
}
