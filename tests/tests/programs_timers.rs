//! Programs that are driven by timers: timeout(1), watch(1), alarms in Perl and Python, and timers
//! by the thousand.

mod programs;

use flux_tests::{Mode, Outcome, Run};
use std::time::Duration;

/// Minutes to hours of virtual time must be over in this much real time.
const REAL: Duration = Duration::from_secs(40);

/// Runs a command under flux in both modes; it must end with `code` and have printed `stdout`.
#[track_caller]
fn both(command: &[&str], code: i32, stdout: &str) {
    for outcome in outcomes(command, REAL) {
        assert_eq!((outcome.code(), outcome.stdout.as_str()), (code, stdout), "{outcome}");
    }
}

#[track_caller]
fn outcomes(command: &[&str], real: Duration) -> [Outcome; 2] {
    [Mode::Elapsed, Mode::Frozen].map(|mode| {
        let outcome = Run::new(command[0]).args(&command[1..]).mode(mode).run();
        outcome.assert_took_less(real);
        outcome
    })
}

/// The same in a shell, and so many seconds pass; with a clock that runs no more than real time on
/// top.
#[track_caller]
fn shell(script: &str, stdout: &str, seconds: u64) {
    let script = format!("began=$(date +%s)\n{script}\necho $(( $(date +%s) - began ))");
    for (outcome, late) in outcomes(&["bash", "-c", &script], REAL).iter().zip([REAL.as_secs(), 0])
    {
        let (printed, passed) = outcome.stdout.trim_end().rsplit_once('\n').unwrap_or_default();
        let passed: u64 = passed.parse().unwrap_or(0);
        assert!(printed == stdout && (seconds..=seconds + late).contains(&passed), "{outcome}");
    }
}

#[test]
fn without_flux_timeout_takes_its_time() {
    let outcome = Run::new("timeout").args(["1.5", "sleep", "100"]).run();
    assert!(outcome.code() == 124 && outcome.took >= Duration::from_millis(1500), "{outcome}");
}

#[test]
fn timeout_ends_what_takes_too_long() {
    shell("timeout 60 sleep 1000; echo $?", "124", 60);
    shell("timeout 2h sleep 3600; echo $?", "0", 3600);
    shell("timeout -s INT 60 sleep 1000; echo $?", "124", 60);
    shell("timeout 100 timeout 60 timeout 80 sleep 1000; echo $?", "124", 60);
}

#[test]
fn timeout_kills_who_does_not_listen() {
    shell(r#"timeout -k 5 10 sh -c 'trap "" TERM; sleep 1000'; echo $?"#, "137", 15);
}

#[test]
fn perl_alarm() {
    let handled = r#"$SIG{ALRM} = sub { die "alarm\n" }; alarm 5; eval { sleep 100 }; print $@; alarm 0; sleep 50; print "rested\n""#;
    both(&["perl", "-e", handled], 0, "alarm\nrested\n");
    both(
        &[
            "perl",
            "-e",
            r#"$SIG{ALRM} = sub { print "tick\n" }; for (1 .. 3) { alarm 5; sleep 100 }"#,
        ],
        0,
        "tick\ntick\ntick\n",
    );
    // 128 + SIGALRM.
    both(&["perl", "-e", "alarm 5; sleep 100"], 142, "");
    // A blocking read, and a file lock.
    let read = r#"$SIG{ALRM} = sub { die "alarm\n" }; pipe(my $r, my $w); alarm 5; eval { my $line = <$r> }; print $@"#;
    both(&["perl", "-e", read], 0, "alarm\n");
    // How scripts limit the time of another program.
    shell("perl -e 'alarm shift; exec @ARGV' 60 sleep 1000; echo $?", "142", 60);
}

#[test]
fn python_alarm() {
    let python = programs::python();
    let alarms = programs::path("python/alarms.py");
    both(
        &[&python, &alarms, "alarm"],
        0,
        "alarm after 60\nleft of an alarm: 0 100\nslept on 260\n",
    );
}

/// 60 000 signals, one after the other; with a frozen clock half of them will do.
/// `tests/stress/ticks.py` goes on for longer.
#[test]
fn python_ticks_for_ten_minutes() {
    let (python, alarms) = (programs::python(), programs::path("python/alarms.py"));
    for (mode, seconds) in [(Mode::Elapsed, "600"), (Mode::Frozen, "300")] {
        let outcome = Run::new(&python).args([&alarms, "ticks", seconds]).mode(mode).run();
        outcome.assert_took_less(Duration::from_secs(100));
        assert_eq!(outcome.stdout, "as long True ticks True\n", "{outcome}");
    }
}

#[test]
fn python_faulthandler() {
    let python = programs::python();
    let alarms = programs::path("python/alarms.py");
    for outcome in outcomes(&[&python, &alarms, "dump"], REAL) {
        assert!(
            outcome.code() == 1 && outcome.stdout.starts_with("Timeout (0:01:00)!\n"),
            "{outcome}"
        );
    }
    both(&[&python, &alarms, "dump_cancelled"], 0, "cancelled\n");
}

#[test]
fn watch_sees_the_minute_change() {
    for outcome in outcomes(&["env", "TERM=vt100", "watch", "-n", "60", "-g", "date"], REAL) {
        outcome.assert_success();
    }
}

#[test]
fn a_loop_like_crons() {
    // How far into the minute it is when date(1) runs depends on the machine.
    let script = "for n in 1 2 3 4 5; do sleep $((60 - $(date +%s) % 60)); [ $(date +%S) -lt 40 ] && echo in time; done";
    both(&["bash", "-c", script], 0, &"in time\n".repeat(5));
}

#[test]
fn node_with_ten_thousand_timers() {
    both(&["node", &programs::path("node/many.js")], 0, "all of them after 100 hundred seconds\n");
}

#[test]
fn java_timer() {
    for outcome in outcomes(&["java", &programs::path("java/Ticks.java")], REAL) {
        assert_eq!(outcome.stdout, "five ticks after 5 minutes\n", "{outcome}");
    }
}
