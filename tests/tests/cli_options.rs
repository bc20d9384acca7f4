//! flux-launch: its options, its errors, and what the commands inherit.

mod command;

use command::*;
use flux_tests::{Mode, Outcome, Run, artifacts};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

#[test]
fn help_and_version() {
    let help = flux(["--help"]);
    help.assert_success();
    let session = [
        "--libpath",
        "--signal",
        "--verbose",
        "-v",
        "--output",
        "--clock",
        "frozen",
        "-- ",
        "--many",
        "--separator",
    ];
    for word in
        session.into_iter().chain(["Usage", "--version", "--wait-idle", "--after", "--timeout"])
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
    let outcome =
        flux(["-v", "--trace=none", "--", "sh", "-c", &format!("{program}; sleep 100; exit 0")]);
    let said = outcome
        .assert_success()
        .stderr
        .lines()
        .filter(|l| l.contains("(program) runs in real time: it is statically linked"))
        .count();
    assert_eq!(said, 1, "{outcome}");
}

#[test]
fn verbose_says_who_waits_when_nobody_can_move() {
    let scratch = Scratch::new("stuck");
    let fifo = scratch.file("fifo");
    assert!(Command::new("mkfifo").arg(&fifo).status().expect("mkfifo").success());
    let script = format!("(sleep 2; echo > {fifo}) & \"$0\" -v -- sh -c 'cat {fifo}; exit 0'");
    let outcome =
        Run::new("bash").args(["-c", &script]).arg(&artifacts().launcher).within(REAL).run();
    let lines: Vec<_> =
        outcome.assert_success().stderr.lines().filter(|l| l.contains("nobody can move")).collect();
    let [line] = lines[..] else { panic!("{outcome}") };
    for words in ["sh (", "waits for a child", "cat ("] {
        assert!(line.contains(words), "nothing about {words}: {outcome}");
    }
}

#[test]
fn verbose_says_who_computes_while_others_wait() {
    let scratch = Scratch::new("computes");
    let file = scratch.file("messages");
    let script = format!(
        "\"$0\" -v --output={file} -- sh -c 'sleep 3600 & exec python3 -c \"while True: pass\"' & \
         until grep -s 'does not jump' {file} || ! kill -0 $!; do sleep 0.1; done; kill $!; wait"
    );
    let outcome =
        Run::new("bash").args(["-c", &script]).arg(&artifacts().launcher).within(6 * REAL).run();
    let line = outcome.assert_success().stdout.trim_end();
    assert!(line.contains("while python3 (") && line.ends_with(" runs"), "{outcome}");
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
    let script =
        "a=$EPOCHREALTIME; for ((i = 0; i < 20000; i++)); do :; done; echo $a $EPOCHREALTIME";
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
    let script = "trap 'echo usr1' USR1; (sleep 10; kill -USR1 $$) & sleep 20; wait; read -t 30 < <(sleep 100); echo $?";
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
    let run = |options: &[String]| {
        Run::new(&launcher).args(options).args(["--", "sleep", "5000"]).within(REAL).run()
    };
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
    assert_refused(&flux(["--no-such-option", "sleep", "12"]), 2, &["--no-such-option"]);
}

#[test]
fn unknown_commands() {
    let outcome = flux(["--", "no-such-command", "argument"]);
    assert_refused(&outcome, 127, &["no-such-command", "not found"]);
    assert_refused(&flux(["--", "./no/such/path"]), 127, &["./no/such/path"]);
    // The one before it may have started; what becomes of it does not hide the mistake.
    let outcome = flux(["--many", "--", "sleep", "50", "--", "no-such-command"]);
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
    let outcome =
        Run::launcher().args(["--", "printenv", "GREETING"]).env("GREETING", "hello").run();
    assert_eq!(outcome.assert_success().stdout, "hello\n");
    // Somebody else's preload stays.
    let outcome =
        Run::launcher().args(["--", "printenv", "LD_PRELOAD"]).env("LD_PRELOAD", "libm.so.6").run();
    assert!(outcome.assert_success().stdout.contains("libm.so.6"), "{outcome}");
}

#[test]
fn signal_dispositions_are_the_commands() {
    let status = |ignored: &str| {
        let script = format!("trap '' {ignored} USR2; exec \"$@\"");
        // Not 32 and 33: glibc uses them for itself as soon as there are threads.
        let lines = |outcome: Outcome| -> Vec<u64> {
            let sets = outcome.stdout.lines().filter_map(|line| line.split('\t').nth(1));
            sets.map(|set| u64::from_str_radix(set, 16).expect("hexadecimal") & !(3 << 31))
                .collect()
        };
        let command = ["grep", "-E", "SigIgn|SigBlk", "/proc/self/status"];
        let native = Run::new("bash").args(["-c", &script, "bash"]).args(command).run();
        let args = ["-c", &script, "bash"];
        let flux = Run::new("bash")
            .args(args)
            .arg(&artifacts().launcher)
            .arg("--")
            .args(command)
            .within(REAL)
            .run();
        assert_eq!(lines(native), lines(flux), "{ignored}");
    };
    ["PIPE", "CHLD", "XFSZ", "PIPE CHLD XFSZ HUP", ""].into_iter().for_each(status);
    // Whoever ignores it has no children to wait for; the launcher does.
    let script = "trap '' CHLD; \"$0\" -- bash -c 'sleep 5; exit 3'";
    assert_eq!(
        Run::new("bash").args(["-c", script]).arg(&artifacts().launcher).within(REAL).run().code(),
        3
    );
}

#[test]
fn closed_descriptors_stay_closed() {
    let python = "import os, sys\nopen_fds = []\nfor fd in range(3):\n  try: os.fstat(fd); open_fds.append(fd)\n  except OSError: pass\nsys.exit(len(open_fds) * 10 + sum(open_fds))";
    for (closed, code) in
        [("<&-", 23), ("<&- >&-", 12), (">&- 2>&-", 10), ("<&- >&- 2>&-", 0), ("", 33)]
    {
        let script = format!("exec \"$0\" -- python3 -c '{python}' {closed}");
        let outcome =
            Run::new("bash").args(["-c", &script]).arg(&artifacts().launcher).within(REAL).run();
        assert_eq!(outcome.code(), code, "{closed}: {outcome}");
    }
}

#[test]
fn few_descriptors() {
    // Each needs three to be looked at.
    let many = "for ((i = 0; i < 20; i++)); do (sleep 1000; echo) | cat & done; wait";
    let script = format!("ulimit -n 40; exec \"$0\" -- bash -c '{many}'");
    let outcome =
        Run::new("bash").args(["-c", &script]).arg(&artifacts().launcher).within(REAL).run();
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
    let run = if running_as_root() {
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
    let spawn =
        format!("import os; os.waitpid(os.posix_spawn('/bin/sh', ['sh', '-c', '{nap}'], {{}}), 0)");
    let commands: [&[&str]; 4] = [
        &["env", "-i", "sh", "-c", nap],
        &["perl", "-e", &perl],
        &["python3", "-c", &python],
        &["python3", "-c", &spawn],
    ];
    for command in commands {
        let outcome =
            Run::new(command[0]).args(&command[1..]).mode(Mode::Elapsed).within(REAL).run();
        let times: Vec<u64> = outcome.stdout.lines().flat_map(str::parse).collect();
        assert!(times.len() == 2 && (1000..1040).contains(&(times[1] - times[0])), "{outcome}");
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
        let script = format!(
            "{close_all} {wait}; os._exit(not 1000 <= (time.monotonic_ns() - start) / 1e9 < 1040)"
        );
        for mode in [Mode::Elapsed, Mode::Frozen] {
            let outcome = Run::new("python3").args(["-c", &script]).mode(mode).within(REAL).run();
            assert_eq!(outcome.code(), 0, "{mode:?}: {outcome}");
        }
    }
}
