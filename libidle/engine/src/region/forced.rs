//! What threads say themselves that they count as, whatever they do: idle or busy.
//!
//! NOTE [Forced idle]. Such a thread runs while nobody takes it for busy, so what it does for
//! others does not rest on its being busy: whoever promises a wake-up, makes a thread or sends a
//! signal looks at the word of [`crate::statefile::idle_state`] afterwards
//! ([`Engine::awake`](crate::Engine::awake)). For all other threads that is a load of a word that
//! says *busy*.

use crate::region::layout::{PER_WORD, Page, SLOTS, WORDS};
use crate::sync::{AtomicU64, SeqCst};

/// What a thread counts as.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Forced {
    /// Blocked, though it may run.
    Idle,
    /// Running, though it may be blocked.
    Busy,
}

/// A bit for each slot.
#[repr(C)]
pub struct Sets {
    idle: [AtomicU64; WORDS],
    busy: [AtomicU64; WORDS],
}

impl Sets {
    /// Nobody is in them.
    #[cfg(loom)]
    pub fn new() -> Sets {
        Sets {
            idle: std::array::from_fn(|_| AtomicU64::new(0)),
            busy: std::array::from_fn(|_| AtomicU64::new(0)),
        }
    }

    fn of(&self, what: Forced) -> &[AtomicU64; WORDS] {
        match what {
            Forced::Idle => &self.idle,
            Forced::Busy => &self.busy,
        }
    }
}

impl Page {
    /// What slot `index`'s thread says.
    #[inline]
    pub fn forced(&self, index: usize) -> Option<Forced> {
        if self.header.rest.forced.load(SeqCst) == 0 { None } else { self.forced_now(index) }
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

    /// Changes what slot `index`'s thread says: the thread itself, or whoever gives the slot back.
    pub fn force(&self, index: usize, what: Option<Forced>) {
        let count = &self.header.rest.forced;
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
