//! The command line of flux-launch: what it accepts, what it answers, what it exits with.

mod command;

use command::*;
use flux_tests::{Guest, Mode, Run, artifacts, report};
use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::Duration;

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
    let line = "--many -- bash -c exit\t3 -- sleep 9000 -- bash -c exit\t5 -- true";
    let args = line.split(' ').map(|word| word.replace('\t', " "));
    assert_eq!(flux(args).code(), 5);
    // What the tests themselves were started with (in a script's background SIGINT is ignored) is
    // not to matter.
    let killed = ["env", "--default-signal=INT", "bash", "-c", "kill -INT $$"];
    let outcome = flux([&["--many", "--"], &killed[..], &["--", "false"]].concat());
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
    // Threads of a killed process go one by one; its parent must get to know before any other
    // deadline comes.
    let guest = Guest::new("lifecycle/exits").compile();
    let run = |mode| Run::new(&guest).env("GUEST_UNIT_MS", "3600000").mode(mode).within(REAL).run();
    let expected = run(Mode::Elapsed).assert_success().stdout.clone();
    assert!(expected.contains("SIGKILL: 1009 after 1\n"), "{expected}");
    thread::scope(|scope| {
        for mode in [Mode::Elapsed, Mode::Frozen, Mode::Elapsed, Mode::Frozen] {
            let (run, expected) = (&run, &expected);
            scope.spawn(move || {
                (0..25).for_each(|_| assert_eq!(&run(mode).stdout, expected, "{mode:?}"))
            });
        }
    });
}

// Several commands.

#[test]
fn commands_start_in_order_each_when_the_one_before_is_at_rest() {
    // The first computes for a while before it comes to rest, and time does not pass before the
    // last has started.
    let first = "for ((i = 0; i < 100000; i++)); do :; done; echo 1; sleep 100; echo 4";
    let second = "sleep 0; echo 2; sleep 200; echo 5";
    let args = [
        "--clock=frozen",
        "--many",
        "--",
        "bash",
        "-c",
        first,
        "--",
        "bash",
        "-c",
        second,
        "--",
        "echo",
        "3",
    ];
    for args in [&args[..], &args[1..]] {
        let outcome = flux(args);
        assert_eq!(outcome.assert_success().stdout, "1\n2\n3\n4\n5\n", "{outcome}");
    }
}

#[test]
fn commands_share_one_clock() {
    let nap = |seconds: u32| format!("date +%s; sleep {seconds}; date +%s");
    let args = ["--clock=frozen", "--many", "--", "sh", "-c", &nap(1000), "--", "sh", "-c"];
    let outcome = flux(args.into_iter().chain([&*nap(500)]));
    let times: Vec<u64> =
        outcome.stdout.lines().map(|line| line.parse().expect("a time")).collect();
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
    let outcome = flux(["--many", "--", "bash", "-c", &reader, "--", "bash", "-c", &writer]);
    assert_eq!(outcome.assert_success().stdout, "got 1\ngot 2\ngot 3\n", "{outcome}");
}

// Processes left over.

#[test]
fn verbose_says_who_goes_on_for_ever() {
    // One computes, one always has another deadline.
    for goes_on in ["while :; do :; done", "while :; do sleep 9; done"] {
        let scratch = Scratch::new("goes-on");
        let file = scratch.file("messages");
        let script = format!(
            "\"$0\" -v --output={file} -- bash -c '{{ {goes_on}; }} & exit 0' & \
             until grep -s 'still running' {file} || ! kill -0 $!; do sleep 0.1; done; \
             kill -INT $!; kill -INT $!; wait"
        );
        let outcome = Run::new("bash")
            .args(["-c", &script])
            .arg(&artifacts().launcher)
            .within(6 * REAL)
            .run();
        let line = outcome.assert_success().stdout.lines().next().expect("a line");
        let start = "flux-launch: all commands have ended; still running: bash (";
        assert!(line.starts_with(start), "{goes_on}: {outcome}");
    }
}

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
    let outcome =
        flux(["--", "bash", "-c", "(trap 'echo asked' TERM; sleep 86400; echo done) & exit 0"]);
    assert_eq!(outcome.assert_success().stdout, "done\n", "{outcome}");
}

/// Says so where they cannot be made.
fn no_pid_namespaces() -> bool {
    let made = Command::new("unshare").args(["-pf", "--mount-proc", "true"]).output();
    match made.expect("unshare is a part of util-linux") {
        output if output.status.success() => false,
        output => report::not_allowed("unshare -pf --mount-proc", &output),
    }
}

#[test]
fn a_pid_namespace_inside_the_session() {
    // Its processes know themselves by numbers that belong to others here.
    if no_pid_namespaces() {
        return;
    }
    let crowd = format!("for (1 .. 7) {{ last unless fork }} {FOR_EVER} while 1");
    let victims =
        "for i in 1 2 3 4 5 6 7; do (trap 'echo hit' TERM; while :; do sleep 0.1; done) & done";
    let session = format!("sh -c \"unshare -pf perl -e '{crowd}' & sleep 1; echo slept\"");
    let ends = "read -r line <&3; echo $line; sleep 0.2; kill $launcher; wait $launcher; echo $?";
    let script = format!(
        "{victims}; exec 3< <(exec $0 -- {session}); launcher=$!; {ends}; kill -0 2 3 4 5 6 7 8 && echo all there"
    );
    let outcome = Run::new("unshare")
        .args(["-pf", "--mount-proc", "bash", "-c", &script])
        .arg(&artifacts().launcher)
        .within(REAL)
        .run();
    assert_eq!(outcome.stdout, "slept\n0\nall there\n", "{outcome}");
}

#[test]
fn a_static_program_in_a_pid_namespace_inside_the_session() {
    // It asks for the tracer by a number that is another's here. (So is a victim's the number that
    // it has.)
    if no_pid_namespaces() {
        return;
    }
    let victims =
        "for i in 1 2 3 4 5 6 7; do (trap 'echo hit' TERM; while :; do sleep 0.1; done) & done";
    let traced = "grep -h TracerPid /proc/[1-8]/status | sort -u";
    let session = "sh -c 'unshare -pf busybox sleep 0.3; unshare -pf busybox sh -c \"busybox sleep 0.1; exit 3\"'";
    let script = format!(
        "{victims}; timeout 20 $0 -- {session} & sleep 0.2; {traced}; wait $!; echo $?; {traced}"
    );
    let end = "kill -0 2 3 4 5 6 7 8 && echo all there";
    let outcome = Run::new("unshare")
        .args(["-pf", "--mount-proc", "bash", "-c", &format!("{script}; {end}")])
        .arg(&artifacts().launcher)
        .within(REAL)
        .run();
    assert_eq!(outcome.stdout, "TracerPid:\t0\n3\nTracerPid:\t0\nall there\n", "{outcome}");
}

// Signals to the launcher.

#[test]
fn signals_reach_the_command() {
    let signals = [
        ("INT", libc::SIGINT),
        ("TERM", libc::SIGTERM),
        ("HUP", libc::SIGHUP),
        ("QUIT", libc::SIGQUIT),
    ];
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
    // A launcher that ends has done so by then; a slower one proves less, that is all.
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
        // Longer than two of them are one wish, which is 2 s of real time.
        thread::sleep(Duration::from_millis(2100));
    }
    assert!(session.is_running());
}

#[test]
fn signals_reach_what_is_left_over() {
    // It always has a deadline, so nothing else would end it.
    let leaves = "unless (fork) { $SIG{TERM} = sub { print qq(asked\\n); exit }; print qq(there\\n), getppid, qq(\\n); sleep 1000 while 1 }
        sleep 1000 while 1";
    for stopped in [false, true] {
        let session = Session::start_saying(leaves, "there");
        let command: u32 = session.line().parse().expect("a process id");
        if stopped {
            // It hears of the command's end and of the signal at once.
            session.signal(libc::SIGSTOP);
            session.await_state('T');
        }
        signal(command, libc::SIGKILL);
        await_state(command, |state| state == stopped.then_some('Z'));
        session.signal(libc::SIGTERM);
        session.signal(libc::SIGCONT);
        assert_eq!(session.end(), ("asked\n".to_owned(), 137));
    }
}

// Options.
