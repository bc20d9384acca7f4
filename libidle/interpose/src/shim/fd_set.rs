//! Sets of descriptors: a bit for each number, in the process's own memory.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};

/// Numbers from here on are in no set.
pub const TRACKED: usize = 65_536;

/// The sets that there are, a number each.
pub mod sets {
    /// Of [`crate::shim::hidden_fds`].
    pub const HIDDEN: usize = 0;
    /// Of [`crate::shim::timer_fds`].
    pub const TIMERS: usize = 1;
    /// Of [`crate::shim::tcp_push`].
    pub const SOCKETS: usize = 2;
    /// Of [`crate::shim::written_files`]: no regular files.
    pub const OTHERS: usize = 3;
    /// Of [`crate::shim::written_files`]: written since they were last looked at.
    pub const WRITTEN: usize = 4;
    /// Of [`crate::shim::written_files`]: regular files.
    pub const REGULAR: usize = 5;
    /// Of [`crate::shim::written_files`]: perhaps written since they were last looked at.
    pub const PERHAPS: usize = 7;
    /// libc's streams: of libflux.so's file times.
    pub const STREAMS: usize = 6;
}

/// How many descriptors are in each set: most are empty, and nobody touches their pages.
#[unsafe(link_section = ".data.interpose")]
static COUNTS: [AtomicU64; 8] = [const { AtomicU64::new(0) }; 8];

/// A set: the one static of its number.
pub struct FdSet<const SET: usize> {
    words: [AtomicU64; TRACKED / 64],
}

impl<const SET: usize> FdSet<SET> {
    /// The empty one.
    #[allow(clippy::new_without_default, reason = "one is only ever a static")]
    pub const fn new() -> FdSet<SET> {
        FdSet { words: [const { AtomicU64::new(0) }; TRACKED / 64] }
    }

    /// Is there anything in it?
    #[inline]
    pub fn any(&self) -> bool {
        COUNTS[SET].load(Relaxed) != 0
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
                COUNTS[SET].fetch_add(1, SeqCst);
            }
        } else if word.load(Relaxed) & bit != 0 && word.fetch_and(!bit, SeqCst) & bit != 0 {
            COUNTS[SET].fetch_sub(1, SeqCst);
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
