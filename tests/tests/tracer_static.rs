//! Statically linked programs: traced, and part of the session like all others.

mod command;

use command::*;
use flux_tests::{Guest, Mode, Run, without_units};
use std::time::Duration;

flux_tests::guests! { "tracer";
    children: 16, flag("-static");
    signals: 52, flag("-static");
    odd: 13, flag("-static");
    burst: 0, flag("-static");
    leaves: 0, flag("-static");
    orphans: 2, flag("-static");
    confined: 8, flag("-static");
    stops: 0, flag("-static");
    again: 2, flag("-static-pie"), flag("-fPIE");
}

/// Sleeps natively when nothing helps it.
fn sleeper() -> std::path::PathBuf {
    Guest::new("sleep/nanosleep").flag("-static").compile()
}

#[test]
fn without_the_tracer_it_sleeps_really() {
    let run =
        |unit: u64| Run::new(sleeper()).env("GUEST_UNIT_MS", unit.to_string()).mode(Mode::Elapsed);
    let traced = run(3_600_000).run();
    let outcome = run(100).flux_option("--trace=none").run();
    outcome.assert_success();
    assert!(outcome.took >= Duration::from_millis(600), "{outcome}");
    assert_eq!(without_units(&outcome.stdout), without_units(&traced.stdout));
    assert!(!outcome.stdout.contains("EARLY"), "{outcome}");
}

#[test]
fn dynamic_programs_are_neither_filtered_nor_traced() {
    let script = format!("{}; cat /proc/self/status", sleeper().display());
    let outcome =
        Run::new("sh").args(["-c", &script]).env("GUEST_UNIT_MS", "1000").mode(Mode::Elapsed).run();
    outcome.assert_success();
    for line in ["TracerPid:\t0", "NoNewPrivs:\t0", "Seccomp:\t0"] {
        assert!(outcome.stdout.lines().any(|l| l == line), "{line} is missing: {outcome}");
    }
}

#[test]
fn all_programs_are_filtered_and_traced() {
    let script = "sleep 1000; cat /proc/self/status; (sleep 500; kill -CONT $$) & kill -STOP $$; wait; date +%s";
    let outcome =
        Run::new("sh").args(["-c", script]).mode(Mode::Elapsed).flux_option("--trace=all").run();
    outcome.assert_success();
    let has =
        |start: &str, not: &str| outcome.stdout.lines().any(|l| l.starts_with(start) && l != not);
    assert!(has("TracerPid:", "TracerPid:\t0") && has("Seccomp:\t2", ""), "{outcome}");
}

#[test]
fn who_is_killed_while_stopped_holds_no_time() {
    for program in ["sleep", "busybox sleep"] {
        let stops = "kill -STOP $!; sleep 1; kill -KILL $!; wait; sleep 3600; echo over";
        let script = format!("{program} 1000 & sleep 1; {stops}");
        for mode in [Mode::Elapsed, Mode::Frozen] {
            let run = Run::new("bash").args(["-c", &script]).mode(mode).flux_option("--trace=all");
            assert_eq!(run.within(REAL).run().stdout, "over\n", "{program}, {mode:?}");
        }
    }
}

#[test]
fn a_tracer_that_is_killed_is_started_anew() {
    let program = sleeper();
    let script = format!(
        "{0} > /dev/null; for p in $(cat /proc/$PPID/task/*/children); do \
         grep -q '^/proc/self/exe' /proc/$p/cmdline && kill -9 $p && echo killed; done; {0}",
        program.display()
    );
    let run =
        Run::new("sh").args(["-c", &script]).env("GUEST_UNIT_MS", "3600000").mode(Mode::Elapsed);
    let outcome = run.within(REAL).run();
    assert!(
        outcome.stdout.starts_with("killed\n") && outcome.stdout.lines().count() > 2,
        "{outcome}"
    );
}

#[test]
fn one_session_with_static_and_dynamic_programs() {
    let script = "date +%s; busybox sleep 1000; sleep 500; busybox sh -c 'sleep 250; busybox sleep 125' & wait; date +%s";
    for mode in [Mode::Elapsed, Mode::Frozen] {
        for trace in ["--trace=auto", "--trace=all"] {
            let outcome = Run::new("bash").args(["-c", script]).mode(mode).flux_option(trace).run();
            outcome.assert_success().assert_took_less(Duration::from_secs(60));
            let times: Vec<u64> =
                outcome.stdout.lines().map(|line| line.parse().expect("a number")).collect();
            assert!((1875..1935).contains(&(times[1] - times[0])), "{outcome}");
        }
    }
}

#[test]
fn loops_that_ask_end_soon() {
    for guest in ["spin/looks", "spin/arms"] {
        let program = Guest::new(guest).flag("-static").compile();
        for mode in [Mode::Elapsed, Mode::Frozen] {
            let run =
                Run::new(&program).mode(mode).flux_option("-v").env("GUEST_UNIT_MS", "3600000");
            let outcome = run.within(REAL).run();
            outcome.assert_success();
            assert!(outcome.stdout.lines().all(|line| line.ends_with(": after 1")), "{outcome}");
            // Nor does time go to where a timer was armed once.
            assert!(outcome.stderr.contains(" h ") && !outcome.stderr.contains(" d "), "{outcome}");
        }
    }
}

#[test]
fn who_ends_with_its_process_holds_no_instant() {
    let program = Guest::new("tracer/leaves").flag("-static").compile();
    for _ in 0..8 {
        let outcome = Run::new(&program)
            .mode(Mode::Elapsed)
            .flux_option("-v")
            .env("GUEST_UNIT_MS", "3600000")
            .run();
        outcome.assert_success();
        assert!(!outcome.stderr.contains(" d "), "{outcome}");
    }
}

/// A program of several threads. One that is not the leader executes the arguments.
const EXECUTES: &str = r#"
#define _GNU_SOURCE
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>
static char **words;
static void *executes(void *sleeps)
{
	if (!sleeps)
		execvp(*words, words);
	sleep(1000);
	exit(9);
}
int main(int argc, char **argv)
{
	pthread_t thread;
	words = argv + 1;
	pthread_create(&thread, NULL, executes, argv);
	pthread_create(&thread, NULL, executes, NULL);
	sleep(1000);
	return argc;
}
"#;

/// With the library, that thread alone is traced.
#[test]
fn a_thread_that_is_not_the_leader_executes() {
    let scratch = Scratch::new("executes");
    for flags in [&["-pthread"][..], &["-pthread", "-static"]] {
        let program = compile(&scratch, flags, EXECUTES);
        for mode in [Mode::Elapsed, Mode::Frozen] {
            for words in [
                &["busybox", "sh", "-c", "sleep 86400; exit 4"][..],
                &["sh", "-c", "sleep 86400; exit 4"],
            ] {
                let outcome = Run::new(&program).args(words).mode(mode).within(REAL).run();
                assert_eq!(outcome.code(), 4, "{words:?}: {outcome}");
            }
        }
    }
}

/// Their addresses take more room than the kernel makes below a new program's stack.
#[test]
fn programs_with_many_arguments() {
    let script = "set -- $(seq 30000); busybox sh -c 'date +%s; sleep 1000; date +%s; echo $#' \"$@\"; \
                  busybox env -i /bin/sh -c 'sleep 1000; echo $#' \"$@\"; date +%s";
    for mode in [Mode::Elapsed, Mode::Frozen] {
        let outcome = Run::new("busybox").args(["sh", "-c", script]).mode(mode).within(REAL).run();
        outcome.assert_success();
        let numbers: Vec<u64> =
            outcome.stdout.lines().map(|line| line.parse().expect("a number")).collect();
        let [before, between, 29999, 29999, after] = numbers[..] else { panic!("{outcome}") };
        assert!(
            (1000..1040).contains(&(between - before)) && (1000..1040).contains(&(after - between)),
            "{outcome}"
        );
    }
}
