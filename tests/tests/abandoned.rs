//! flux-launch is killed by a signal that it cannot catch: the programs of the session go on in
//! real time, and no wait is lost, in either mode.

use flux_tests::{Guest, Mode, NATIVE_UNIT_MS, Run, artifacts};
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

/// Real time that anything here may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// For so long the tracer is waited for where nobody knows that it cannot come.
const TRACER: Duration = Duration::from_secs(60);

/// Runs a command until it says "ready", kills its flux-launch, and gives what it prints after that
/// and how long it took.
fn orphaned<A: AsRef<OsStr>>(
    mode: Mode,
    args: impl IntoIterator<Item = A>,
    unit_ms: u64,
) -> (String, Duration) {
    let clock = if mode == Mode::Frozen { "--clock=frozen" } else { "--clock=elapsed" };
    let mut launcher = Command::new(&artifacts().launcher)
        .args([clock, "--"])
        .args(args)
        .env("GUEST_UNIT_MS", unit_ms.to_string())
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .expect("flux-launch starts");
    let mut output = BufReader::new(launcher.stdout.take().expect("piped"));
    let (sender, texts) = channel();
    thread::spawn(move || {
        let mut line = String::new();
        output.read_line(&mut line).expect("a line");
        let _ = sender.send(line);
        let mut rest = String::new();
        output.read_to_string(&mut rest).expect("text");
        let _ = sender.send(rest);
    });
    let ready = texts.recv_timeout(PATIENCE);
    let killed = Instant::now();
    launcher.kill().expect("our child");
    launcher.wait().expect("our child");
    assert_eq!(ready.as_deref(), Ok("ready\n"), "{mode:?}");
    // The end of file comes when the last process of the session has ended.
    let rest =
        texts.recv_timeout(PATIENCE).unwrap_or_else(|e| panic!("{mode:?}: it does not end: {e}"));
    (rest, killed.elapsed())
}

fn in_both_modes(check: impl Fn(Mode)) {
    for mode in [Mode::Elapsed, Mode::Frozen] {
        check(mode);
    }
}

#[test]
fn nobody_waits_for_a_tracer_that_cannot_come() {
    let script = "launcher=$PPID; echo ready; while kill -0 $launcher; do :; done 2> /dev/null
        for i in 1 2 3 4 5; do busybox echo $i; done";
    in_both_modes(|mode| {
        let (text, took) = orphaned(mode, ["bash", "-c", script], NATIVE_UNIT_MS);
        assert_eq!(text, "1\n2\n3\n4\n5\n", "{mode:?}");
        assert!(took < TRACER / 2, "{mode:?}: {took:?}");
    });
}

/// The number of a processor that the caller may use, as text.
fn some_processor() -> String {
    let status = std::fs::read_to_string("/proc/self/status").expect("proc(5)");
    let list = status
        .lines()
        .find_map(|line| line.strip_prefix("Cpus_allowed_list:"))
        .expect("since Linux 2.6.24");
    list.trim().chars().take_while(char::is_ascii_digit).collect()
}

#[test]
fn a_launcher_that_is_killed_at_once_is_known_to_be_dead() {
    // On one processor its keeper has often not run yet.
    let script = "kill -9 $PPID; busybox echo there";
    let launcher = &artifacts().launcher;
    for round in 0..40 {
        let began = Instant::now();
        let mut command = Command::new("taskset");
        command.args(["-c", &some_processor()]).arg(launcher).args(["--", "bash", "-c", script]);
        let output = command.output().expect("taskset starts");
        assert_eq!(String::from_utf8_lossy(&output.stdout), "there\n");
        assert!(began.elapsed() < TRACER / 2, "round {round}: {:?}", began.elapsed());
    }
}

#[test]
fn waits_under_way_end_by_the_real_clock() {
    let guest = Guest::new("lifecycle/abandoned").compile();
    // Natively and without the launcher all is in real time, which a busy machine delays.
    let unit = 2000;
    let native = Run::new(&guest).env("GUEST_UNIT_MS", unit.to_string()).before_others();
    let abandoned = &|mode| orphaned(mode, [guest.as_os_str(), OsStr::new("alone")], unit);
    // They mostly sleep, so they can do it at the same time.
    let (native, runs) = thread::scope(|scope| {
        let native = scope.spawn(|| native.run());
        let runs =
            [Mode::Elapsed, Mode::Frozen].map(|mode| (mode, scope.spawn(move || abandoned(mode))));
        (
            native.join().expect("it ends"),
            runs.map(|(mode, run)| (mode, run.join().expect("it ends"))),
        )
    });
    for (mode, (output, took)) in runs {
        assert_eq!(output, native.assert_success().stdout, "{mode:?}");
        // One unit of the threads and one of the child; the threads' may have begun a little before
        // the end of the launcher.
        assert!(
            took > Duration::from_millis(2 * unit - 500),
            "{mode:?}: it did not wait: {took:?}"
        );
    }
}

/// Says that it is ready, and computes until the parent is another.
const PERL: &str = "$| = 1; my $parent = getppid; print qq(ready\\n); 1 while getppid == $parent;";

#[test]
fn waits_that_begin_later_take_real_time() {
    in_both_modes(|mode| {
        let script = format!("{PERL} sleep 1; select undef, undef, undef, 0.25; print qq(done\\n)");
        let (output, took) = orphaned(mode, ["perl", "-e", &script], 0);
        assert_eq!(output, "done\n", "{mode:?}");
        assert!(took >= Duration::from_millis(1250), "{mode:?}: {took:?}");
    });
}

#[test]
fn programs_executed_later_run() {
    in_both_modes(|mode| {
        let script = "python3 -c 'import threading, time; threading.Timer(0.2, print, [\"timer\"]).start(); time.sleep(0.4)'";
        let script = format!(
            "{PERL} exec qw(bash -c), q({script}; sleep 0.3; date > /dev/null && echo dated)"
        );
        let (output, took) = orphaned(mode, ["perl", "-e", &script], 0);
        assert_eq!(output, "timer\ndated\n", "{mode:?}");
        assert!(took >= Duration::from_millis(700), "{mode:?}: {took:?}");
    });
}

#[test]
fn traced_programs_end() {
    // In their filter calls would fail for ever. Their parent goes on.
    in_both_modes(|mode| {
        let script = "busybox sh -c 'echo ready; while :; do :; done'; echo $?";
        assert_eq!(orphaned(mode, ["sh", "-c", script], 0).0, "137\n", "{mode:?}");
    });
}

#[test]
fn a_clock_that_is_read_in_a_loop_moves_on() {
    in_both_modes(|mode| {
        let script = format!("{PERL} my $end = time + 2; 1 while time < $end; print qq(there\\n)");
        assert_eq!(orphaned(mode, ["perl", "-e", &script], 0).0, "there\n", "{mode:?}");
    });
}
