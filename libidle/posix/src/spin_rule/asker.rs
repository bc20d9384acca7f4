//! A thread that counts what it asks for itself.

use super::{FROZEN_STEP, Rounds, STEP, back_off};
use crate::patience::{SPIN, SPIN_SLOW};
use crate::time::{Cpu, CpuSpan, Span};
use std::cell::Cell;

/// Looks in a poll iteration. A *look* is a reading of the clock.
const ITERATION: u32 = 1024;
/// What a call that found nothing counts for, in looks, because it takes longer.
pub const FOUND_NOTHING: u32 = 50;
/// What a name that is not there counts for: programs look for many, and ask for one again and
/// again seldom.
pub const NOT_THERE: u32 = 8;
/// A loop that takes longer for a look than so many readings of the real clock do does something
/// else besides. No time: a reading takes 25 ns on a processor, and a microsecond under valgrind.
pub const SLOW: u64 = 16;
/// What [`SLOW`] readings count for at least: a hook does more than read the clock.
pub const SLOW_LEAST: CpuSpan = CpuSpan::from_ns(400);
/// With a frozen clock a loop spins not after some time, which would differ from run to run, but
/// after so many iterations at one instant in which the thread has not slept, of which the last one
/// is pure: millions of clock reads, or 50 000 calls. Threads that hand work to each other by waits
/// with time-outs read the clock as often, and no time may pass for it. Nor may it for those that
/// do so by locks which happen to be free each time, and read the clock a million times for it.
const FROZEN_ITERATIONS: u32 = 2500;
/// Of a slow loop, or one that gets things done between its looks, as many iterations are enough
/// when [`SPIN_SLOW`] has been spent.
const FEW: u32 = 20;

/// What an [`Asker`] asks about its thread, at the end of a poll iteration and seldom.
pub trait Seen {
    /// How often the clock has jumped.
    fn jumps(&self) -> u32;
    /// The thread's processor time.
    fn burnt(&self) -> Cpu;
    /// How often the thread has slept in the kernel.
    fn slept(&self) -> u32;
    /// What [`SLOW`] readings of the real clock take, [`SLOW_LEAST`] or more.
    fn slow(&self) -> CpuSpan;
}

/// A thread that counts what it asks for itself. All zeroes are valid, and the beginning.
///
/// A poll iteration is *pure* if no call got anything done and no wait was made meanwhile. With a
/// clock that runs a thread spins once pure iterations have cost [`SPIN`], of no more than [`SLOW`]
/// a look.
#[repr(C)]
#[derive(Default)]
pub struct Asker {
    /// In the current iteration.
    looks: Cell<u32>,
    /// Iterations in a row.
    iterations: Cell<u32>,
    /// Its processor time when they began.
    began: Cell<u64>,
    /// Back-offs in a row that have moved the clock.
    back_offs: Cell<u64>,
    /// With a frozen clock: jumps when this thread last moved it, or found it moved.
    jumps: Cell<u32>,
    /// With a frozen clock: how often the thread had slept by then.
    slept: Cell<u32>,
    /// Looks by the end of the last call that found nothing.
    round_began: Cell<u32>,
    rounds: Cell<Rounds>,
    /// Something was done in this iteration.
    progress: Cell<bool>,
    /// It has given the processor away for long, and does so no more.
    hurries: Cell<bool>,
}

impl Asker {
    /// It has looked so many times. Is a poll iteration over?
    #[inline(always)]
    pub fn looks(&self, times: u32) -> bool {
        let looks = self.looks.get() + times;
        self.looks.set(looks);
        looks >= ITERATION
    }

    /// A call found nothing, after `jumps` of the clock: is an instant to pass? What the call
    /// counts for as looks is counted next, and then [`Asker::round_over`] said.
    #[inline]
    pub fn found_nothing(&self, jumps: u32) -> bool {
        // Where a poll iteration has ended in between nobody can tell.
        let Some(reads) = self.looks.get().checked_sub(self.round_began.get()) else {
            return false;
        };
        let mut rounds = self.rounds.get();
        let passes = rounds.found_nothing(reads, jumps);
        self.rounds.set(rounds);
        passes
    }

    /// See [`Rounds::once_more`].
    pub fn once_more(&self) {
        let mut rounds = self.rounds.get();
        rounds.once_more();
        self.rounds.set(rounds);
    }

    /// A call found that what it was to wait for has changed already: somebody else has got on.
    #[inline]
    pub fn too_late(&self) {
        self.rounds.set(Rounds::default());
    }

    /// The call that found nothing is counted.
    #[inline]
    pub fn round_over(&self) {
        self.round_began.set(self.looks.get());
    }

    /// A call got something done.
    #[inline]
    pub fn got_done(&self) {
        self.progress.set(true);
        self.rounds.set(Rounds::default());
    }

    /// A wait was made.
    #[inline]
    pub fn waited(&self) {
        self.progress.set(true);
    }

    /// May it give the processor away? Who does so on a busy machine takes minutes to spin: each
    /// time lasts for as long as the others like. So a thread to which that has happened gives way
    /// no more until it does something else.
    #[inline]
    pub fn gives_way(&self) -> bool {
        !self.hurries.get()
    }

    /// It has given way, `long` or not.
    #[inline]
    pub fn gave_way(&self, long: bool) {
        self.hurries.set(long);
    }

    /// A poll iteration is over, and the next begins: was it pure?
    pub fn iteration_over(&self) -> bool {
        self.looks.set(0);
        let pure = !self.progress.replace(false);
        if !pure {
            self.hurries.set(false);
        }
        pure
    }

    /// Does the thread spin, now that another iteration is over?
    pub fn spins(&self, pure: bool, frozen: bool, seen: &impl Seen) -> bool {
        let iterations = self.iterations.get().saturating_add(1);
        self.iterations.set(iterations);
        if frozen {
            self.stands(iterations, pure, seen)
        } else {
            self.burns(iterations, pure, seen)
        }
    }

    /// With a clock that runs: by the processor time it has spent.
    fn burns(&self, iterations: u32, pure: bool, seen: &impl Seen) -> bool {
        let spent = self.spent(seen);
        if !pure || spent > seen.slow().times(iterations as u64 * ITERATION as u64) {
            self.begins(seen);
            return false;
        }
        spent >= SPIN
    }

    /// With a frozen clock: by how much it has asked since somebody else has moved the clock.
    fn stands(&self, iterations: u32, pure: bool, seen: &impl Seen) -> bool {
        let others = self.jumps.get() != seen.jumps();
        if iterations < FEW && !others {
            return false;
        }
        if others || seen.slept() != self.slept.get() {
            self.begins(seen);
            self.marks(seen);
            return false;
        }
        pure && iterations >= FROZEN_ITERATIONS || self.spent(seen) >= SPIN_SLOW
    }

    /// The next iteration is the first in a row.
    fn begins(&self, seen: &impl Seen) {
        self.hurries.set(false);
        self.iterations.set(0);
        self.back_offs.set(0);
        self.began.set(seen.burnt().ns());
    }

    /// From here on somebody else moves the clock, or the thread sleeps.
    fn marks(&self, seen: &impl Seen) {
        self.jumps.set(seen.jumps());
        self.slept.set(seen.slept());
    }

    /// Processor time spent on the iterations in a row.
    fn spent(&self, seen: &impl Seen) -> CpuSpan {
        seen.burnt() - Cpu::from_ns(self.began.get())
    }

    /// By how much the clock may move in the back-off that comes now. A slow loop need not wait for
    /// an instant of a frozen clock for longer than by a clock that runs.
    pub fn step(&self, frozen: bool, seen: &impl Seen) -> Span {
        let iteration =
            || CpuSpan::from_ns(self.spent(seen).ns() / self.iterations.get().max(1) as u64);
        let shortest = match frozen.then(iteration) {
            None => STEP,
            Some(iteration) if iteration > seen.slow().times(ITERATION as u64) => {
                Span::from_ns(iteration.ns())
            }
            Some(_) => FROZEN_STEP,
        };
        back_off(self.back_offs.get() + 1, shortest)
    }

    /// The back-off has moved the clock.
    pub fn moved(&self) {
        self.back_offs.set(self.back_offs.get() + 1);
    }

    /// A back-off is over. If time has moved on meanwhile for the sake of `others`, it is from
    /// there that the loop asks for nothing.
    pub fn backed_off(&self, others: bool, frozen: bool, seen: &impl Seen) {
        if others {
            self.back_offs.set(0);
        }
        self.progress.set(false);
        if frozen {
            self.marks(seen);
        }
    }
}
