//! The patiences of the look: see [`posix::patience`] for what one may do.

use posix::patience::span;
use posix::time::RealSpan;

/// Real time: a thread whose word has said for so long that it is busy is looked at. What the look
/// finds is exact, so it costs a read of three files, or a wait that no hook sees is found so much
/// later.
pub const STALE: RealSpan = span(RealSpan::from_us(400));
/// Real time: a thread in its last steps that has been asleep for this long waits for somebody
/// else.
pub const LINGERING: RealSpan = span(RealSpan::from_ms(2));
/// Real time: without its `syscall` file a thread counts as asleep when it has not run for this
/// long.
pub const QUIET: RealSpan = span(RealSpan::from_ms(2));
/// Real time: a credit whose maker is dead is given back after this long where nobody can say whose
/// children are whose.
pub const ORPHANED: RealSpan = span(RealSpan::from_secs(1));
