//! Loops that ask again and again for what a sleeping thread will do.

use flux_tests::{Guest, Mode, Outcome, Run, beside_load};
use std::time::Duration;

flux_tests::guests! { "spin";
    looks: 7;
    descriptors: 6;
    locks: 7;
    paths: 11;
    children: 10;
    memory: 2, computes();
    slow: 1, computes();
    computing: 0;
    reads: 1;
    arms: 2;
    late: 7;
    asked: 2, computes();
    instants: 0;
    waits: 10;
    blocks: 3;
    both_ask: 3, computes();
    until_told: 3, computes();
}

const RESCUED: &str = "steps for threads that spin";

fn verbose(guest: &str, mode: Mode, unit_ms: u64) -> Outcome {
    let run = Run::new(Guest::new(guest).compile()).mode(mode).flux_option("-v");
    let outcome =
        run.env("GUEST_UNIT_MS", unit_ms.to_string()).within(Duration::from_secs(90)).run();
    outcome.assert_success();
    outcome
}

#[test]
fn a_frozen_clock_moves_on_for_a_loop_on_memory() {
    let hours = verbose("spin/memory", Mode::Frozen, 3_600_000);
    assert_eq!(hours.stdout, "a flag: in time\nthree that meet: in time\n");
    assert!(hours.stderr.contains(RESCUED), "{hours}");
}

#[test]
fn a_frozen_clock_moves_on_for_a_slow_loop_that_gets_things_done() {
    let hours = verbose("spin/slow", Mode::Frozen, 600_000);
    assert_eq!(hours.stdout, "by the clock: in time\n");
    assert!(hours.stderr.contains(RESCUED), "{hours}");
}

#[test]
fn each_rescue_is_counted() {
    for guest in ["looks", "descriptors", "locks", "paths", "children"] {
        for mode in [Mode::Elapsed, Mode::Frozen] {
            let outcome = verbose(&format!("spin/{guest}"), mode, 60_000);
            assert!(outcome.stderr.contains(RESCUED), "{outcome}");
        }
    }
}

#[test]
fn who_computes_is_not_rescued() {
    let outcome = verbose("spin/computing", Mode::Elapsed, 3_600_000);
    assert!(!outcome.stderr.contains(RESCUED), "{outcome}");
}

/// Who works until somebody has slept ends a few seconds later than natively, and that is said.
#[test]
fn a_frozen_clock_moves_on_for_those_who_never_rest() {
    let outcome = verbose("spin/until_told", Mode::Frozen, 200);
    assert_eq!(outcome.stdout, "semaphores: in time\nsignals: in time\nwrites: in time\n");
    assert!(outcome.stderr.contains("not repeatable from here"), "{outcome}");
}

/// Threads that read the clock are counted, so nobody has to be rescued by processor time.
#[test]
fn those_who_read_a_frozen_clock_together_are_counted() {
    let outcome = verbose("spin/both_ask", Mode::Frozen, 600_000);
    assert!(outcome.stderr.contains(RESCUED), "{outcome}");
    assert!(!outcome.stderr.contains("not repeatable from here"), "{outcome}");
}

/// By a frozen clock nothing passes but what was waited for.
#[test]
fn who_waits_is_not_rescued() {
    let outcome = verbose("spin/waits", Mode::Frozen, 3_600_000);
    assert!(!outcome.stderr.contains(RESCUED), "{outcome}");
}

#[test]
fn who_gives_way_a_few_times_on_a_busy_machine_is_not_rescued() {
    let others = 2 * std::thread::available_parallelism().map_or(1, usize::from);
    for mode in [Mode::Elapsed, Mode::Frozen] {
        let outcome =
            beside_load(others, false, || verbose("busy_machine/yields", mode, 3_600_000));
        assert_eq!(outcome.stdout, "before the sleeper\n");
        assert!(!outcome.stderr.contains(RESCUED), "{outcome}");
    }
}

/// Under valgrind a reading of the clock takes some fifty times as long. A loop that spins is found
/// out all the same.
#[test]
fn loops_are_rescued_where_the_clock_is_slow_to_read() {
    let launcher = &flux_tests::artifacts().launcher;
    let run = Run::new("valgrind").args(["-q", "--tool=none", "--trace-children=yes"]);
    let outcome = run
        .arg(launcher)
        .args(["-v", "--"])
        .arg(Guest::new("spin/looks").compile())
        .env("GUEST_UNIT_MS", "60000")
        .within(Duration::from_secs(300))
        .run();
    outcome.assert_success();
    assert!(outcome.stderr.contains(RESCUED), "{outcome}");
    // Six loops of more than a minute each.
    assert!(outcome.took < Duration::from_secs(180), "{outcome}");
}
