//! Go programs: their runtime makes system calls of its own, and finds the clock in the vDSO
//! itself. Statically linked they are traced; with cgo they have the library, which sees none of
//! their waits.

#[macro_use]
mod programs;

use flux_tests::{Mode, Outcome, Run, report};
use std::process::Command;
use std::time::Duration;

fn run(cgo: bool, unit: &str, mode: Mode) -> Outcome {
    let outcome = Run::new(programs::go("waits", cgo)).env("GUEST_UNIT", unit).mode(mode).run();
    outcome.assert_success();
    outcome
}

#[track_caller]
fn waits(cgo: bool) {
    let [elapsed, frozen] = [Mode::Elapsed, Mode::Frozen].map(|mode| run(cgo, "1h", mode));
    assert_eq!(elapsed.stdout, frozen.stdout);
    // A busy machine may make a native run count a unit too many.
    for unit in [200, 400, 1600] {
        let native = run(cgo, &format!("{unit}ms"), Mode::Native);
        assert!(native.took >= Duration::from_millis(19 * unit), "it does not wait: {native}");
        if native.stdout == elapsed.stdout {
            return;
        }
        report::retried_natively("go", &native.stdout.replace('\n', "; "));
    }
    panic!("natively it prints something else than {elapsed}");
}

#[test]
fn sleeps_timers_tickers_selects_deadlines_and_commands() {
    waits(false);
}

#[test]
fn loops_that_ask_end_soon() {
    let program = programs::go("spins", false);
    let run = |mode: Mode, what: &str, unit: &str| {
        let run = Run::new(&program).arg(what).env("GUEST_UNIT", unit);
        let outcome = run.mode(mode).flux_option("-v").run();
        outcome.assert_success();
        outcome
    };
    // With a clock that runs, those that only give way are seen to ask where the runtime reads the
    // clock for them.
    let ask = [(Mode::Elapsed, "both"), (Mode::Frozen, "clock"), (Mode::Frozen, "gosched")];
    for (mode, what) in ask {
        let native = run(Mode::Native, what, "300ms");
        assert!(native.took >= Duration::from_millis(300), "{native}");
        let outcome = run(mode, what, "2m");
        assert_eq!(outcome.stdout, format!("{what}: after 1\n"), "{outcome}");
        assert!(outcome.stderr.contains("steps for threads that spin"), "{outcome}");
    }
}

#[test]
fn the_same_with_cgo() {
    waits(true);
    let libraries =
        Command::new("ldd").arg(programs::go("waits", true)).output().expect("ldd is there").stdout;
    assert!(
        String::from_utf8_lossy(&libraries).contains("libc.so"),
        "it is not linked dynamically"
    );
}
