//! Waits of programs with the library that no hook sees: system calls in line, and those inside
//! libc.

use flux_tests::{Guest, Mode, Run, without_units};
use std::time::Duration;

flux_tests::guests! { "unseen";
    // In frozen mode the kernel ends short ones before they are noticed.
    waits: 42, not_frozen();
    others: 29, not_frozen();
    lookup: 0, not_frozen();
    clocks: 3, traced();
    helper: 6;
    children: 0;
}

#[test]
fn hours_pass_in_frozen_mode() {
    for guest in ["unseen/waits", "unseen/others"] {
        let run = Run::new(Guest::new(guest).compile()).env("GUEST_UNIT_MS", "3600000");
        let [elapsed, frozen] =
            [Mode::Elapsed, Mode::Frozen].map(|mode| run.clone().mode(mode).run());
        frozen.assert_success();
        assert_eq!(frozen.stdout, elapsed.stdout);
        assert!(!frozen.stdout.contains("EARLY"), "{frozen}");
    }
}

#[test]
fn clock_reads_in_line_are_real_where_not_all_is_traced() {
    let run = Run::new(Guest::new("unseen/clocks").compile())
        .env("GUEST_UNIT_MS", "3600000")
        .mode(Mode::Elapsed);
    let outcome = run.run();
    outcome.assert_success();
    assert!(
        outcome.stdout.contains("at first: 0 wrong") && !outcome.stdout.contains("later: 0 wrong"),
        "{outcome}"
    );
}

#[test]
fn without_visits_they_take_real_time() {
    for (guest, least) in [("unseen/waits", 42 * 20), ("unseen/lookup", 1000)] {
        let run = |unit: &str| {
            let run = Run::new(Guest::new(guest).compile()).env("GUEST_UNIT_MS", unit);
            run.mode(Mode::Elapsed)
        };
        let visited = run("3600000").run();
        let left_alone = run("20").flux_option("--trace=none").run();
        left_alone.assert_success();
        assert_eq!(without_units(&visited.stdout), without_units(&left_alone.stdout));
        assert!(!left_alone.stdout.contains("EARLY"), "{left_alone}");
        assert!(left_alone.took >= Duration::from_millis(least), "{left_alone}");
    }
}
