//! Go programs, statically linked: their runtime makes system calls of its own, and finds the clock in the vDSO itself.

#[macro_use]
mod programs;

use flux_tests::{Mode, Outcome, Run, target_dir};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

/// Builds `tests/programs/go/NAME.go`.
fn build(name: &str) -> PathBuf {
    let program = target_dir().join(format!("go-{name}"));
    let output = Command::new("go")
        .args(["build", "-o"])
        .arg(&program)
        .arg(programs::path(&format!("go/{name}.go")))
        .env("CGO_ENABLED", "0")
        .env("GO111MODULE", "off")
        .env("GOCACHE", target_dir().join("go-cache"))
        .output()
        .expect("go is installed");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    program
}

fn run(unit: &str, mode: Mode) -> Outcome {
    let outcome = Run::new(build("waits")).env("GUEST_UNIT", unit).mode(mode).within(Duration::from_secs(20)).run();
    outcome.assert_success();
    outcome
}

#[test]
fn sleeps_timers_tickers_selects_deadlines_and_commands() {
    let native = run("200ms", Mode::Native);
    assert!(native.took >= Duration::from_millis(19 * 200), "it does not wait natively: {native}");
    for mode in [Mode::Elapsed, Mode::Frozen] {
        let outcome = run("1h", mode);
        assert_eq!(outcome.stdout, native.stdout, "{mode:?}");
    }
}
