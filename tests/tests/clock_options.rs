//! The hand on the clock: `--start` and `--until`.

mod command;

use command::*;
use flux_tests::Outcome;
use std::process::Command;

/// What `program` prints natively, its lines trimmed.
fn natively(program: &str, args: &[&str]) -> String {
    let output = Command::new(program).args(args).output().expect("runs");
    String::from_utf8(output.stdout).expect("UTF-8").trim().to_owned()
}

/// What a shell prints in a session with these options.
#[track_caller]
fn prints(options: &[&str], script: &str) -> String {
    let outcome = flux(options.iter().chain(&["--", "bash", "-c", script]));
    outcome.assert_success().stdout.trim().to_owned()
}

#[test]
fn a_session_starts_at_the_date_that_it_is_given() {
    let table = [
        ("2031-02-28T23:59:50Z", "2031-02-28T23:59:50Z"),
        ("2031-02-28 23:59:50+01:00", "2031-02-28T22:59:50Z"),
        ("@1930000000", "@1930000000"),
        ("@0", "@0"),
        ("2031-02-28", "2031-02-28"),
        ("2031-07-01 12:30", "2031-07-01 12:30"),
    ];
    for (start, date) in table {
        let expected = natively("date", &["-d", date, "+%s.%N"]);
        for reader in ["date +%s.%N", "/bin/busybox date +%s.000000000"] {
            let start = format!("--start={start}");
            assert_eq!(prints(&["--clock=frozen", &start], reader), expected, "{start} {reader}");
        }
    }
}

#[test]
fn relative_dates_count_from_now() {
    for (start, seconds) in [("+3d", 3 * 86_400), ("-1d", -86_400), ("+90s", 90)] {
        let before: i64 = natively("date", &["+%s"]).parse().expect("a number");
        let inside: i64 = prints(&["--start", start], "date +%s").parse().expect("a number");
        let after: i64 = natively("date", &["+%s"]).parse().expect("a number");
        assert!((before + seconds..=after + seconds).contains(&inside), "{start}: {inside}");
    }
}

#[test]
fn local_time_is_that_of_tz() {
    let script = "TZ=Asia/Tokyo \"$0\" --clock=frozen --start '2031-07-01 09:00' -- date -u +%T";
    let launcher = &flux_tests::artifacts().launcher;
    let outcome = flux_tests::Run::new("bash").args(["-c", script]).arg(launcher).run();
    assert_eq!(outcome.assert_success().stdout.trim(), "00:00:00");
}

#[test]
fn time_goes_on_from_the_start() {
    let script = "date +%F; sleep 1d; date +%F; sleep 365d; date +%F";
    let days = prints(&["--start=2031-02-28T12:00:00Z"], &format!("export TZ=UTC; {script}"));
    assert_eq!(days, "2031-02-28\n2031-03-01\n2032-02-29");
}

#[test]
fn an_alarm_for_a_time_of_day_comes_then() {
    let python = "import signal, time\n\
                  until = time.time() + 5\n\
                  signal.signal(signal.SIGALRM, lambda *_: None)\n\
                  signal.setitimer(signal.ITIMER_REAL, 5)\n\
                  signal.pause()\n\
                  print(round(time.time() - until))";
    let outcome = flux(["--start=2031-02-28", "--", "python3", "-c", python]);
    assert_eq!(outcome.assert_success().stdout.trim(), "0");
}

/// Ended by its budget, with nothing that went wrong besides.
#[track_caller]
fn assert_ended(outcome: &Outcome) {
    assert_eq!(outcome.code(), 124, "{outcome}");
    assert_eq!(outcome.stderr, "", "{outcome}");
}

#[test]
fn a_session_ends_when_its_budget_is_over() {
    for clock in ["--clock=elapsed", "--clock=frozen"] {
        let script = "exec 2>/dev/null; s=$(date +%s); trap 'echo $(($(date +%s) - s)); exit 3' TERM; \
                      while sleep 1000; do :; done";
        let outcome = flux([clock, "--until=2h", "--", "bash", "-c", script]);
        assert_ended(&outcome);
        assert_eq!(outcome.stdout.trim(), "7200", "{clock}: {outcome}");
    }
}

#[test]
fn who_waits_for_ever_is_ended_too() {
    for clock in ["--clock=elapsed", "--clock=frozen"] {
        assert_ended(&flux([clock, "--until=90", "--", "perl", "-e", FOR_EVER]));
        assert_ended(&flux([clock, "--until=90", "--", "busybox", "sleep", "1000000"]));
    }
}

#[test]
fn who_computes_for_ever_is_ended_by_a_clock_that_runs() {
    assert_ended(&flux(["--until=0.5", "--", "bash", "-c", "while :; do :; done"]));
}

#[test]
fn who_ignores_sigterm_is_killed() {
    let script = "trap '' TERM; while :; do sleep 1d; done";
    assert_ended(&flux(["--until=1h", "--", "bash", "-c", script]));
}

#[test]
fn a_budget_may_be_a_date_and_follows_the_clock() {
    let options = ["--start=@1930000000", "--until=@1930000100"];
    let script = "sleep 60; date +%s; sleep 60; date +%s";
    let outcome = flux(options.iter().chain(&["--", "bash", "-c", script]));
    assert_ended(&outcome);
    assert_eq!(outcome.stdout.trim(), "1930000060");
    let set = format!("date -s @1930000090 >/dev/null; {script}");
    let outcome = flux(options.iter().chain(&["--", "bash", "-c", &set]));
    assert_ended(&outcome);
    assert_eq!(outcome.stdout, "", "the date came before");
    let back = format!("date -s @1929990000 >/dev/null; sleep 9990; {script}");
    let outcome = flux(options.iter().chain(&["--", "bash", "-c", &back]));
    assert_ended(&outcome);
    assert_eq!(outcome.stdout.trim(), "1930000050");
}

#[test]
fn who_ends_before_is_not_kept() {
    let script = "for program in 'sleep 3' 'busybox sleep 3' \"bash -c 'sleep 2 & sleep 3'\"; do \
                  \"$0\" -v --until=100d -- bash -c \"exec $program\" 2>&1; done";
    let launcher = &flux_tests::artifacts().launcher;
    let outcome = flux_tests::Run::new("bash").args(["-c", script]).arg(launcher).run();
    let said = outcome.assert_success().stdout.clone();
    assert_eq!(
        said.lines().filter(|line| line.starts_with("flux-launch: 3.0")).count(),
        3,
        "{said}"
    );
}

#[test]
fn what_is_left_over_ends_with_the_budget_and_keeps_the_status() {
    let outcome = flux(["-v", "--until=1d", "--", "bash", "-c", "sleep 9d & sleep 3; exit 7"]);
    assert_eq!(outcome.code(), 7, "{outcome}");
    assert!(outcome.stderr.contains("flux-launch: 1 d 0 h virtual"), "{outcome}");
}

#[test]
fn bad_dates_are_refused() {
    for word in ["soon", "", "2031-02-30", "@x", "12"] {
        let outcome = flux([&format!("--start={word}"), "--", "true"]);
        assert_refused(&outcome, 2, &["--start", "2031-02-28"]);
    }
    for word in ["late", "-", "1x"] {
        let outcome = flux([&format!("--until={word}"), "--", "true"]);
        assert_refused(&outcome, 2, &["--until", "90s"]);
    }
    for word in ["1950-01-01", "2500-01-01"] {
        assert_refused(&flux(["--start", word, "--", "true"]), 2, &["--start", "1970", "2262"]);
    }
    for word in ["0", "-1d", "2001-01-01"] {
        assert_refused(&flux([&format!("--until={word}"), "--", "true"]), 2, &["--until"]);
    }
}

#[test]
fn inside_a_session_the_clock_goes_on_as_it_is() {
    let script = "\"$0\" -v --start=2031-01-01 -- true";
    let launcher = &flux_tests::artifacts().launcher;
    let inner = format!("{} -- bash -c '{script}' \"$0\"", launcher.display());
    let outcome = flux_tests::Run::new("bash").args(["-c", &inner]).arg(launcher).run();
    assert!(outcome.assert_success().stderr.contains("--start is ignored"), "{outcome}");
}
