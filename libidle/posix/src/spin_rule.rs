//! Loops that ask again and again for what a sleeping thread will do: when one is known for what it
//! is, and by how much the clock moves for its sake.
//!
//! Two observers count for these rules. The hooks see each call of their own thread, and keep an
//! [`Asker`]. The tracer sees what it stops at, and keeps a [`Watched`]. What they count is
//! *asking* and *something else*; a number of times of asking is a *poll iteration*. A thread that
//! has asked for so many iterations and done nothing else *spins*: from then on it backs off after
//! each iteration, by [`back_off`].
//!
//! After n iterations that nothing but back-offs have followed, the clock moves by n²
//! [`FROZEN_STEP`]s. So a loop that waits for an instant passes it by a fraction; an hour is over
//! after some two thousand iterations, a year after fifty thousand; and a loop that reads the clock
//! a fixed number of times, to measure it, ends before that is much.
//!
//! *Instants that have come* ([`Rounds`]). `poll` with time-out zero, and then "is it later than
//! when I began?": natively it is, by some nanoseconds. Many libraries wait like that, with
//! time-outs of zero too (Python's multiprocessing does), and with a frozen clock it would be a
//! loop without end. So whoever has found nothing and read the clock [`ROUNDS`] times in turn,
//! equally often each time, sees it move on by a microsecond: once, until it reads the clock in
//! some other way. All at one instant, and with nothing got done between: who waits four times
//! until a time-out, or meets four ends of files that it has just opened, asks for nothing.

mod asker;
mod watched;

pub use asker::{Asker, FOUND_NOTHING, NOT_THERE, SLOW, SLOW_LEAST, Seen};
pub use watched::{ASKS, COMPUTES, ELSEWHERE, READ, Verdict, WEIGHT, Watched};

use crate::time::Span;

/// What a call was for the loop that made it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// It has got nothing.
    Nothing,
    /// It has got something done.
    Something,
    /// Neither.
    Neither,
}

/// The shortest step of a clock that runs.
pub const STEP: Span = Span::from_ms(1);
/// The same of a frozen one.
pub const FROZEN_STEP: Span = Span::from_us(1);
/// The longest step. A program that reads a frozen clock millions of times does not come to the end
/// of time, where nothing can jump.
const LONGEST_STEP: Span = Span::from_secs(24 * 3600);

/// By how much the clock moves in the back-off after the `iterations`-th iteration, from `shortest`
/// to a day.
pub fn back_off(iterations: u64, shortest: Span) -> Span {
    FROZEN_STEP.times(iterations.saturating_mul(iterations)).clamp(shortest, LONGEST_STEP)
}

/// See *Instants that have come*.
const ROUNDS: u16 = 4;

/// How often in turn a thread has found nothing, with as many readings of the clock in between.
#[derive(Clone, Copy, Default, Debug)]
pub struct Rounds {
    /// Readings before the last call that found nothing.
    reads: u16,
    /// How often in a row there have been as many.
    alike: u16,
    /// Jumps made by then.
    jumps: u32,
}

impl Rounds {
    /// A call has found nothing, after so many readings since the last one that did, and `jumps` of
    /// the clock in all. Is an instant to pass? That is said once.
    #[inline]
    pub fn found_nothing(&mut self, reads: u32, jumps: u32) -> bool {
        let as_before = (self.reads, self.jumps) == (reads as u16, jumps);
        (self.reads, self.jumps) = (reads as u16, jumps);
        self.alike = if reads != 0 && as_before { self.alike.saturating_add(1) } else { 0 };
        self.alike == ROUNDS
    }

    /// It could not pass: to be tried again in the next round.
    pub fn once_more(&mut self) {
        self.alike -= 1;
    }
}

#[cfg(test)]
mod tests;
