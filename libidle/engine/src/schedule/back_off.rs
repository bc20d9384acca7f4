//! Back-offs: waits of threads that ask again and again for what a sleeping thread will do. A
//! back-off has a deadline of its own, so time moves only when every thread is blocked, and yet it
//! moves. Two observers find such threads: the hooks count for threads of their own, and the tracer
//! watches the others. They also say how often a thread asks between two back-offs (a *poll
//! iteration*).
//!
//! After n poll iterations with nothing but back-offs between them, the clock moves by n²
//! [`FROZEN_STEP`]s. So a loop that waits for an instant passes it by a fraction. An hour is over
//! after some two thousand poll iterations, a year after fifty thousand. A loop that reads the
//! clock a fixed number of times, to measure it, ends before that is much.

/// The shortest step of a clock that runs, virtual ns.
pub const STEP: u64 = 1_000_000;
/// The same of a frozen one.
pub const FROZEN_STEP: u64 = 1_000;
/// The longest step, virtual ns: a day. A program that reads a frozen clock millions of times does
/// not come to the end of time, where nothing can jump.
const LONGEST_STEP: u64 = 86_400_000_000_000;

/// By how much the clock moves in the back-off after poll iteration number `iterations`, virtual
/// ns, from `shortest` to a day.
pub fn step(iterations: u64, shortest: u64) -> u64 {
    iterations.saturating_mul(iterations).saturating_mul(FROZEN_STEP).clamp(shortest, LONGEST_STEP)
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    const HOUR: u64 = 3_600_000_000_000;

    fn iterations_until(end: u64) -> u64 {
        let (mut now, mut iterations) = (0, 0);
        while now < end {
            iterations += 1;
            now += step(iterations, FROZEN_STEP);
        }
        iterations
    }

    #[test]
    fn how_long_it_takes_grows_much_slower_than_what_is_waited_for() {
        assert!((2000..2500).contains(&iterations_until(HOUR)));
        assert!((40_000..60_000).contains(&iterations_until(365 * 24 * HOUR)));
    }

    #[test]
    fn a_step_is_neither_too_short_nor_too_long() {
        assert_eq!(step(1, STEP), STEP);
        assert_eq!(step(100, STEP), 10 * STEP);
        assert_eq!(step(u64::MAX, STEP), 24 * HOUR);
    }
}
