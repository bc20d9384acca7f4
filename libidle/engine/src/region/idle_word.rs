//! What the region holds of the state file: see [`crate::statefile::idle_state`].

use crate::sync::{AtomicU32, AtomicU64};

/// Somebody runs. All other values only occur where there is a state file.
pub const BUSY: u32 = 0;
/// The keeper surveys once more.
pub const SETTLING: u32 = 1;
/// The keeper is about to release the lock.
pub const RELEASING: u32 = 2;
/// The lock is released.
pub const IDLE: u32 = 3;

/// The words.
#[repr(C, align(64))]
pub struct IdleWords {
    /// [`BUSY`] to [`IDLE`]; also a futex. See NOTE [Seen idle] in
    /// [`crate::statefile::idle_state`] for who changes it.
    pub word: AtomicU32,
    /// Is there a state file? Whoever made the region, once.
    pub tracked: AtomicU32,
    /// Somebody outside has held the lock for too long; whoever noticed.
    pub impatient: AtomicU32,
    /// Trouble with the file has been reported; whoever noticed.
    pub told: AtomicU32,
    /// Only the first process is tracked; whoever made the region, once.
    pub alone: AtomicU32,
    /// Threads that say themselves what they count as, see [`crate::region::forced`]. They.
    pub forced: AtomicU32,
    /// Busy periods, this one included. Whoever sets the word from idle to busy.
    pub serial: AtomicU64,
    /// Device and inode of the state file: a descriptor that leads to another one is not ours any
    /// more. Whoever made the region.
    pub(crate) file: [AtomicU64; 2],
    _pad: [AtomicU64; 2],
}

impl IdleWords {
    /// Busy, and nobody is told.
    #[cfg(loom)]
    pub fn new() -> IdleWords {
        let zero = || AtomicU32::new(0);
        IdleWords {
            word: zero(),
            tracked: zero(),
            impatient: zero(),
            told: zero(),
            alone: zero(),
            forced: zero(),
            serial: AtomicU64::new(0),
            file: std::array::from_fn(|_| AtomicU64::new(0)),
            _pad: std::array::from_fn(|_| AtomicU64::new(0)),
        }
    }
}
