//! What threads say that they count as, idle or busy, whatever they do.
//!
//! NOTE [Forced idle]. A forced-idle thread runs while nobody takes it for busy. So what it does
//! for others cannot rest on its being busy. A thread that promises a wake-up, makes a thread or
//! sends a signal reads the word of [`crate::statefile::idle_state`] afterwards
//! ([`crate::region::layout::Page::awake`]). For all other threads that is one load of a word that
//! says *busy*.

use crate::region::sizes::WORDS;
use crate::sync::AtomicU64;

/// What a thread counts as.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Forced {
    /// Blocked, though the thread may run.
    Idle,
    /// Running, though the thread may be blocked.
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

    pub(crate) fn of(&self, what: Forced) -> &[AtomicU64; WORDS] {
        match what {
            Forced::Idle => &self.idle,
            Forced::Busy => &self.busy,
        }
    }
}
