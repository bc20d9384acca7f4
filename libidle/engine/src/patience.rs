//! The engine's patiences: see [`posix::patience`] for what one may do, and for the test build that
//! scales them. Each names its kind: real time, processor time, or a count.

use posix::patience::{count, no_shorter, period, span};
use posix::time::{CpuSpan, RealSpan};

// The keeper's loop (`keeper/rounds.rs`).

/// Real time: the keeper's first back-off after a look that found a thread still on its way to
/// sleep. It delays a jump by this much. It decides nothing: the look that follows is exact.
pub const BACKOFF_MIN: RealSpan = span(RealSpan::from_us(10));
/// Real time: its longest back-off; each is twice the one before.
pub const BACKOFF_MAX: RealSpan = span(RealSpan::from_ms(1));
/// Real time: how long the keeper first sleeps while somebody is busy and nobody kicks it. The
/// keeper has to notice threads that died, or that fell asleep where no hook saw it. It finds them
/// this much later.
pub const PATROL_MIN: RealSpan = span(RealSpan::from_us(200));
/// Real time: the longest such sleep.
pub const PATROL_MAX: RealSpan = span(RealSpan::from_ms(10));
/// Real time: the longest such sleep while the busy thread differs from patrol to patrol. A program
/// that starts others all the time would pay for looks that find nothing, and the keeper still
/// finds an unhooked wait soon.
pub const PATROL_MOVES: RealSpan = span(RealSpan::from_us(1600));
/// Real time: how long the keeper sleeps when all is at rest. A kick ends the rest.
pub const HEARTBEAT: RealSpan = span(RealSpan::from_ms(50));
/// Real time: the same while a thread is asleep whose waking no hook will report.
pub const WATCH: RealSpan = span(RealSpan::from_ms(2));
/// Real time between two looks of a thread that waits to be the next keeper. A successor that the
/// kernel has woken may have died before it took the word. Costs the session that much time without
/// a keeper.
pub const SUCCESSOR: RealSpan = span(RealSpan::from_secs(1));

/// Real time between two looks while somebody holds the clock. The end of an owner that did not
/// release its hold is noticed so much later, and a frozen clock goes on in steps of it.
pub const HOLD_LOOK: RealSpan = span(RealSpan::from_ms(1));

// Waits (`schedule/`).

/// A count: the kernel waits that a blocking thread passes in its search for a busy thread. It
/// bounds what a block costs. After that the answer is "unknown", and the keeper looks.
pub const GLANCE: u32 = count(64);
/// Real time: the longest time-out of a wait. Jumps bring a deadline nearer than the kernel was
/// told, and only the keeper sees to that; without it a wait is late by no more than this.
///
/// No build makes it shorter. A signal's handler that runs after such a time-out, and before the
/// thread is back in its futex call, ends no wait: the shorter the time-outs, the more of them miss
/// a handler.
pub const RECHECK: RealSpan = no_shorter(RealSpan::from_secs(10));
/// Real time: the first pause before a wait in a frozen session looks again; doubles up to
/// [`RECHECK`], of which the same is true.
pub const RECHECK_FROZEN: RealSpan = no_shorter(RealSpan::from_ms(1));
/// Real time: the longest back-off of a thread that asks again and again. A computing thread may be
/// about to do what this one waits for, and this one finds out that much later.
pub const LONGEST_BACK_OFF: RealSpan = span(RealSpan::from_us(500));

/// Real time between two looks of a thread that waits for a timer descriptor's lock.
pub const LOCK_LOOK: RealSpan = period(RealSpan::from_us(50));

// A frozen clock that nobody can move (`schedule/frozen_progress.rs`). These name a thread that may
// be waiting on plain memory.

/// Processor time after which the next of several waiters due at one instant is woken too.
pub const PEERS: CpuSpan = span(CpuSpan::from_ms(5));
/// Processor time without any change before the clock moves for a waiter of the same process.
pub const UNCHANGED: CpuSpan = span(CpuSpan::from_ms(500));
/// Processor time from one such step to the next.
pub const PACE: CpuSpan = span(CpuSpan::from_ms(100));
/// Processor time without any change before the clock follows real time.
pub const FOLLOW: CpuSpan = span(CpuSpan::from_secs(2));
/// Processor time of the whole session at one instant before it does: a program that works until
/// some time has passed, or whose threads hand work to each other until then, is to end a few
/// seconds later than natively.
pub const LAST: CpuSpan = span(CpuSpan::from_secs(2));
/// Real time between two looks at what the session has used: they cost a file for each process.
pub const SAMPLE: RealSpan = period(RealSpan::from_ms(250));
/// Real time between two looks: the keeper may be kicked more often than it makes sense to look.
pub const INTERVAL: RealSpan = span(RealSpan::from_ms(1));

// Traced threads that spin (`keeper/spin_suspects.rs`). These name a suspect to the tracer, which
// watches it.

/// Processor time before the keeper first asks the tracer; doubles up to [`SUSPECT_LONGEST`].
pub const SUSPECT: CpuSpan = span(CpuSpan::from_ms(10));
/// The same with a frozen clock: for threads that hand work to each other at one instant no time
/// may pass.
pub const SUSPECT_FROZEN: CpuSpan = span(CpuSpan::from_ms(200));
/// See [`SUSPECT`].
pub const SUSPECT_LONGEST: CpuSpan = span(CpuSpan::from_secs(2));

// The tracer's answers (`programs/tracing.rs`).

/// Real time of one wait for the tracer's answer.
pub const ANSWER: RealSpan = span(RealSpan::from_ms(50));
/// A count of such waits: a minute. A busy machine takes its time to start the tracer.
pub const ANSWERS: u32 = count(1200);

// The state file (`statefile/`).

/// Real time: one wait for the keeper while it releases the lock, which takes it a microsecond.
pub const RELEASE: RealSpan = span(RealSpan::from_ms(1));
/// A count: how often a thread without the file looks whether the keeper has taken the lock; that
/// may have to wait for somebody outside, see [`crate::statefile::file::StateFile`].
pub const HELD_UP: u32 = count(11_000);
/// Real time: the first pause between two tries to lock the file while somebody outside holds it.
pub const LOCK_PAUSE_MIN: RealSpan = span(RealSpan::from_us(20));
/// Real time: the longest such pause. Who comes to hold the lock sees it so much later.
pub const LOCK_PAUSE_MAX: RealSpan = span(RealSpan::from_ms(1));
