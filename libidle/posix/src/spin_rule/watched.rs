//! A thread that somebody else watches for a while.

use super::{FROZEN_STEP, STEP, back_off};
use crate::time::Span;

/// What has become of a [`Watched`] thread.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Nothing yet.
    Undecided,
    /// It does something else than to ask, and is let alone.
    Computes,
    /// It spins from now on.
    Spins,
    /// It spins, and has made another iteration.
    IterationOver,
}

/// What being met in the vDSO, where clocks are read, counts for, in calls that got nothing: the
/// thread has read the clock hundreds of times since.
pub const READ: u32 = 5;
/// Asking so many times in a row is spinning.
pub const ASKS: u32 = 60;
/// So many times are asked between two back-offs.
const WATCHED_ITERATION: u32 = 5;
/// How many iterations of an [`Asker`] that stands for, which reads less and takes no stops.
pub const WEIGHT: u64 = 8;
/// What being met elsewhere counts for, in calls that neither get nothing nor anything done.
pub const ELSEWHERE: u32 = 4;
/// How many of those are enough in that time: it does something else.
const ENOUGH: u32 = 128;
/// The same for a round between two clock readings that stop in which it comes to nothing, which
/// costs as much as all the others.
pub const COMPUTES: u32 = ENOUGH / 2;

/// A thread that somebody else watches for a while.
#[derive(Clone, Copy, Default, Debug)]
pub struct Watched {
    /// How often it has asked in this iteration.
    asked: u32,
    /// What else it has done.
    other: u32,
    /// Nothing but what others do to its memory ends the loop that it is in.
    repeats: bool,
    /// It spins: iterations of an [`Asker`] whose back-offs have moved the clock.
    iterations: Option<u64>,
    /// How many of those this iteration stands for.
    weight: u64,
}

impl Watched {
    /// It has asked so often, in a poll iteration that stands for `weight` of an [`Asker`]'s.
    pub fn asks(&mut self, times: u32, weight: u64) {
        self.asked += times;
        self.weight = weight;
    }

    /// It has done something else.
    pub fn does(&mut self, other: u32) {
        self.other += other;
    }

    /// The round that it is in repeats.
    pub fn repeats(&mut self) {
        self.repeats = true;
    }

    /// Is it in a round that repeats?
    pub fn is_repeating(&self) -> bool {
        self.repeats
    }

    /// Is it known to spin?
    pub fn is_spinning(&self) -> bool {
        self.iterations.is_some()
    }

    /// Iterations so far that have moved the clock.
    pub fn iterations(&self) -> u64 {
        self.iterations.unwrap_or(0)
    }

    /// What is it?
    pub fn verdict(&self) -> Verdict {
        let enough = if self.is_spinning() { WATCHED_ITERATION } else { ASKS };
        if self.other >= ENOUGH {
            Verdict::Computes
        } else if self.asked < enough && !self.repeats {
            Verdict::Undecided
        } else if self.is_spinning() {
            Verdict::IterationOver
        } else {
            Verdict::Spins
        }
    }

    /// It spins, and goes on after so many iterations.
    pub fn spins(&mut self, iterations: u64) {
        self.iterations = Some(iterations);
    }

    /// The next iteration begins.
    pub fn next_iteration(&mut self) {
        (self.asked, self.other, self.repeats) = (0, 0, false);
    }

    /// By how much the clock may move in the back-off that comes now.
    pub fn step(&self, frozen: bool) -> Span {
        back_off(self.iterations() + self.weight, if frozen { FROZEN_STEP } else { STEP })
    }

    /// The back-off has moved the clock.
    pub fn moved(&mut self) {
        self.iterations = self.iterations.map(|iterations| iterations + self.weight);
    }
}
