//! With a frozen clock, threads that are due at one instant run one after the other, always in the
//! same order: however long one of them computes, on any machine, under any load.

use flux_tests::{Guest, Mode, Outcome, Run, beside_load};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// How the guest is built and run.
#[derive(Clone, Copy, Debug)]
enum Form {
    Threads,
    Processes,
    /// Statically linked, so traced.
    TracedThreads,
    TracedProcesses,
}

fn guest(form: Form) -> PathBuf {
    let guest = Guest::new("order/equals");
    match form {
        Form::Threads | Form::Processes => guest.compile(),
        Form::TracedThreads | Form::TracedProcesses => guest.flag("-static").compile(),
    }
}

fn run(form: Form, mode: Mode, computes: usize) -> Outcome {
    let run = Run::new(guest(form)).mode(mode).env("GUEST_COMPUTES", computes.to_string());
    let run = match form {
        Form::Threads | Form::TracedThreads => run,
        Form::Processes | Form::TracedProcesses => run.arg("processes"),
    };
    let outcome = run.env("GUEST_UNIT_MS", "100").run();
    outcome.assert_success();
    outcome
}

/// The order does not depend on which of the four computes.
#[track_caller]
fn one_order(form: Form) {
    let orders: BTreeSet<_> =
        (0..4).map(|computes| run(form, Mode::Frozen, computes).stdout).collect();
    assert_eq!(orders.len(), 1, "{form:?}: {orders:#?}");
}

#[test]
fn natively_whoever_computes_is_last() {
    for computes in 0..4u8 {
        let outcome = run(Form::Threads, Mode::Native, computes.into());
        let last = outcome.stdout.lines().last().map(str::to_owned);
        assert_eq!(last, Some(char::from(b'A' + computes).to_string()), "{outcome}");
    }
}

#[test]
fn threads() {
    one_order(Form::Threads);
}

#[test]
fn processes() {
    one_order(Form::Processes);
}

#[test]
fn traced_threads() {
    one_order(Form::TracedThreads);
}

#[test]
fn traced_processes() {
    one_order(Form::TracedProcesses);
}

#[test]
fn beside_busy_loops() {
    let others = 2 * std::thread::available_parallelism().map_or(1, usize::from);
    beside_load(others, false, || {
        one_order(Form::Threads);
        one_order(Form::Processes);
    });
}

/// The shell's jobs, of which one computes.
#[test]
fn jobs_of_a_shell() {
    let script = "work() { i=0; while ((i < 20000)); do ((i++)); done; }
        job() { sleep 10; if [ $1 = $2 ]; then work; fi; echo $1; }
        for j in A B C; do job $j $1 & done; wait";
    let orders: BTreeSet<_> = ["A", "B", "C", "none"]
        .map(|computes| {
            let outcome =
                Run::new("bash").args(["-c", script, "bash", computes]).mode(Mode::Frozen).run();
            outcome.assert_success();
            outcome.stdout
        })
        .into();
    assert_eq!(orders.len(), 1, "{orders:#?}");
}

/// A thread that waits on plain memory for one that is due at the same instant is rescued, and it
/// is said that the run is not repeatable any more.
#[test]
fn a_rescue_is_told() {
    let run = Run::new(Guest::new("spin/memory").compile()).mode(Mode::Frozen).flux_option("-v");
    let outcome = run.env("GUEST_UNIT_MS", "3600000").run();
    outcome.assert_success();
    let told = outcome.stderr.matches("not repeatable from here").count();
    assert_eq!(told, 1, "{outcome}");
    assert!(outcome.stdout.contains("three that meet: in time"), "{outcome}");
}
