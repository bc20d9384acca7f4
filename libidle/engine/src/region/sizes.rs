//! How many of each thing the region has.

/// Threads that a session can hold. More run in real time, untracked.
#[cfg(not(loom))]
pub const SLOTS: usize = 65_536;
/// In the model.
#[cfg(loom)]
pub const SLOTS: usize = 4;
/// Slots that one word of the busy set stands for.
#[cfg(not(loom))]
pub const PER_WORD: usize = 64;
/// In the model: so few that both levels of the set matter.
#[cfg(loom)]
pub const PER_WORD: usize = 2;
/// Words of the busy set.
pub const WORDS: usize = SLOTS.div_ceil(PER_WORD);
/// Words of the busy set's summary.
pub const SUMMARY: usize = WORDS.div_ceil(PER_WORD);
/// Entries of one deadline heap: more than one a slot, because a superseded entry stays until it
/// comes to the top.
pub const HEAP: usize = SLOTS * 2;
/// Heaps. A stopped holder that lost the clock's lock goes on writing into the arena that it knew.
pub const ARENAS: usize = 2;
/// Clock ids that have a base for a frozen clock (`CLOCK_REALTIME` 0 to `CLOCK_TAI` 11).
pub const CLOCKS: usize = 12;
/// TCP sockets of which there can be a note ([`crate::region::holds`]).
#[cfg(not(loom))]
pub const NOTES: usize = 128;
/// In the model.
#[cfg(loom)]
pub const NOTES: usize = 1;
/// Named holds at once ([`crate::region::named_holds`]).
#[cfg(not(loom))]
pub const HOLDS: usize = 256;
/// In the model.
#[cfg(loom)]
pub const HOLDS: usize = 1;
/// Program files that the ELF cache remembers.
#[cfg(not(loom))]
pub const FILES: usize = 64;
/// In the model.
#[cfg(loom)]
pub const FILES: usize = 1;
