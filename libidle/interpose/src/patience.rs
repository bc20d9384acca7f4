//! The patiences of the hooks and of this library's threads: see [`posix::patience`] for what one
//! may do, and for the test build that scales them.

use posix::patience::{count, no_shorter, period, span};
use posix::time::{CpuSpan, RealSpan};

// Loops that ask again and again (`shim/spin_loop.rs`); see also `posix::patience`.

/// Real time: who has given the processor away for so long at once gives way no more.
pub const GAVE_WAY: RealSpan = span(RealSpan::from_us(500));

// Waits that nobody can end from outside: they are made of short ones.

/// Real time of such a slice. The thread is told so much later by the real clock, and by nothing of
/// virtual time: that does not pass the thread's deadline meanwhile.
pub const SLICE: RealSpan = period(RealSpan::from_ms(1));

// Before a signal is sent (`shim/await_sleep.rs`).

/// Processor time that a thread uses which says that it waits: then it is in a handler, not on its
/// way to sleep. Processor time, because on a busy machine it may not have run at all meanwhile.
/// Not scaled down: some thousand times what the way to sleep takes, it stands for what cannot be
/// asked, whether a handler runs.
pub const AWAKE: CpuSpan = no_shorter(CpuSpan::from_ms(20));
/// Real time that the sender gives the processor away in, before it sleeps between its looks.
pub const YIELDS: RealSpan = span(RealSpan::from_ms(20));

// This library's own threads (`shim/bare_thread.rs` and who uses it).

/// Real time between two looks of a thread that waits for another thread of this process to start
/// one, or end it. Short, because a thread that is busy and yet sleeps for long would be taken for
/// one in a call that no hook saw, and that for rest: between two patrols of a keeper it must run.
pub const MOMENT: RealSpan = period(RealSpan::from_us(50));
/// A count: how often a row for `LIBIDLE_VERBOSE` is read anew because something has changed
/// meanwhile. The last one read is printed.
pub const ROW_TRIES: u32 = count(100) + 1;
