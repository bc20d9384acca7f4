//! What the region knows of the state file: see [`crate::statefile::idle_state`].

use crate::sync::{AtomicU32, AtomicU64};

/// A thread runs. All other values occur only where there is a state file.
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
    /// [`BUSY`] to [`IDLE`]; also a futex. NOTE [Seen idle] in [`crate::statefile::idle_state`]
    /// says which thread changes it.
    pub word: AtomicU32,
    /// Is there a state file? The maker of the region sets it, once.
    pub tracked: AtomicU32,
    /// A process outside has held the lock for too long. The thread that noticed sets it.
    pub impatient: AtomicU32,
    /// Trouble with the file has been reported. The thread that noticed sets it.
    pub told: AtomicU32,
    /// Only the first process is tracked. The maker of the region sets it, once.
    pub alone: AtomicU32,
    /// The number of threads that say what they count as, see [`crate::region::forced`]. Those
    /// threads change it.
    pub forced: AtomicU32,
    /// Busy periods, this one included. The thread that changes the word from idle to busy counts.
    pub serial: AtomicU64,
    /// Device and inode of the state file. A descriptor that leads to another file is not ours any
    /// more. The maker of the region sets them.
    pub(crate) file: [AtomicU64; 2],
    _pad: [AtomicU64; 2],
}

impl IdleWords {
    /// Busy, and without a state file.
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
