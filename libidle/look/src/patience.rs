//! The patiences of the look: see [`posix::patience`] for what one may do.

use posix::patience::span;
use posix::time::RealSpan;

/// Real time: the look looks at a thread whose state word has said *busy* for this long. What it
/// finds is exact. So this costs a read of three files, or the keeper finds an unhooked wait that
/// much later.
pub const STALE: RealSpan = span(RealSpan::from_us(400));
/// Real time: a thread in its last steps that has been asleep for this long waits for another
/// thread.
pub const LINGERING: RealSpan = span(RealSpan::from_ms(2));
/// Real time: without its `syscall` file a thread counts as asleep when it has not run for this
/// long.
pub const QUIET: RealSpan = span(RealSpan::from_ms(2));
/// Real time: the look gives back a credit whose maker is dead after this long, if nobody can say
/// whose children are whose.
pub const ORPHANED: RealSpan = span(RealSpan::from_secs(1));
