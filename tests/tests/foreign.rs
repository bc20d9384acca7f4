//! Programs that the library cannot be loaded into and that are not traced: they run in real time,
//! undisturbed, and the session waits for them while they compute.

mod command;

use command::*;
use flux_tests::{Mode, Outcome, Run, artifacts, report};
use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::time::Duration;

/// Sleeps 0.3 s, says what it finds, and executes its arguments.
const SLEEPS: &str = r#"
#include <stdio.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <time.h>
#include <unistd.h>
int main(int argc, char **argv)
{
	struct timespec before, after, time = { 0, 300000000 };
	clock_gettime(CLOCK_MONOTONIC, &before);
	nanosleep(&time, NULL);
	clock_gettime(CLOCK_MONOTONIC, &after);
	long ms = (after.tv_sec - before.tv_sec) * 1000L + (after.tv_nsec - before.tv_nsec) / 1000000;
	printf("%d bits, secure %d, effective user %d, slept %d\n", (int)(8 * sizeof(void *)), (int)getauxval(AT_SECURE),
	       (int)geteuid(), ms >= 300);
	fflush(stdout);
	if (argc > 1)
		execvp(argv[1], argv + 1);
	return argc > 1;
}
"#;

/// A child computes for 0.3 s of processor time while its parent waits for it.
const COMPUTES: &str = r#"
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
int main(void)
{
	if (fork() == 0) {
		while (clock() < 3 * CLOCKS_PER_SEC / 10)
			;
		puts("computed");
		fflush(stdout);
		_exit(0);
	}
	return wait(NULL) < 0;
}
"#;

fn with(compiler: &str, scratch: &Scratch, flags: &[&str], source: &str) -> String {
    let source = format!("#define _GNU_SOURCE\n{source}");
    compile_with(compiler, scratch, flags, &source)
}

/// Natively and under flux, as a command and as a shell's child: the same output, at least 0.3 s,
/// and one line about it.
#[track_caller]
fn runs_in_real_time(program: &str, why: &str) {
    let untraced = |run: Run, mode| run.mode(mode).flux_option("--trace=none").within(REAL);
    let run = |mode| {
        untraced(Run::new("sh").args(["-c", "\"$0\"; sleep 100 & wait; echo $?", program]), mode)
    };
    let short = Run::new(program).run();
    short.assert_success();
    for mode in [Mode::Elapsed, Mode::Frozen] {
        let quiet = run(mode).run();
        assert_eq!(
            (quiet.stdout.as_str(), quiet.stderr.as_str()),
            (&*format!("{}0\n", short.stdout), ""),
            "{quiet}"
        );
        assert!(quiet.took >= Duration::from_millis(300), "{quiet}");
        let alone = untraced(Run::new(program), mode).run();
        assert_eq!(
            (alone.stdout.as_str(), alone.stderr.as_str()),
            (short.stdout.as_str(), ""),
            "{alone}"
        );
        told_once(&run(mode).flux_option("-v").run(), why);
    }
}

#[track_caller]
fn told_once(outcome: &Outcome, why: &str) {
    let told = outcome
        .stderr
        .lines()
        .filter(|line| line.ends_with(&format!("runs in real time: {why}")))
        .count();
    assert_eq!(told, 1, "not once \"{why}\": {outcome}");
}

/// A deadline of another program never comes before the end of what it computes.
#[track_caller]
fn is_waited_for(program: &str) {
    for mode in [Mode::Elapsed, Mode::Frozen] {
        let script = "(sleep 1000; echo slept) & \"$0\"; echo over; wait";
        let outcome = Run::new("sh").args(["-c", script, program]).mode(mode).within(REAL).run();
        assert_eq!(outcome.stdout, "computed\nover\nslept\n", "{mode:?}: {outcome}");
        assert_eq!(outcome.stderr, "", "{mode:?}: {outcome}");
    }
}

#[test]
fn programs_of_32_bits() {
    let scratch = Scratch::new("32");
    for flags in [&["-m32"][..], &["-m32", "-static"]] {
        let program = with("gcc", &scratch, flags, SLEEPS);
        runs_in_real_time(&program, "it is not an x86-64 program");
        // Nor does its dynamic linker complain when a traced program starts it.
        let outcome = Run::new("busybox")
            .args(["sh", "-c", "\"$0\"; exit 3", &program])
            .mode(Mode::Elapsed)
            .run();
        assert_eq!((outcome.code(), outcome.stderr.as_str()), (3, ""), "{outcome}");
        is_waited_for(&with("gcc", &scratch, flags, COMPUTES));
    }
}

#[test]
fn programs_of_another_libc() {
    let scratch = Scratch::new("musl");
    is_waited_for(&with("musl-gcc", &scratch, &[], COMPUTES));
    let program = with("musl-gcc", &scratch, &[], SLEEPS);
    runs_in_real_time(&program, "its libc is not glibc");
    // What it executes itself is in the session again.
    for mode in [Mode::Elapsed, Mode::Frozen] {
        let day = Run::new(&program)
            .args(["sh", "-c", "sleep 86400; exec sleep 86400"])
            .mode(mode)
            .within(REAL)
            .run();
        assert_eq!((day.code(), day.stderr.as_str()), (0, ""), "{day}");
    }
}

#[test]
fn static_programs_hand_the_library_on() {
    let scratch = Scratch::new("handed-on");
    let program = with("gcc", &scratch, &["-static"], SLEEPS);
    for mode in [Mode::Elapsed, Mode::Frozen] {
        let day = Run::new(&program)
            .args(["sh", "-c", "sleep 86400; exec sleep 86400"])
            .mode(mode)
            .within(REAL)
            .run();
        assert_eq!((day.code(), day.stderr.as_str()), (0, ""), "{day}");
    }
}

/// Files that anybody may read and execute, in a folder of their own.
fn for_all(scratch: &Scratch, files: &[&str]) -> Vec<String> {
    let open = |path: &str| {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("our own file")
    };
    open(&scratch.file("."));
    let place = |file: &&str| {
        let name = file.rsplit('/').next().expect("a name");
        let path = scratch.file(&format!("all-{name}"));
        fs::copy(file, &path).expect("copied");
        open(&path);
        path
    };
    files.iter().map(place).collect()
}

#[test]
fn set_user_id_programs_keep_their_privilege() {
    let scratch = Scratch::new("setuid");
    let why = "it has privileges of its own";
    // Only root can make one; this one is everywhere, and ends before it would be reported.
    if report::not_root("a program of our own; su instead") {
        let [native, flux] =
            [Mode::Native, Mode::Elapsed].map(|mode| Run::new("su").arg("--help").mode(mode).run());
        assert_eq!(
            (&native.stdout, &native.stderr, native.code()),
            (&flux.stdout, &flux.stderr, flux.code())
        );
        return;
    }
    let [program] = &for_all(&scratch, &[&with("gcc", &scratch, &[], SLEEPS)])[..] else {
        unreachable!()
    };
    let owned_by = |user| {
        chown(program, Some(user), None).expect("we are root");
        fs::set_permissions(program, fs::Permissions::from_mode(0o4755)).expect("our own file");
    };
    const NOBODY: u32 = 65534;
    owned_by(NOBODY);
    runs_in_real_time(program, why);
    assert!(Run::new(program).run().stdout.contains("secure 1, effective user 65534"));

    // A user's session, in which a program becomes root: the launcher may not look into that.
    owned_by(0);
    let launcher = artifacts().launcher.to_str().expect("UTF-8");
    let [launcher, _] =
        &for_all(&scratch, &[launcher, artifacts().libflux.to_str().expect("UTF-8")])[..]
    else {
        unreachable!()
    };
    fs::rename(scratch.file("all-libflux.so"), scratch.file("libflux.so")).expect("renamed");
    let script = "sleep 86400; \"$0\"; sleep 86400";
    let outcome = Run::new("setpriv")
        .args([
            "--reuid=65534",
            "--clear-groups",
            launcher,
            "-v",
            "--",
            "sh",
            "-c",
            script,
            program,
        ])
        .within(REAL)
        .run();
    assert_eq!(outcome.stdout, "64 bits, secure 1, effective user 0, slept 1\n", "{outcome}");
    told_once(&outcome, why);
}

/// What a filter stops inherits it, though nobody can see what it is.
#[test]
fn programs_that_may_not_be_read() {
    // A user may read every program that belongs to him.
    if report::not_root("") {
        return;
    }
    let scratch = Scratch::new("unreadable");
    let program = with("gcc", &scratch, &["-static"], SLEEPS);
    let files = [
        &program,
        artifacts().launcher.to_str().expect("UTF-8"),
        artifacts().libflux.to_str().expect("UTF-8"),
    ];
    let [program, launcher, library] = &for_all(&scratch, &files)[..] else { unreachable!() };
    fs::rename(library, scratch.file("libflux.so")).expect("renamed");
    let closed = scratch.file("closed");
    fs::copy(program, &closed).expect("copied");
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o711)).expect("our own file");
    for clock in ["--clock=elapsed", "--clock=frozen"] {
        let user = ["--reuid=65534", "--clear-groups", launcher, clock, "--", program, &closed];
        let outcome = Run::new("setpriv").args(user).within(REAL).run();
        let line = "64 bits, secure 0, effective user 65534, slept 1\n";
        let frozen = outcome.stdout.strip_prefix(line).expect("the first one can be read");
        // It sleeps in real time, which a frozen clock does not show.
        assert!(
            frozen == line || clock.ends_with("frozen") && frozen.ends_with("slept 0\n"),
            "{outcome}"
        );
        assert!(outcome.took >= Duration::from_millis(300), "{outcome}");
    }
}
