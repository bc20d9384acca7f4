//! The patiences of the launcher and the tracer: see [`posix::patience`] for what one may do, and
//! for the test build that scales them.

use posix::patience::{count, period, span};
use posix::time::RealSpan;
use std::time::Duration;

// What the user is promised. Not scaled: the manual names these times.

/// Real time that processes left over at the end get to end by themselves before they are killed.
pub const GRACE: Duration = Duration::from_secs(2);
/// Real time: two SIGINTs within this time are impatience, and end the session.
pub const TWICE: Duration = Duration::from_secs(2);

// Reports (`report/stall_report.rs`). They decide nothing but a line at `-v`.

/// Real time for which everybody has to be at rest before that is said: somebody outside may be
/// about to wake them.
pub const NOBODY_MOVES: RealSpan = span(RealSpan::from_secs(1));
/// Real time for which one thread runs while others wait for the clock, before that is said.
pub const ONE_RUNS: RealSpan = span(RealSpan::from_secs(3));

// The tracer.

/// Real time: so long the tracer looks for the next stop without sleeping, and stops that follow
/// each other within it are close.
pub const ATTENTION: RealSpan = span(RealSpan::from_us(100));
/// A count: so many answers to one thread in a row, and it shares a processor with the tracer.
pub const TOGETHER: u32 = count(16);
/// Real time that the keeper watches a thread which it has interrupted, and which ought to stop at
/// once. One that takes longer is looked for in the keeper's next round.
pub const INTERRUPTED: RealSpan = span(RealSpan::from_ms(2));
/// Real time around the instant at which the kernel ends a wait by itself: the wait is left to the
/// kernel.
pub const BY_ITSELF: RealSpan = span(RealSpan::from_ms(1));
/// Real time after which a new thread whose creator does not report it is taken in. The report
/// comes at once.
pub const UNREPORTED: RealSpan = span(RealSpan::from_ms(50));
/// Real time: the same where the creator's process lives. A busy machine may be why the report has
/// not come. (Or another thread has executed a program.)
pub const UNREPORTED_LATE: RealSpan = span(RealSpan::from_secs(2));
/// A count: so often the tracer's process is started anew; then it does not end by chance.
pub const TRACER_STARTS: u32 = count(2) + 1;

// Traced loops that ask again and again (`tracer/spin`). These name a suspect, which is then looked
// at exactly, or stopped between its rounds.

/// Real time after which a suspect that is not looked at any closer is looked at again.
pub const SUSPECT: RealSpan = period(RealSpan::from_us(50));
/// A count: so many waits in a row that were over before they began make a suspect.
pub const TOO_LATE: u32 = count(999) + 1;

/// As the standard library has it.
pub const fn duration(span: RealSpan) -> Duration {
    Duration::from_nanos(span.ns())
}
