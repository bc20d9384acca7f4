//! `flux-launch --wait-idle`: beside a program that keeps a state file by hand, so nothing here
//! depends on libidle.so.

mod command;

use command::*;
use flux_tests::{Outcome, Run};
use std::fs::{self, File, OpenOptions};
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;
use std::process::Command;
use std::thread;
use std::time::Duration;

/// A waiter that does not wait has ended before this is over. No test fails where the machine is
/// slower: a waiter that has not begun yet proves less, that is all.
const WHILE: Duration = Duration::from_millis(150);

/// What a tracked program does: the lock while it is busy, and a number one higher for each time it
/// goes busy.
struct Tracked {
    file: File,
    number: u64,
}

impl Tracked {
    /// Busy from the start.
    fn start(path: &str) -> Self {
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .expect("a state file");
        let mut tracked = Tracked { file, number: 0 };
        tracked.goes_busy();
        tracked
    }

    fn flock(&self, operation: i32) {
        // SAFETY: a descriptor that is open, and a number.
        assert_eq!(unsafe { libc::flock(self.file.as_raw_fd(), operation) }, 0);
    }

    fn goes_busy(&mut self) {
        self.flock(libc::LOCK_EX);
        self.number += 1;
        self.file.write_all_at(format!("{}\n", self.number).as_bytes(), 0).expect("written");
    }

    fn comes_to_rest(&self) {
        self.flock(libc::LOCK_UN);
    }
}

fn wait_for(file: &str, options: &[&str]) -> Outcome {
    flux(["--wait-idle", file].iter().chain(options))
}

#[track_caller]
fn assert_idle(outcome: &Outcome, number: u64) {
    assert_eq!(outcome.assert_success().stdout, format!("{number}\n"), "{outcome}");
    assert_eq!(outcome.stderr, "", "{outcome}");
}

#[track_caller]
fn assert_timed_out(outcome: &Outcome) {
    assert_eq!(
        (outcome.code(), outcome.stdout.as_str(), outcome.stderr.as_str()),
        (124, "", ""),
        "{outcome}"
    );
}

/// A waiter in another thread.
type Waiter<'a> = thread::ScopedJoinHandle<'a, Outcome>;

#[track_caller]
fn assert_waits(waiter: &Waiter) {
    thread::sleep(WHILE);
    assert!(!waiter.is_finished(), "it does not wait any more");
}

/// Waits while `meanwhile` runs.
fn beside(file: &str, options: &[&str], meanwhile: impl FnOnce(&Waiter)) -> Outcome {
    thread::scope(|scope| {
        let waiter = scope.spawn(|| wait_for(file, options));
        assert_waits(&waiter);
        meanwhile(&waiter);
        waiter.join().expect("ended")
    })
}

#[test]
fn idle_is_told_at_once() {
    let scratch = Scratch::new("wait-at-once");
    let file = scratch.file("state");
    let tracked = Tracked::start(&file);
    tracked.comes_to_rest();
    assert_idle(&wait_for(&file, &[]), 1);
    assert_idle(&wait_for(&file, &["--timeout=0"]), 1);
    assert_idle(&wait_for(&file, &["--timeout=0", "--after=0"]), 1);
}

#[test]
fn busy_is_waited_out() {
    let scratch = Scratch::new("wait-busy");
    let file = scratch.file("state");
    let tracked = Tracked::start(&file);
    assert_timed_out(&wait_for(&file, &["--timeout=0"]));
    assert_timed_out(&wait_for(&file, &["--timeout", "0.1"]));
    let outcome = beside(&file, &[], |_| tracked.comes_to_rest());
    assert_idle(&outcome, 1);
    // The end of the program is the end of its lock.
    let tracked = Tracked::start(&file);
    let outcome = beside(&file, &["--timeout=60"], |_| drop(tracked));
    assert_idle(&outcome, 1);
}

#[test]
fn past_a_number() {
    let scratch = Scratch::new("wait-after");
    let file = scratch.file("state");
    let mut tracked = Tracked::start(&file);
    tracked.comes_to_rest();
    assert_timed_out(&wait_for(&file, &["--after=1", "--timeout=0.1"]));
    // Idle, but it has not moved; then busy; only then idle with a new number.
    let outcome = beside(&file, &["--after=1"], |waiter| {
        tracked.goes_busy();
        assert_waits(waiter);
        tracked.comes_to_rest();
    });
    assert_idle(&outcome, 2);
    // Two periods ahead.
    let outcome = beside(&file, &["--after", "3"], |waiter| {
        for number in [3, 4] {
            tracked.goes_busy();
            tracked.comes_to_rest();
            if number < 4 {
                assert_waits(waiter);
            }
        }
    });
    assert_idle(&outcome, 4);
}

#[test]
fn short_periods_are_not_missed() {
    let scratch = Scratch::new("wait-short");
    let file = scratch.file("state");
    let mut tracked = Tracked::start(&file);
    tracked.comes_to_rest();
    for _ in 0..50 {
        let after = tracked.number.to_string();
        thread::scope(|scope| {
            let waiter = scope.spawn(|| wait_for(&file, &["--after", &after]));
            // Before, while and after it starts to wait: the length is no matter of right or wrong.
            thread::sleep(Duration::from_micros(tracked.number * 100));
            tracked.goes_busy();
            tracked.comes_to_rest();
            assert_idle(&waiter.join().expect("ended"), tracked.number);
        });
    }
}

#[test]
fn a_waiter_holds_up_nobody_and_computes_nothing() {
    let scratch = Scratch::new("wait-quiet");
    let file = scratch.file("state");
    let mut tracked = Tracked::start(&file);
    let script = r#""$0" --wait-idle "$1" --after=1 --timeout=1.5; echo $?; times"#;
    let run = || {
        Run::new("bash")
            .args(["-c", script])
            .arg(&flux_tests::artifacts().launcher)
            .arg(&file)
            .run()
    };
    let computed = |outcome: &Outcome| {
        let line = outcome.stdout.lines().last().expect("times of children").to_owned();
        let seconds =
            |time: &str| time.trim_end_matches('s').rsplit('m').next()?.parse::<f64>().ok();
        line.split(' ').filter_map(seconds).sum::<f64>()
    };
    let busy = run();
    tracked.comes_to_rest();
    let idle = run();
    for outcome in [&busy, &idle] {
        // Processor time, of a second and a half that it has waited.
        assert!(outcome.stdout.starts_with("124\n") && computed(outcome) < 0.5, "{outcome}");
    }
    // While it waits for the next number the program can go busy.
    let outcome = beside(&file, &["--after=2"], |_| {
        for _ in 0..2 {
            tracked.goes_busy();
            tracked.comes_to_rest();
        }
    });
    assert_idle(&outcome, 3);
}

#[test]
fn a_program_that_has_not_started() {
    let scratch = Scratch::new("wait-early");
    let file = scratch.file("state");
    File::create(&file).expect("an empty file");
    assert_timed_out(&wait_for(&file, &["--timeout=0.1"]));
    let outcome = beside(&file, &[], |_| Tracked::start(&file).comes_to_rest());
    assert_idle(&outcome, 1);
}

#[test]
fn a_file_that_is_replaced() {
    let scratch = Scratch::new("wait-replaced");
    let (file, other) = (scratch.file("state"), scratch.file("other"));
    let replace = |number: u64| {
        let mut tracked = Tracked::start(&other);
        tracked.number = number - 1;
        tracked.goes_busy();
        fs::rename(&other, &file).expect("replaced");
        tracked
    };
    // While the lock on the old one is waited for, and never given.
    let old = Tracked::start(&file);
    let outcome = beside(&file, &[], |_| replace(7).comes_to_rest());
    assert_idle(&outcome, 7);
    drop(old);
    // While its number is waited for.
    let outcome = beside(&file, &["--after=7"], |waiter| {
        let new = replace(20);
        assert_waits(waiter);
        new.comes_to_rest();
    });
    assert_idle(&outcome, 20);
    // The old one unlocked says nothing about the new one.
    let old = Tracked::start(&file);
    let outcome = beside(&file, &[], |waiter| {
        let new = replace(30);
        old.comes_to_rest();
        assert_waits(waiter);
        new.comes_to_rest();
    });
    assert_idle(&outcome, 30);
    // Gone altogether.
    let outcome = beside(&file, &["--after=30"], |_| fs::remove_file(&file).expect("removed"));
    assert_refused(&outcome, OWN_FAILURE, &[&file, "no such file"]);
}

#[test]
fn a_session_is_not_at_rest_before_it_has_begun() {
    let scratch = Scratch::new("wait-session");
    let file = scratch.file("state");
    let option = format!("--statefile={file}");
    for number in 1..=40 {
        flux([&option, "--", "true"]).assert_success();
        assert_idle(&wait_for(&file, &["--timeout=0"]), number);
    }
}

#[test]
fn many_waiters() {
    let scratch = Scratch::new("wait-many");
    let file = scratch.file("state");
    let tracked = Tracked::start(&file);
    thread::scope(|scope| {
        let waiters: Vec<_> = (0..20).map(|_| scope.spawn(|| wait_for(&file, &[]))).collect();
        waiters.first().into_iter().for_each(assert_waits);
        tracked.comes_to_rest();
        waiters.into_iter().for_each(|waiter| assert_idle(&waiter.join().expect("ended"), 1));
    });
}

#[test]
fn files_that_are_no_state_files() {
    let scratch = Scratch::new("wait-no-state");
    let file = scratch.file("state");
    assert_refused(&wait_for(&file, &[]), OWN_FAILURE, &[&file, "no such file"]);
    for text in [
        "hello\n",
        "12",
        "12\n\n",
        "-1\n",
        " 1\n",
        "\n",
        "99999999999999999999999\n",
        "1 2\n",
        "\u{fc}\n",
    ] {
        fs::write(&file, text).expect("written");
        assert_refused(&wait_for(&file, &[]), OWN_FAILURE, &[&file, "not a state file"]);
    }
    let fifo = scratch.file("fifo");
    assert!(Command::new("mkfifo").arg(&fifo).status().expect("mkfifo").success());
    for other in [fifo.as_str(), &scratch.file(""), "/dev/null"] {
        assert_refused(&wait_for(other, &[]), OWN_FAILURE, &[other, "not a state file"]);
    }
}

#[test]
fn options_of_waiting() {
    for option in ["--after=1", "--timeout=1"] {
        assert_refused(&flux([option]), 2, &["--wait-idle"]);
        assert_refused(&flux([option, "--", "true"]), 2, &[&option[..7], "cannot be used with"]);
    }
    assert_refused(
        &flux(["--wait-idle=state", "--", "true"]),
        2,
        &["--wait-idle", "cannot be used with"],
    );
    for (option, value) in
        [("--timeout", "soon"), ("--timeout", "-1"), ("--after", "one"), ("--after", "-1")]
    {
        let outcome = flux(["--wait-idle", "state", &format!("{option}={value}")]);
        assert_refused(&outcome, 2, &[option, value]);
    }
    let to_full_disk =
        r#"f=$(mktemp); echo 1 >$f; "$0" --wait-idle $f >/dev/full; code=$?; rm $f; exit $code"#;
    let outcome =
        Run::new("bash").args(["-c", to_full_disk]).arg(&flux_tests::artifacts().launcher).run();
    assert_refused(&outcome, OWN_FAILURE, &["standard output"]);
}
