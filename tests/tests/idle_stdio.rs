//! libidle.so and programs whose first and only waits are inside stdio, or seen by nobody.

use flux_tests::{Guest, Tracked};
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

/// A guest that answers each line, by this means.
fn lines(how: &str) -> Tracked {
    let guest = Guest::new("idle/lines").compile();
    let mut command = Command::new(guest);
    Tracked::start(command.arg(how).stdin(Stdio::piped()).stdout(Stdio::piped()))
}

#[test]
fn each_line_is_a_busy_period() {
    for how in ["fgets", "getline", "getc", "getc_unlocked", "scanf", "fread", "fgetws"] {
        let mut tracked = lines(how);
        let mut input = tracked.child.stdin.take().expect("piped");
        let mut output = BufReader::new(tracked.child.stdout.take().expect("piped"));
        let mut number = tracked.rest_past(0).number;
        for _ in 0..200 {
            input.write_all(b"x\n").expect("it reads");
            let mut line = String::new();
            output.read_line(&mut line).expect("it answers");
            assert_eq!(line, "x\n", "{how}");
            let now = tracked.rest_past(number).number;
            assert_eq!(now, number + 1, "{how}: one more for each line");
            number = now;
        }
        drop(input);
        assert!(tracked.end().success(), "{how}");
    }
}

#[test]
fn waits_that_no_hook_sees() {
    let mut tracked = lines("in line");
    let first = tracked.rest_past(0).number;
    assert_eq!(first, 1);
    drop(tracked.child.stdin.take());
    assert!(tracked.end().success());
}

#[test]
fn forced_idle_before_any_wait() {
    for _ in 0..5 {
        let guest = Guest::new("idle/forced_first").compile();
        let mut tracked = Tracked::start(&mut Command::new(guest));
        let first = tracked.rest_past(0).number;
        assert_eq!(first, 1);
        assert!(tracked.child.try_wait().expect("our child").is_none(), "it computes on");
    }
}

#[test]
fn a_full_pipe() {
    // It writes more than the pipe takes, and nobody reads.
    let source = "x".repeat(70_000) + "\n";
    let mut tracked = lines("getline");
    let mut input = tracked.child.stdin.take().expect("piped");
    input.write_all(source.as_bytes()).expect("it reads");
    let number = tracked.rest_past(0).number;
    let mut output = BufReader::new(tracked.child.stdout.take().expect("piped"));
    let mut line = String::new();
    output.read_line(&mut line).expect("it goes on");
    assert_eq!(line, source);
    tracked.rest_past(number);
    drop(input);
    assert!(tracked.end().success());
}
