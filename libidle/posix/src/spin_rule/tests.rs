use super::*;
use crate::time::{Cpu, CpuSpan};
use std::cell::Cell;

const HOUR: Span = Span::from_secs(3600);

fn iterations_until(end: Span) -> u64 {
    let (mut passed, mut iterations) = (Span::ZERO, 0);
    while passed < end {
        iterations += 1;
        passed += back_off(iterations, FROZEN_STEP);
    }
    iterations
}

#[test]
fn how_long_it_takes_grows_much_slower_than_what_is_waited_for() {
    assert!((2000..2500).contains(&iterations_until(HOUR)));
    assert!((40_000..60_000).contains(&iterations_until(HOUR.times(365 * 24))));
}

#[test]
fn a_step_is_neither_too_short_nor_too_long() {
    assert_eq!(back_off(1, STEP), STEP);
    assert_eq!(back_off(100, STEP), STEP.times(10));
    assert_eq!(back_off(u64::MAX, STEP), HOUR.times(24));
}

#[test]
fn an_instant_passes_once_for_rounds_that_are_alike() {
    let asks = |rounds: &[(u32, u32)]| {
        let mut seen = Rounds::default();
        rounds.iter().map(|&(reads, jumps)| seen.found_nothing(reads, jumps)).collect::<Vec<_>>()
    };
    assert_eq!(asks(&[(2, 7); 7]), [false, false, false, false, true, false, false]);
    assert!(!asks(&[(0, 7); 9]).contains(&true), "who reads no clock waits for no instant");
    assert!(!asks(&[(2, 7), (2, 7), (3, 7), (2, 7), (2, 7), (2, 7)]).contains(&true));
    assert!(!asks(&[(2, 1), (2, 2), (2, 3), (2, 4), (2, 5), (2, 6)]).contains(&true));
    let mut refused = Rounds::default();
    for _ in 0..4 {
        assert!(!refused.found_nothing(2, 0));
    }
    assert!(refused.found_nothing(2, 0));
    refused.once_more();
    assert!(refused.found_nothing(2, 0));
}

/// A thread whose looks cost so much each.
struct Thread {
    asker: Asker,
    burnt: Cell<u64>,
    look: u64,
    jumps: Cell<u32>,
    slept: Cell<u32>,
}

impl Seen for Thread {
    fn jumps(&self) -> u32 {
        self.jumps.get()
    }

    fn burnt(&self) -> Cpu {
        Cpu::from_ns(self.burnt.get())
    }

    fn slept(&self) -> u32 {
        self.slept.get()
    }
    fn slow(&self) -> CpuSpan {
        SLOW_LEAST
    }
}

impl Thread {
    fn new(look: u64) -> Thread {
        let (burnt, jumps, slept) = Default::default();
        Thread { asker: Asker::default(), burnt, look, jumps, slept }
    }

    /// Iterations until it spins, if within so many; `between` is done before each.
    fn spins_within(
        &self,
        iterations: u32,
        frozen: bool,
        between: impl Fn(&Thread),
    ) -> Option<u32> {
        (1..=iterations).find(|_| {
            between(self);
            while !self.asker.looks(1) {
                self.burnt.set(self.burnt.get() + self.look);
            }
            let pure = self.asker.iteration_over();
            self.asker.spins(pure, frozen, self)
        })
    }
}

#[test]
fn with_a_clock_that_runs_a_loop_spins_after_some_processor_time() {
    // 100 ns a look: 10 ms are about a hundred iterations.
    let iterations = Thread::new(100).spins_within(1000, false, |_| {}).expect("it spins");
    assert!((90..110).contains(&iterations), "{iterations}");
    assert_eq!(Thread::new(500).spins_within(1000, false, |_| {}), None, "it computes");
    let busy = Thread::new(100).spins_within(1000, false, |thread| thread.asker.got_done());
    assert_eq!(busy, None, "it gets on");
}

#[test]
fn with_a_frozen_clock_a_loop_spins_after_a_number_of_laps() {
    for look in [1, 100] {
        let thread = Thread::new(look);
        assert_eq!(thread.spins_within(5000, true, |_| {}), Some(2500));
    }
    let moved = Thread::new(1).spins_within(5000, true, |thread| {
        thread.jumps.set(thread.jumps.get() + 1);
    });
    assert_eq!(moved, None, "others move the clock");
    let sleeps = Thread::new(1).spins_within(5000, true, |thread| {
        thread.slept.set(thread.slept.get() + 1);
    });
    assert_eq!(sleeps, None);
    // 1 ms a poll iteration, in which something is done: after a second.
    let slow = Thread::new(1000).spins_within(5000, true, |thread| thread.asker.got_done());
    assert!(slow.is_some_and(|iterations| (900..1100).contains(&iterations)), "{slow:?}");
}

#[test]
fn a_slow_loop_takes_longer_steps_of_a_frozen_clock() {
    let thread = Thread::new(1);
    thread.spins_within(10, true, |_| {});
    assert_eq!(thread.asker.step(true, &thread), FROZEN_STEP);
    assert_eq!(thread.asker.step(false, &thread), STEP);
    let slow = Thread::new(1000);
    slow.spins_within(10, true, |_| {});
    assert!(slow.asker.step(true, &slow) > Span::from_us(900));
    for _ in 0..99 {
        thread.asker.moved();
    }
    assert_eq!(thread.asker.step(true, &thread), Span::from_ms(10));
    thread.asker.backed_off(true, true, &thread);
    assert_eq!(thread.asker.step(true, &thread), FROZEN_STEP);
}

#[test]
fn a_watched_thread() {
    let mut watched = Watched::default();
    watched.asks(ASKS - 1, WEIGHT);
    assert_eq!(watched.verdict(), Verdict::Undecided);
    watched.asks(1, WEIGHT);
    assert_eq!(watched.verdict(), Verdict::Spins);
    watched.spins(0);
    watched.next_iteration();
    assert_eq!(watched.verdict(), Verdict::Undecided);
    watched.asks(READ, WEIGHT);
    assert_eq!(
        (watched.verdict(), watched.step(true)),
        (Verdict::IterationOver, Span::from_us(64))
    );
    watched.moved();
    watched.next_iteration();
    watched.repeats();
    assert_eq!((watched.verdict(), watched.iterations()), (Verdict::IterationOver, WEIGHT));
    watched.does(COMPUTES);
    watched.does(COMPUTES);
    assert_eq!(watched.verdict(), Verdict::Computes);
}
