//! The command line of flux-launch: what it accepts, what it answers, what it exits with.

use flux_tests::{Guest, Mode, Outcome, Run, artifacts};
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

const REAL: Duration = Duration::from_secs(10);
/// The command line was fine, but no session could be made: the number that env, nohup and timeout use for themselves.
const OWN_FAILURE: i32 = 125;

/// A folder of the test's own, removed when it is done.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let dir = std::env::temp_dir().join(format!("flux-cli-{}-{name}", std::process::id()));
        fs::create_dir_all(&dir).expect("a folder for temporary files");
        Scratch(dir)
    }

    fn file(&self, name: &str) -> String {
        self.0.join(name).into_os_string().into_string().expect("UTF-8")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// flux-launch with these arguments.
#[track_caller]
fn flux<A: AsRef<std::ffi::OsStr>>(args: impl IntoIterator<Item = A>) -> Outcome {
    Run::launcher().args(args).within(REAL).run()
}

/// A shell script under flux, and the exit status.
#[track_caller]
fn code_of(script: &str) -> i32 {
    flux(["--", "bash", "-c", script]).code()
}

/// Bad input is answered with this status, one line that says what is wrong, and nothing else.
#[track_caller]
fn assert_refused(outcome: &Outcome, code: i32, words: &[&str]) {
    assert_eq!(outcome.code(), code, "{outcome}");
    assert_eq!(outcome.stderr.lines().count(), 1, "not one line: {outcome}");
    assert!(outcome.stderr.starts_with("flux-launch: "), "{outcome}");
    assert_eq!(outcome.stdout, "", "{outcome}");
    for word in words {
        assert!(outcome.stderr.contains(word), "nothing about {word}: {outcome}");
    }
    assert!(!outcome.stderr.contains("panicked"), "{outcome}");
}

// The exit status.

#[test]
fn exit_status_of_the_command() {
    assert_eq!(code_of("exit 0"), 0);
    assert_eq!(code_of("exit 7"), 7);
    assert_eq!(code_of("sleep 1000; exit 255"), 255);
}

#[test]
fn exit_status_of_a_death_by_signal() {
    assert_eq!(code_of("kill -TERM $$"), 128 + 15);
    assert_eq!(code_of("sleep 1000; kill -KILL $$"), 128 + 9);
}

#[test]
fn exit_status_of_several_commands_is_the_largest() {
    let line = "-- bash -c exit\t3 -- sleep 9000 -- bash -c exit\t5 -- true";
    let args = line.split(' ').map(|word| word.replace('\t', " "));
    assert_eq!(flux(args).code(), 5);
    let outcome = flux(["--", "bash", "-c", "kill -INT $$", "--", "false"]);
    assert_eq!(outcome.code(), 130, "{outcome}");
}

#[test]
fn exit_status_of_descendants_does_not_count() {
    assert_eq!(code_of("(sleep 10; exit 9) & (exit 8); exit 2"), 2);
    assert_eq!(code_of("(sleep 10; kill -KILL $BASHPID) & exit 0"), 0);
}

#[test]
fn it_returns_when_the_last_process_has_ended() {
    let outcome = flux(["--", "bash", "-c", "(sleep 5000; echo late) & exit 4"]);
    assert_eq!((outcome.code(), outcome.stdout.as_str()), (4, "late\n"), "{outcome}");
    // The output is closed, so nothing but the session itself knows of this one.
    let scratch = Scratch::new("last");
    let script = format!("(exec >&- 2>&-; sleep 5000; touch {}) & exit 0", scratch.file("done"));
    flux(["--", "bash", "-c", &script]).assert_success();
    assert!(PathBuf::from(scratch.file("done")).exists());
}

/// Compiles a C program for one test.
fn compile(scratch: &Scratch, flags: &[&str], source: &str) -> String {
    let (text, program) = (scratch.file("program.c"), scratch.file("program"));
    fs::write(&text, source).expect("written");
    let output = Command::new("gcc").args(flags).args(["-O2", "-o", &program, &text]).output().expect("gcc starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    program
}

#[test]
fn a_program_that_waits_for_a_reader_at_its_end() {
    // What stdio still holds is written after the last hook has run.
    let scratch = Scratch::new("flush");
    let source = "#include <stdio.h>\nstatic char b[4096];\nint main(void) { setvbuf(stdout, NULL, _IOFBF, 1 << 18);
        for (int i = 0; i < 40; i++) fwrite(b, 1, sizeof b, stdout); return 0; }\n";
    let script = format!("{} | (sleep 1500; wc -c)", compile(&scratch, &[], source));
    for mode in [Mode::Elapsed, Mode::Frozen] {
        let outcome = Run::new("bash").args(["-c", &script]).mode(mode).within(REAL).run();
        assert_eq!(outcome.assert_success().stdout.trim(), "163840", "{mode:?}: {outcome}");
    }
}

#[test]
fn deaths_without_a_hook_are_seen_in_time() {
    // Threads of a killed process go one by one; its parent must get to know before any other deadline comes.
    let guest = Guest::new("lifecycle/exits").compile();
    let run = |mode| Run::new(&guest).env("GUEST_UNIT_MS", "3600000").mode(mode).within(REAL).run();
    let expected = run(Mode::Elapsed).assert_success().stdout.clone();
    assert!(expected.contains("SIGKILL: 1009 after 1\n"), "{expected}");
    thread::scope(|scope| {
        for mode in [Mode::Elapsed, Mode::Frozen, Mode::Elapsed, Mode::Frozen] {
            let (run, expected) = (&run, &expected);
            scope.spawn(move || (0..25).for_each(|_| assert_eq!(&run(mode).stdout, expected, "{mode:?}")));
        }
    });
}

// Several commands.

#[test]
fn commands_start_in_order_each_when_the_one_before_is_at_rest() {
    // The first computes for a while before it comes to rest, and time does not pass before the last has started.
    let first = "for ((i = 0; i < 100000; i++)); do :; done; echo 1; sleep 100; echo 4";
    let second = "sleep 0; echo 2; sleep 200; echo 5";
    let args = ["--clock=frozen", "--", "bash", "-c", first, "--", "bash", "-c", second, "--", "echo", "3"];
    for args in [&args[..], &args[1..]] {
        let outcome = flux(args);
        assert_eq!(outcome.assert_success().stdout, "1\n2\n3\n4\n5\n", "{outcome}");
    }
}

#[test]
fn commands_share_one_clock() {
    let nap = |seconds: u32| format!("date +%s; sleep {seconds}; date +%s");
    let args = ["--clock=frozen", "--", "sh", "-c", &nap(1000), "--", "sh", "-c", &nap(500)];
    let outcome = flux(args);
    let times: Vec<u64> = outcome.stdout.lines().map(|line| line.parse().expect("a time")).collect();
    let [first, second, early, late] = times[..] else { panic!("{outcome}") };
    assert_eq!((second - first, early - first, late - first), (0, 500, 1000), "{outcome}");
}

#[test]
fn commands_reach_each_other() {
    let scratch = Scratch::new("fifo");
    let fifo = scratch.file("fifo");
    assert!(Command::new("mkfifo").arg(&fifo).status().expect("mkfifo").success());
    let reader = format!("while read -r line; do echo got $line; done < {fifo}");
    let writer = format!("for n in 1 2 3; do sleep 3600; echo $n; done > {fifo}");
    let outcome = flux(["--", "bash", "-c", &reader, "--", "bash", "-c", &writer]);
    assert_eq!(outcome.assert_success().stdout, "got 1\ngot 2\ngot 3\n", "{outcome}");
}

// Processes left over.

/// Waits for ever, with no deadline and nobody who could wake it.
const FOR_EVER: &str = "select undef, undef, undef, undef";

#[test]
fn leftovers_are_asked_to_end() {
    let perl = format!("$SIG{{TERM}} = sub {{ print qq(cleaned up\\n); exit 3 }}; {FOR_EVER}");
    let script = format!("perl -e '{perl}' & sleep 1; exit 1");
    let quiet = flux(["--", "bash", "-c", &script]);
    assert_eq!((quiet.code(), quiet.stdout.as_str()), (1, "cleaned up\n"), "{quiet}");
    assert_eq!(quiet.stderr, "", "{quiet}");

    let verbose = flux(["-v", "--", "bash", "-c", &script]);
    let mut lines = verbose.stderr.lines();
    assert!(lines.any(|line| line.contains("perl") && line.contains("SIGTERM")), "{verbose}");
}

#[test]
fn leftovers_that_stay_are_killed() {
    let script = format!("perl -e '$SIG{{TERM}} = \"IGNORE\"; {FOR_EVER}' & sleep 1; exit 0");
    let outcome = flux(["-v", "--", "bash", "-c", &script]);
    outcome.assert_success();
    let mut lines = outcome.stderr.lines();
    assert!(lines.any(|line| line.contains("perl") && line.contains("SIGKILL")), "{outcome}");
}

#[test]
fn a_leftover_with_a_deadline_is_left_alone() {
    let outcome = flux(["--", "bash", "-c", "(trap 'echo asked' TERM; sleep 86400; echo done) & exit 0"]);
    assert_eq!(outcome.assert_success().stdout, "done\n", "{outcome}");
}

#[test]
fn a_pid_namespace_inside_the_session() {
    // Its processes know themselves by numbers that belong to others here.
    if !Command::new("unshare").args(["-pf", "--mount-proc", "true"]).status().is_ok_and(|s| s.success()) {
        return;
    }
    let crowd = format!("for (1 .. 7) {{ last unless fork }} {FOR_EVER} while 1");
    let victims = "for i in 1 2 3 4 5 6 7; do (trap 'echo hit' TERM; while :; do sleep 0.1; done) & done";
    let session = format!("sh -c \"unshare -pf perl -e '{crowd}' & sleep 1; echo slept\"");
    let script = format!("{victims}; timeout 2 $0 -- {session}; echo $?; kill -0 2 3 4 5 6 7 8 && echo all there");
    let outcome = Run::new("unshare")
        .args(["-pf", "--mount-proc", "bash", "-c", &script])
        .arg(&artifacts().launcher)
        .within(REAL)
        .run();
    assert_eq!(outcome.stdout, "slept\n124\nall there\n", "{outcome}");
}

// Signals to the launcher.

/// A session whose one command says when it is ready.
struct Session {
    child: Child,
    lines: Receiver<String>,
}

impl Session {
    fn start(perl: &str) -> Self {
        Session::start_saying(perl, "ready")
    }

    fn start_saying(perl: &str, first: &str) -> Self {
        let script = format!("$| = 1; {perl}; print qq(ready\\n); {FOR_EVER} while 1");
        let mut child = Command::new(&artifacts().launcher)
            .args(["--", "perl", "-e", &script])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("flux-launch starts");
        // A thread reads, so that a line that never comes is a failure and not a hanging test.
        let (sender, lines) = channel();
        let stdout = BufReader::new(child.stdout.take().expect("piped"));
        thread::spawn(move || stdout.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        let session = Session { child, lines };
        session.expect_line(first);
        session
    }

    #[track_caller]
    fn expect_line(&self, expected: &str) {
        let line = self.lines.recv_timeout(REAL).unwrap_or_else(|e| panic!("no line {expected}: {e}"));
        assert_eq!(line, expected);
    }

    fn signal(&self, signal: i32) {
        let pid = i32::try_from(self.child.id()).expect("a pid");
        // SAFETY: kill(2) takes two numbers and touches no memory of ours.
        assert_eq!(unsafe { libc::kill(pid, signal) }, 0);
    }

    fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("our child").is_none()
    }

    /// What it still printed and its exit code, 128+n when a signal ended the launcher itself.
    #[track_caller]
    fn end(mut self) -> (String, i32) {
        let start = Instant::now();
        while self.is_running() {
            assert!(start.elapsed() < REAL, "the session goes on");
            thread::sleep(Duration::from_millis(10));
        }
        let status = self.child.wait().expect("our child");
        let rest = self.lines.iter().map(|line| line + "\n").collect();
        let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
        (rest, code)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // Where a test failed: twice SIGINT ends a session with all that is in it, and SIGKILL whoever forgot that.
        for signal in [libc::SIGINT, libc::SIGINT, libc::SIGKILL] {
            if self.is_running() {
                self.signal(signal);
                thread::sleep(Duration::from_millis(100));
            }
        }
        let _ = self.child.wait();
    }
}

#[test]
fn signals_reach_the_command() {
    let signals = [("INT", libc::SIGINT), ("TERM", libc::SIGTERM), ("HUP", libc::SIGHUP), ("QUIT", libc::SIGQUIT)];
    for (name, signal) in signals {
        // The default action: the command dies of it.
        let session = Session::start("");
        session.signal(signal);
        assert_eq!(session.end(), (String::new(), 128 + signal), "SIG{name}");

        let handler = format!("$SIG{{{name}}} = sub {{ print qq(got it\\n); exit 6 }}");
        let session = Session::start(&handler);
        session.signal(signal);
        assert_eq!(session.end(), ("got it\n".to_owned(), 6), "SIG{name}");
    }
}

#[test]
fn a_second_sigint_ends_the_session() {
    let mut session = Session::start("$SIG{INT} = sub { print qq(not yet\\n) }");
    session.signal(libc::SIGINT);
    session.expect_line("not yet");
    thread::sleep(Duration::from_millis(200));
    assert!(session.is_running(), "one SIGINT is the command's business");
    session.signal(libc::SIGINT);
    let (_, code) = session.end();
    assert!(code >= 128, "{code}");
}

#[test]
fn two_sigints_far_apart_are_the_commands_business() {
    let mut session = Session::start("$SIG{INT} = sub { print qq(not yet\\n) }");
    for _ in 0..2 {
        session.signal(libc::SIGINT);
        session.expect_line("not yet");
        thread::sleep(Duration::from_millis(2100));
    }
    assert!(session.is_running());
}

#[test]
fn signals_reach_what_is_left_over() {
    // It always has a deadline, so nothing else would end it.
    let stays = "unless (fork) { $SIG{TERM} = sub { print qq(no\\n) }; print qq(there\\n); sleep 1000 while 1 }
        $SIG{TERM} = 'DEFAULT'; sleep 1; kill 'KILL', $$";
    let session = Session::start_saying(stays, "there");
    thread::sleep(Duration::from_millis(300));
    session.signal(libc::SIGTERM);
    assert_eq!(session.end(), ("no\n".to_owned(), 137));
}

// Options.

#[test]
fn help_and_version() {
    let help = flux(["--help"]);
    help.assert_success();
    for word in
        ["Usage", "--libpath", "--signal", "--verbose", "-v", "--output", "--clock", "frozen", "--version", "-- "]
    {
        assert!(help.stdout.contains(word), "nothing about {word}: {help}");
    }
    let version = flux(["--version"]);
    version.assert_success();
    assert_eq!(version.stdout.trim(), concat!("flux-launch ", env!("CARGO_PKG_VERSION")));
}

#[test]
fn verbose_sums_up() {
    let outcome = flux(["-v", "--", "sleep", "5000"]);
    outcome.assert_success();
    let summary = outcome.stderr.to_lowercase();
    for word in ["virtual", "real", "jump"] {
        assert!(summary.contains(word), "nothing about {word}: {outcome}");
    }
    assert_eq!(flux(["--", "sleep", "5000"]).stderr, "", "quiet unless asked");
    for level in ["-vv", "-vvv"] {
        flux([level, "--", "sleep", "5000"]).assert_success();
    }
}

#[test]
fn verbose_names_what_runs_in_real_time() {
    let scratch = Scratch::new("static");
    let source = "#include <unistd.h>\nint main(void) { usleep(300000); return 0; }\n";
    let program = compile(&scratch, &["-static"], source);
    let outcome = flux(["-v", "--", "sh", "-c", &format!("{program}; sleep 100; exit 0")]);
    let said =
        outcome.assert_success().stderr.lines().filter(|l| l.contains("(program) runs without libflux.so")).count();
    assert_eq!(said, 1, "{outcome}");
}

#[test]
fn verbose_says_who_waits_when_nobody_can_move() {
    let scratch = Scratch::new("stuck");
    let fifo = scratch.file("fifo");
    assert!(Command::new("mkfifo").arg(&fifo).status().expect("mkfifo").success());
    let script = format!("(sleep 2; echo > {fifo}) & \"$0\" -v -- sh -c 'cat {fifo}; exit 0'");
    let outcome = Run::new("bash").args(["-c", &script]).arg(&artifacts().launcher).within(REAL).run();
    let lines: Vec<_> = outcome.assert_success().stderr.lines().filter(|l| l.contains("nobody can move")).collect();
    let [line] = lines[..] else { panic!("{outcome}") };
    for words in ["sh (", "waits for a child", "cat ("] {
        assert!(line.contains(words), "nothing about {words}: {outcome}");
    }
}

#[test]
fn output_takes_the_launchers_messages() {
    let scratch = Scratch::new("output");
    let file = scratch.file("messages");
    let option = format!("--output={file}");
    let outcome = flux(["-v", &option, "--", "sh", "-c", "echo out; echo err >&2"]);
    outcome.assert_success();
    assert_eq!((outcome.stdout.as_str(), outcome.stderr.as_str()), ("out\n", "err\n"), "{outcome}");
    let messages = fs::read_to_string(&file).expect("the file was made").to_lowercase();
    assert!(messages.contains("virtual") && messages.contains("jump"), "{messages}");

    let missing = format!("--output={}", scratch.file("no/such/folder"));
    assert_refused(&flux([&missing, "--", "true"]), OWN_FAILURE, &["no/such/folder"]);
}

#[test]
fn clock_modes() {
    let script = "a=$EPOCHREALTIME; for ((i = 0; i < 20000; i++)); do :; done; echo $a $EPOCHREALTIME";
    let differ = |options: &[&str]| {
        let outcome = flux(options.iter().chain(&["--", "bash", "-c", script]));
        let (before, after) = outcome.stdout.trim().split_once(' ').expect("two times");
        before != after
    };
    assert!(differ(&[]), "elapsed is the default");
    assert!(differ(&["--clock=elapsed"]));
    assert!(!differ(&["--clock=frozen"]));
    assert_refused(&flux(["--clock=backwards", "--", "true"]), 2, &["backwards", "--clock"]);
}

#[test]
fn signal_is_a_choice() {
    // With the signal that ends kernel waits chosen, the usual ones belong to the program.
    let script =
        "trap 'echo usr1' USR1; (sleep 10; kill -USR1 $$) & sleep 20; wait; read -t 30 < <(sleep 100); echo $?";
    for name in ["SIGUSR2", "USR2", "SIGRTMIN+3"] {
        let outcome = flux([&format!("--signal={name}"), "--", "bash", "-c", script]);
        assert_eq!(outcome.assert_success().stdout, "usr1\n142\n", "{name}: {outcome}");
    }
    for name in ["SIGNOSUCH", "", "SIGKILL", "SIGSTOP"] {
        let outcome = flux([&format!("--signal={name}"), "--", "true"]);
        assert_refused(&outcome, 2, &[name, "--signal"]);
    }
}

#[test]
fn libpath_says_where_the_library_is() {
    let scratch = Scratch::new("libpath");
    for folder in ["programs", "libraries", "empty"] {
        fs::create_dir_all(scratch.file(folder)).expect("a folder");
    }
    let launcher = scratch.file("programs/flux-launch");
    fs::copy(&artifacts().launcher, &launcher).expect("copied");
    fs::copy(&artifacts().libflux, scratch.file("libraries/libflux.so")).expect("copied");
    let run = |options: &[String]| Run::new(&launcher).args(options).args(["--", "sleep", "5000"]).within(REAL).run();
    assert_refused(&run(&[]), OWN_FAILURE, &["libflux.so", &scratch.file("programs"), "--libpath"]);
    let empty = scratch.file("empty");
    assert_refused(&run(&[format!("--libpath={empty}")]), OWN_FAILURE, &["libflux.so", &empty]);
    run(&[format!("--libpath={}", scratch.file("libraries"))]).assert_success();
    fs::copy(&artifacts().libflux, scratch.file("programs/libflux.so")).expect("copied");
    run(&[]).assert_success();
}

// Bad input.

#[test]
fn no_command() {
    assert_refused(&flux::<&str>([]), 2, &["command"]);
    assert_refused(&flux(["-v"]), 2, &["command"]);
    assert_refused(&flux(["--"]), 2, &["command"]);
}

#[test]
fn unknown_options() {
    assert_refused(&flux(["--no-such-option", "--", "true"]), 2, &["--no-such-option"]);
    assert_refused(&flux(["--clock", "--", "true"]), 2, &["--clock"]);
    assert_refused(&flux(["sleep", "12"]), 2, &["flux-launch -- sleep 12"]);
}

#[test]
fn unknown_commands() {
    let outcome = flux(["--", "no-such-command", "argument"]);
    assert_refused(&outcome, 127, &["no-such-command", "not found"]);
    assert_refused(&flux(["--", "./no/such/path"]), 127, &["./no/such/path"]);
    // The one before it may have started; what becomes of it does not hide the mistake.
    let outcome = flux(["--", "sleep", "50", "--", "no-such-command"]);
    assert_refused(&outcome, 127, &["no-such-command", "not found"]);
}

#[test]
fn commands_that_cannot_be_executed() {
    let scratch = Scratch::new("executable");
    let file = scratch.file("text");
    fs::write(&file, "#!/bin/sh\necho ran\n").expect("written");
    assert_refused(&flux(["--", &file]), 126, &[&file]);
    assert_refused(&flux(["--", &scratch.file("")]), 126, &[&scratch.file("")]);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).expect("ours");
    assert_eq!(flux(["--", &file]).assert_success().stdout, "ran\n");
}

#[test]
fn a_region_that_cannot_be_made() {
    // Too little address space, then no file may grow: either it manages, or it says so.
    for limit in ["-v 16000", "-f 0"] {
        let script = format!("ulimit {limit}; exec \"$0\" -- true");
        let launcher = &artifacts().launcher;
        let outcome = Run::new("bash").args(["-c", &script]).arg(launcher).within(REAL).run();
        if !outcome.status.success() {
            assert_refused(&outcome, OWN_FAILURE, &["cannot make the session's shared memory: "]);
        }
    }
}

// Hostile surroundings.

#[test]
fn standard_input_and_environment_are_the_commands() {
    let outcome = Run::launcher().args(["--", "cat"]).stdin("one\ntwo\n").within(REAL).run();
    assert_eq!(outcome.assert_success().stdout, "one\ntwo\n");
    let outcome = Run::launcher().args(["--", "printenv", "GREETING"]).env("GREETING", "hello").run();
    assert_eq!(outcome.assert_success().stdout, "hello\n");
    // Somebody else's preload stays.
    let outcome = Run::launcher().args(["--", "printenv", "LD_PRELOAD"]).env("LD_PRELOAD", "libm.so.6").run();
    assert!(outcome.assert_success().stdout.contains("libm.so.6"), "{outcome}");
}

#[test]
fn signal_dispositions_are_the_commands() {
    let status = |ignored: &str| {
        let script = format!("trap '' {ignored} USR2; exec \"$@\"");
        // Not 32 and 33: glibc uses them for itself as soon as there are threads.
        let lines = |outcome: Outcome| -> Vec<u64> {
            let sets = outcome.stdout.lines().filter_map(|line| line.split('\t').nth(1));
            sets.map(|set| u64::from_str_radix(set, 16).expect("hexadecimal") & !(3 << 31)).collect()
        };
        let command = ["grep", "-E", "SigIgn|SigBlk", "/proc/self/status"];
        let native = Run::new("bash").args(["-c", &script, "bash"]).args(command).run();
        let args = ["-c", &script, "bash"];
        let flux = Run::new("bash").args(args).arg(&artifacts().launcher).arg("--").args(command).within(REAL).run();
        assert_eq!(lines(native), lines(flux), "{ignored}");
    };
    ["PIPE", "CHLD", "XFSZ", "PIPE CHLD XFSZ HUP", ""].into_iter().for_each(status);
    // Whoever ignores it has no children to wait for; the launcher does.
    let script = "trap '' CHLD; \"$0\" -- bash -c 'sleep 5; exit 3'";
    assert_eq!(Run::new("bash").args(["-c", script]).arg(&artifacts().launcher).within(REAL).run().code(), 3);
}

#[test]
fn closed_descriptors_stay_closed() {
    let python = "import os, sys\nopen_fds = []\nfor fd in range(3):\n  try: os.fstat(fd); open_fds.append(fd)\n  except OSError: pass\nsys.exit(len(open_fds) * 10 + sum(open_fds))";
    for (closed, code) in [("<&-", 23), ("<&- >&-", 12), (">&- 2>&-", 10), ("<&- >&- 2>&-", 0), ("", 33)] {
        let script = format!("exec \"$0\" -- python3 -c '{python}' {closed}");
        let outcome = Run::new("bash").args(["-c", &script]).arg(&artifacts().launcher).within(REAL).run();
        assert_eq!(outcome.code(), code, "{closed}: {outcome}");
    }
}

#[test]
fn few_descriptors() {
    // Each needs three to be looked at.
    let many = "for ((i = 0; i < 20; i++)); do (sleep 1000; echo) | cat & done; wait";
    let script = format!("ulimit -n 40; exec \"$0\" -- bash -c '{many}'");
    let outcome = Run::new("bash").args(["-c", &script]).arg(&artifacts().launcher).within(REAL).run();
    assert_eq!(outcome.assert_success().stdout.lines().count(), 20, "{outcome}");
}

#[test]
fn processes_that_nobody_may_look_at() {
    // prctl(PR_SET_DUMPABLE, 0); root may look all the same, so not as root.
    let scratch = Scratch::new("dumpable");
    let launcher = scratch.file("flux-launch");
    fs::copy(&artifacts().launcher, &launcher).expect("copied");
    fs::copy(&artifacts().libflux, scratch.file("libflux.so")).expect("copied");
    let perl = "syscall(157, 4, 0, 0, 0, 0); if (fork) { wait } else { sleep 1000 for 1 .. 5 } print time > $^T + 4990";
    let command = ["--", "perl", "-e", perl];
    // SAFETY: only asks.
    let run = if unsafe { libc::geteuid() } == 0 {
        Run::new("setpriv").args(["--reuid=65534", "--regid=65534", "--clear-groups", &launcher])
    } else {
        Run::new(&launcher)
    };
    let outcome = run.args(command).within(REAL).run();
    assert_eq!(outcome.assert_success().stdout, "11", "{outcome}");
}

#[test]
fn programs_that_clear_the_environment() {
    let nap = "date +%s; sleep 1000; date +%s";
    let perl = format!("%ENV = (); exec '/bin/sh', '-c', '{nap}'");
    let python = format!("import os; os.execve('/bin/sh', ['sh', '-c', '{nap}'], {{}})");
    let spawn = format!("import os; os.waitpid(os.posix_spawn('/bin/sh', ['sh', '-c', '{nap}'], {{}}), 0)");
    let commands: [&[&str]; 4] = [
        &["env", "-i", "sh", "-c", nap],
        &["perl", "-e", &perl],
        &["python3", "-c", &python],
        &["python3", "-c", &spawn],
    ];
    for command in commands {
        let outcome = Run::new(command[0]).args(&command[1..]).mode(Mode::Elapsed).within(REAL).run();
        let times: Vec<u64> = outcome.stdout.lines().flat_map(str::parse).collect();
        assert!(times.len() == 2 && (1000..1010).contains(&(times[1] - times[0])), "{outcome}");
    }
}

#[test]
fn programs_that_close_all_descriptors() {
    let close_all = "import os, time, subprocess, threading; os.closerange(0, 65536); start = time.monotonic_ns();";
    let waits = [
        "time.sleep(1000)",
        "threading.Event().wait(1000)",
        "subprocess.run(['sleep', '1000'])",
        "os.open('/dev/null', os.O_RDWR); os.dup2(0, 900); time.sleep(500); os.closerange(0, 1000); time.sleep(500)",
    ];
    for wait in waits {
        let script = format!("{close_all} {wait}; os._exit(not 1000 <= (time.monotonic_ns() - start) / 1e9 < 1010)");
        for mode in [Mode::Elapsed, Mode::Frozen] {
            let outcome = Run::new("python3").args(["-c", &script]).mode(mode).within(REAL).run();
            assert_eq!(outcome.code(), 0, "{mode:?}: {outcome}");
        }
    }
}
