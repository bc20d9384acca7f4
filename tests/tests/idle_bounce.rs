//! Two programs whose threads hand one turn on, by semaphores and by conditions: they are never
//! idle before their end. This is the short form; `tests/stress/idle.py` does it a thousand times,
//! also on busy cores.

mod command;

use command::Scratch;
use flux_tests::{Guest, Outcome, Run, artifacts};
use std::time::Duration;

/// Runs `bounce` under libidle.so, several times, and watches its state file.
fn watch(how: &str, runs: u32, kind: &str, threads: u32, turns: u32) -> Outcome {
    let scratch = Scratch::new(&format!("bounce-{how}-{kind}-{threads}"));
    Run::new(Guest::new("idle/watch").compile())
        .args([how, &runs.to_string()])
        .arg(&artifacts().libidle)
        .arg(scratch.file(""))
        .arg(Guest::new("idle/bounce").compile())
        .args([kind, &threads.to_string(), &turns.to_string()])
        .within(Duration::from_secs(60))
        .run()
}

#[track_caller]
fn never_idle(how: &str, kind: &str) {
    for (runs, threads, turns) in [(40, 2, 100), (10, 64, 640)] {
        let outcome = watch(how, runs, kind, threads, turns);
        let expected = format!("runs {runs}, failed 0, sightings 0, numbers moved 0\n");
        assert_eq!(outcome.stdout, expected, "{kind}, {threads} threads: {outcome}");
    }
}

#[test]
fn by_semaphore() {
    never_idle("try", "sem");
}

#[test]
fn by_condition() {
    never_idle("try", "cond");
}

#[test]
fn by_semaphore_for_a_blocking_lock() {
    never_idle("block", "sem");
}

#[test]
fn by_condition_for_a_blocking_lock() {
    never_idle("block", "cond");
}

#[test]
fn whoever_watches_sees_a_program_that_rests() {
    for how in ["try", "block"] {
        let outcome = watch(how, 3, "nap", 2, 20);
        assert_eq!(outcome.code(), 1, "{outcome}");
        let found = ["failed 0", "sightings 0", "numbers moved 3"]
            .map(|words| outcome.stdout.contains(words));
        assert_eq!(found, [true, false, true], "{outcome}");
    }
}
