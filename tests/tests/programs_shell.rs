//! Shell one-liners: processes that sleep, by the thousand years.

use flux_tests::{Mode, Outcome, Run};
use std::time::Duration;

/// Hours to centuries of virtual time must be over in this much real time, which a busy machine may
/// need. A second would do on an idle one.
const REAL: Duration = Duration::from_secs(40);

/// Runs a bash script under flux in one mode.
#[track_caller]
fn bash(mode: Mode, script: &str) -> Outcome {
    let outcome = Run::new("bash").args(["-c", script]).mode(mode).run();
    outcome.assert_success().assert_took_less(REAL);
    outcome
}

/// Runs a bash script under flux in both modes, elapsed first.
#[track_caller]
fn both(script: &str) -> [Outcome; 2] {
    [Mode::Elapsed, Mode::Frozen].map(|mode| bash(mode, script))
}

fn numbers(outcome: &Outcome) -> Vec<u64> {
    let lines = outcome.stdout.lines();
    lines.map(|line| line.parse().unwrap_or_else(|_| panic!("{outcome}"))).collect()
}

/// The difference of the first and the last number printed is so many seconds, and no more than
/// real time passed on top.
#[track_caller]
fn assert_seconds(outcome: &Outcome, expected: u64) {
    let numbers = numbers(outcome);
    let passed = numbers[numbers.len() - 1] - numbers[0];
    assert!(
        (expected..=expected + REAL.as_secs()).contains(&passed),
        "{passed} s instead of {expected}: {outcome}"
    );
}

#[test]
fn without_flux_a_sleep_takes_its_time() {
    let outcome = Run::new("sleep").arg("1.5").run();
    assert!(outcome.took >= Duration::from_millis(1500), "{outcome}");
}

#[test]
fn one_sleep() {
    for mode in [Mode::Elapsed, Mode::Frozen] {
        let outcome = Run::new("sleep").arg("120").mode(mode).run();
        outcome.assert_success().assert_took_less(REAL);
        assert_eq!(outcome.stdout, "");
        assert_eq!(outcome.stderr, "");
    }
}

#[test]
fn date_sleep_date() {
    for outcome in both("date +%s; sleep 120; date +%s") {
        assert_seconds(&outcome, 120);
    }
    // As a person would type it, and with its fractions.
    let outcome = bash(Mode::Elapsed, "date; sleep 120; date");
    assert_eq!(outcome.stdout.lines().count(), 2, "{outcome}");
    let outcome = bash(Mode::Frozen, "date +%s%N; sleep 0.000000001; date +%s%N");
    let times = numbers(&outcome);
    assert_eq!(times[1] - times[0], 1001, "{outcome}");
    for (slack, took) in [("--slack=0", 5_000_000_000), ("--slack=70", 5_000_000_070)] {
        let script = "date +%s%N; sleep 5; date +%s%N";
        let run = Run::new("bash").args(["-c", script]).mode(Mode::Frozen).flux_option(slack);
        let times = numbers(&run.run());
        assert_eq!(times[1] - times[0], took, "{slack}");
    }
}

#[test]
fn the_first_date_is_todays() {
    let now = || Run::new("date").arg("+%s").run();
    let before = numbers(&now())[0];
    let within = numbers(&bash(Mode::Elapsed, "date +%s"))[0];
    let after = numbers(&now())[0];
    assert!((before..=after).contains(&within), "{before} {within} {after}");
}

#[test]
fn every_clock_of_a_shell_agrees() {
    // Three clocks of bash itself, and that of a child.
    let script = "s=$SECONDS e=${EPOCHREALTIME/./} p=$(printf '%(%s)T' -1) d=$(date +%s%6N)
        sleep 5000
        echo $((SECONDS - s)) $(((${EPOCHREALTIME/./} - e) / 1000000))
        echo $(($(printf '%(%s)T' -1) - p)) $((($(date +%s%6N) - d) / 1000000))";
    for outcome in both(script) {
        for number in outcome.stdout.split_whitespace() {
            let number: u64 = number.parse().expect("a number");
            assert!((5000..5000 + REAL.as_secs()).contains(&number), "{outcome}");
        }
    }
}

#[test]
fn sleep_sort() {
    let script =
        "for n in 7 123213 500 3 40000 1 86400 2 99 0; do (sleep $n; echo $n) & done; wait";
    for outcome in both(script) {
        let mut sorted = numbers(&outcome);
        sorted.sort_unstable();
        assert_eq!(numbers(&outcome), sorted, "{outcome}");
        assert_eq!(sorted.len(), 10, "{outcome}");
    }
}

#[test]
fn xargs_four_at_a_time() {
    // With four at a time the queue 100 200 300 400 | 500 100 200 300 is through after 600 s.
    let script = "date +%s
        printf '%s\\n' 100 200 300 400 500 100 200 300 | xargs -P4 -n1 sleep
        date +%s";
    for outcome in both(script) {
        assert_seconds(&outcome, 600);
    }
}

#[test]
fn a_year() {
    for outcome in both("date +%s; sleep $((365 * 86400)); date +%s") {
        assert_seconds(&outcome, 365 * 86400);
    }
    for outcome in both("date +%s; sleep 365d; date +%s") {
        assert_seconds(&outcome, 365 * 86400);
    }
}

#[test]
fn fifty_five_sleeps_of_ten_years() {
    // Nanoseconds since 1970 pass the range of a signed 64-bit number in 2262 and come near the
    // unsigned one's end here.
    let script = "date +%s; for i in {1..55}; do sleep 3652d; done; date +%s; date +%Y >&2";
    for outcome in both(script) {
        assert_seconds(&outcome, 55 * 3652 * 86400);
        let year: u32 = outcome.stderr.trim().parse().expect("a year");
        assert!((2575..2700).contains(&year), "{outcome}");
    }
}

#[test]
fn read_with_a_timeout() {
    // bash's read -t selects on a pipe; another process of the session holds the other end.
    let script = "date +%s; sleep 9000 | { read -t 1000 line; [ $? -gt 128 ]; date +%s; }";
    for outcome in both(script) {
        let numbers = numbers(&outcome);
        assert!((1000..1000 + REAL.as_secs()).contains(&(numbers[1] - numbers[0])), "{outcome}");
    }
}

#[test]
fn pipelines_pass_data_before_time() {
    let script = "date +%s
        { for i in 1 2 3 4 5; do echo $i; sleep 100; done; } | while read -r n; do echo $n >&2; done
        date +%s";
    for outcome in both(script) {
        assert_seconds(&outcome, 500);
        assert_eq!(outcome.stderr, "1\n2\n3\n4\n5\n", "{outcome}");
    }
}
