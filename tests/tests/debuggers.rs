//! An ordinary program is neither filtered nor traced: debuggers work on it, inside the session and
//! from outside.

mod command;

use command::*;
use flux_tests::{Mode, Run, artifacts};
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

#[test]
fn an_ordinary_program_shows_no_filter_and_no_tracer() {
    let lines = "^\\(TracerPid\\|NoNewPrivs\\|Seccomp\\|Seccomp_filters\\):";
    let status = |mode: Mode| {
        let script = format!(
            "grep '{lines}' /proc/self/status; sleep 3600; exec grep '{lines}' /proc/self/status"
        );
        Run::new("sh").args(["-c", &script]).mode(mode).within(REAL).run().stdout
    };
    let [elapsed, frozen] = [Mode::Elapsed, Mode::Frozen].map(status);
    let native = Run::new("grep").args([lines, "/proc/self/status"]).run().stdout;
    assert!(native.contains("TracerPid:\t0\n") && native.contains("Seccomp:\t"), "{native}");
    assert_eq!(elapsed, native.repeat(2));
    assert_eq!(frozen, native.repeat(2));
}

/// What strace says of a program that sleeps for a day, by name of call.
#[test]
fn strace_inside_a_session() {
    let scratch = Scratch::new("strace");
    let log = scratch.file("log");
    let script = "sleep 86400; (sleep 86400; exit 3); echo $?";
    for mode in [Mode::Elapsed, Mode::Frozen] {
        let outcome = Run::new("strace")
            .args(["-f", "-o", &log, "sh", "-c", script])
            .mode(mode)
            .within(2 * REAL)
            .run();
        assert_eq!((outcome.stdout.as_str(), outcome.code()), ("3\n", 0), "{mode:?}: {outcome}");
        let text = std::fs::read_to_string(&log).expect("a log");
        for words in ["execve(", "exited with 3", "exited with 0"] {
            assert!(text.contains(words), "nothing about {words}: {text}");
        }
    }
}

/// Says three times that a day has passed.
const DAYS: &str = r#"
#include <stdio.h>
#include <time.h>
#include <unistd.h>
__attribute__((noipa)) void a_day_later(int n)
{
	printf("reached %d\n", n);
	fflush(stdout);
}
int main(void)
{
	for (int n = 1; n <= 3; n++) {
		time_t before = time(NULL);
		sleep(86400);
		a_day_later((int)(time(NULL) - before) / 86400 * n);
	}
	return 7;
}
"#;

const QUIET_GDB: [&str; 5] = ["-q", "-nx", "-batch", "-iex", "set debuginfod enabled off"];

#[test]
fn gdb_inside_a_session() {
    let scratch = Scratch::new("gdb");
    let program = compile(&scratch, &["-g"], DAYS);
    let commands = ["break a_day_later", "run", "backtrace 1", "continue", "delete", "continue"];
    let mut run = Run::new("gdb").args(QUIET_GDB);
    for command in commands {
        run = run.args(["-ex", command]);
    }
    for mode in [Mode::Elapsed, Mode::Frozen] {
        let outcome = run.clone().arg(&program).mode(mode).within(3 * REAL).run();
        for words in [
            "Breakpoint 1, a_day_later (n=1)",
            "#0  a_day_later (n=1)",
            "a_day_later (n=2)",
            "reached 3",
            "code 07",
        ] {
            assert!(outcome.stdout.contains(words), "{mode:?}: nothing about {words}: {outcome}");
        }
    }
}

/// What strace has the tracer cannot have; all others it can.
#[test]
fn strace_of_a_static_program_concerns_no_other() {
    let scratch = Scratch::new("strace-static");
    let source = DAYS.replace(
        "int main(void)\n{",
        "int main(int argc, char **argv)\n{\n\tif (argc > 1) return !argv[1];",
    );
    let program = compile(&scratch, &["-static"], &source);
    let script = format!("strace -o {} {program} at-once; echo $?; {program}", scratch.file("log"));
    let outcome = Run::new("sh").args(["-c", &script]).mode(Mode::Elapsed).within(2 * REAL).run();
    assert_eq!(
        (outcome.stdout.as_str(), outcome.code()),
        ("0\nreached 1\nreached 2\nreached 3\n", 7),
        "{outcome}"
    );
}

/// A session of a program that never ends, and a debugger on its process from outside. (No shell: a
/// strace that is ended between a vfork and its exec waits for ever, natively too.)
fn attached(debugger: &str, args: &[&str]) -> String {
    let mut session = Command::new(&artifacts().launcher)
        .args(["--", "perl", "-e", "$| = 1; print qq($$\n); sleep 86400 while 1"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .expect("flux-launch starts");
    let mut line = String::new();
    let mut stdout = BufReader::new(session.stdout.take().expect("piped"));
    stdout.read_line(&mut line).expect("a pid");
    let outcome =
        Run::new(debugger).args(args).args(["-p", line.trim()]).within(2 * REAL).try_run();
    // SAFETY: kill(2) takes two numbers; the child has not been waited for.
    unsafe { libc::kill(session.id() as i32, libc::SIGTERM) };
    session.wait().expect("our child");
    let outcome = outcome.unwrap_or_else(|late| panic!("{late}"));
    outcome.stdout + &outcome.stderr
}

#[test]
fn gdb_and_strace_on_a_session_from_outside() {
    let said = attached(
        "gdb",
        &[&QUIET_GDB[..], &["-ex", "info sharedlibrary", "-ex", "detach"]].concat(),
    );
    assert!(said.contains("libflux.so") && said.contains("detached"), "{said}");
    let said = attached("timeout", &["1", "strace", "-f"]);
    assert!(said.contains("attached") && said.contains("detached"), "{said}");
}

const REFUSED: &str = "could not trace what is traced already; use --trace=auto, or --trace=none for statically linked programs";

/// They fail by their own words, everything ends, and flux-launch says why.
#[test]
fn under_trace_all_debuggers_say_that_they_cannot() {
    let scratch = Scratch::new("refused-debuggers");
    let log = scratch.file("log");
    let strace = ["strace", "-f", "-o", &log, "sh", "-c", "sleep 86400; echo later"];
    let gdb = [&["gdb"], &QUIET_GDB[..], &["-ex", "run", "--args", "sleep", "86400"]].concat();
    for mode in [Mode::Elapsed, Mode::Frozen] {
        for command in [&strace[..], &gdb[..]] {
            let run = Run::new(command[0]).args(&command[1..]).mode(mode).within(2 * REAL);
            let outcome = run.flux_option("--trace=all").flux_option("-v").run();
            assert!(outcome.stderr.contains("Operation not permitted"), "{mode:?}: {outcome}");
            assert!(
                !outcome.stdout.contains("later") && outcome.stderr.contains(REFUSED),
                "{mode:?}: {outcome}"
            );
        }
    }
}

/// The same for a program that alone is traced already; it goes on.
#[test]
fn a_traced_program_has_one_tracer() {
    for debugger in ["strace -p $!", "gdb -q -nx -batch -p $!"] {
        let script =
            format!("busybox sleep 86400 & sleep 1; {debugger} 2>&1; wait $!; echo ended with $?");
        for mode in [Mode::Elapsed, Mode::Frozen] {
            let run = Run::new("bash").args(["-c", &script]).mode(mode).within(2 * REAL);
            let outcome = run.flux_option("-v").run();
            assert!(outcome.stdout.contains("Operation not permitted"), "{mode:?}: {outcome}");
            assert!(outcome.stdout.ends_with("ended with 0\n"), "{mode:?}: {outcome}");
            assert!(outcome.stderr.contains(REFUSED), "{mode:?}: {outcome}");
        }
    }
}

/// A debugger that is statically linked is traced, and so is what it starts.
#[test]
fn what_a_traced_program_starts_has_one_tracer() {
    let scratch = Scratch::new("static-debugger");
    let source = "#include <errno.h>\n#include <stdio.h>\n#include <sys/ptrace.h>\n#include <sys/wait.h>\n#include <unistd.h>\n\
        int main(void) { int s; if (!fork()) _exit(ptrace(PTRACE_TRACEME, 0, 0, 0) ? errno : 0); \
        wait(&s); sleep(86400); printf(\"%d\\n\", WEXITSTATUS(s)); }";
    let program = compile(&scratch, &["-static"], source);
    for mode in [Mode::Elapsed, Mode::Frozen] {
        let outcome = Run::new(&program).mode(mode).within(REAL).flux_option("-v").run();
        assert_eq!(outcome.stdout, format!("{}\n", libc::EPERM), "{mode:?}: {outcome}");
        assert!(outcome.stderr.contains(REFUSED), "{mode:?}: {outcome}");
    }
}

/// Valgrind is a statically linked program that loads the one it runs, and this library with it,
/// and makes all its system calls.
#[test]
fn valgrind_inside_a_session() {
    let scratch = Scratch::new("valgrind");
    let program = compile(&scratch, &["-g"], DAYS);
    for mode in [Mode::Elapsed, Mode::Frozen] {
        let outcome = Run::new("valgrind")
            .args(["-q", "--error-exitcode=9", &program])
            .mode(mode)
            .within(2 * REAL)
            .run();
        assert_eq!(outcome.code(), 7, "{mode:?}: {outcome}");
        assert_eq!(outcome.stdout, "reached 1\nreached 2\nreached 3\n", "{mode:?}: {outcome}");
    }
}
