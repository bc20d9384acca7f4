//! Programs in PID namespaces below the launcher's, pid_namespaces(7). They know themselves by
//! numbers that are strangers' outside, and often see a `/proc` that shows nobody outside.
//! (`guests/lifecycle/pid_namespace.c` has what they wait for.)

mod command;
mod elsewhere;

use command::{FOR_EVER, REAL, Scratch, compile, flux};
use elsewhere::stays;
use flux_tests::{Mode, Run, report};
use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Sleeps by itself, in several children at a time, in traced programs, and after its environment
/// was cleared.
const SLEEPS: &str = "sleep HOUR; (sleep HOUR; echo later) & (sleep HOUR; sleep HOUR) & wait; \
    env -i sleep HOUR; busybox sh -c 'busybox sleep HOUR; sleep HOUR; busybox sleep HOUR'; \
    for i in 1 2 3 4 5 6 7 8 9; do sleep HOUR & done; wait; kill -0 $$ && echo here";

/// Waits for each other: a pipe, and a signal.
const TALKS: &str = "trap 'echo signal' USR1; \
    (sleep HOUR; echo one; sleep HOUR; kill -USR1 $$; sleep HOUR; echo two) | \
    while read -r line; do echo got $line; done; wait; sleep HOUR; echo end";

const UNSHARE: [&str; 3] = ["unshare", "--pid", "--fork"];
const OWN_PROC: [&str; 4] = ["unshare", "--pid", "--fork", "--mount-proc"];

#[test]
fn the_launchers_proc() {
    stays(&UNSHARE, SLEEPS);
    stays(&UNSHARE, TALKS);
}

#[test]
fn a_proc_of_its_own() {
    stays(&OWN_PROC, SLEEPS);
    stays(&OWN_PROC, TALKS);
}

#[test]
fn one_within_the_other() {
    for inner in [&UNSHARE[..], &OWN_PROC] {
        for outer in [&UNSHARE[..], &OWN_PROC] {
            stays(&[outer, inner].concat(), SLEEPS);
        }
    }
}

#[test]
fn a_user_namespace_as_well() {
    let words = [&OWN_PROC[..], &["--user", "--map-root-user"]].concat();
    stays(&words, SLEEPS);
}

#[test]
fn bubblewrap() {
    let everything = ["bwrap", "--dev-bind", "/", "/"];
    stays(&[&everything[..], &["--unshare-pid", "--proc", "/proc"]].concat(), SLEEPS);
    stays(&[&everything[..], &["--unshare-all"]].concat(), TALKS);
}

#[test]
fn a_traced_program_makes_one() {
    let words = ["busybox", "unshare", "-p", "-f"];
    stays(&words, SLEEPS);
    stays(&[&words[..], &["--mount-proc"]].concat(), SLEEPS);
}

#[test]
fn a_storm_of_processes() {
    let script = "for i in $(seq 200); do (sleep $((i % 7))) & done; wait; echo all";
    for mode in [Mode::Elapsed, Mode::Frozen] {
        let outcome = Run::new(OWN_PROC[0])
            .args(&OWN_PROC[1..])
            .args(["bash", "-c", script])
            .mode(mode)
            .within(REAL);
        let outcome = outcome.run();
        if outcome.stderr.contains("Operation not permitted") {
            report::not_root("");
            return;
        }
        assert_eq!(outcome.assert_success().stdout, "all\n", "{outcome}");
    }
}

/// Starts programs without the library by posix_spawn(3): nobody who knows it says which number
/// such a child has outside.
const SPAWNS: &str = "import os, time\n\
    words = ['busybox', 'sleep', '2']\n\
    child = os.posix_spawn('/bin/busybox', words, dict(os.environ))\n\
    time.sleep(3600)\n\
    os.waitpid(child, 0)\n\
    print('slept')";

#[test]
fn children_that_never_join() {
    if report::not_root("") {
        return;
    }
    let began = Instant::now();
    let outcome =
        flux([&["--trace=none", "--"][..], &OWN_PROC, &["python3", "-c", SPAWNS]].concat());
    assert_eq!(outcome.assert_success().stdout, "slept\n", "{outcome}");
    assert!(began.elapsed() < REAL);
}

#[test]
fn who_is_left_over_is_ended_and_named() {
    if report::not_root("") {
        return;
    }
    let script = format!("{} perl -e '{FOR_EVER}' & sleep 100; echo over", OWN_PROC.join(" "));
    let outcome = flux(["-v", "--", "bash", "-c", &script]);
    assert_eq!(outcome.assert_success().stdout, "over\n", "{outcome}");
    assert!(outcome.stderr.contains("left over"), "{outcome}");
    assert!(outcome.stderr.contains("perl ("), "{outcome}");
    assert!(!outcome.stderr.contains("PID namespace"), "{outcome}");
}

/// Takes the number that comes after `LAST`, and waits while it is stopped: so somebody else has to
/// end its wait.
const WAITS: &str = r#"
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}
static void compute(double seconds)
{
	for (double end = now() + seconds; now() < end;)
		;
}
int main(int argc, char **argv)
{
	int wanted = argc > 1 ? atoi(argv[1]) : 0;
	pid_t child = 0;
	for (int i = 0; i < 20 && child != wanted; i++) {
		FILE *last = fopen("/proc/sys/kernel/ns_last_pid", "w");
		if (!last || fprintf(last, "%d", wanted - 1) < 0 || fclose(last))
			return 90;
		child = fork();
		if (child == 0) {
			int pipes[2];
			if (getpid() != wanted)
				_exit(0);
			if (pipe(pipes))
				_exit(1);
			struct pollfd set = { .fd = pipes[0], .events = POLLIN };
			poll(&set, 1, 500);
			_exit(0);
		}
		if (child != wanted)
			waitpid(child, 0, 0);
	}
	if (child != wanted)
		return 91;
	compute(0.2);
	kill(child, SIGSTOP);
	compute(1);
	kill(child, SIGCONT);
	waitpid(child, 0, 0);
	printf("over\n");
	return 0;
}
"#;

/// Has a file open at all numbers that a wake fd may have.
const STRANGER: &str = "import os, sys, time\n\
    [os.dup2(1, n) for n in range(200, 1024)]\n\
    print('x', file=sys.stderr, flush=True)\n\
    time.sleep(600)";

#[test]
fn a_stranger_with_the_same_number_is_left_alone() {
    if report::not_root("") {
        return;
    }
    let scratch = Scratch::new("same-number");
    let waits = compile(&scratch, &[], WAITS);
    let file = fs::File::create(scratch.file("strangers")).expect("a file");
    let mut stranger = Command::new("python3");
    stranger.args(["-c", STRANGER]).stdin(Stdio::null()).stdout(file).stderr(Stdio::piped());
    let mut stranger = stranger.spawn().expect("python3");
    let mut ready = [0u8; 1];
    let mut says = stranger.stderr.take().expect("piped");
    std::io::Read::read_exact(&mut says, &mut ready).expect("it starts");
    let number = stranger.id().to_string();
    let words = [&["--"][..], &OWN_PROC, &[&waits, &number]].concat();
    let outcome = Run::launcher().args(words).within(Duration::from_secs(60)).run();
    let written = fs::read(scratch.file("strangers")).expect("the file");
    let alive = stranger.try_wait().expect("our child").is_none();
    stranger.kill().expect("it is ours");
    stranger.wait().expect("it is ours");
    assert_eq!(outcome.assert_success().stdout, "over\n", "{outcome}");
    assert_eq!(written, b"", "the launcher has written to a stranger's file");
    assert!(alive);
}
