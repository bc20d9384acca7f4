//! Named holds: `flux_hold` of `flux.h` and of `flux.py`, `--hold` and `--real`.

mod command;

use command::*;
use flux_tests::{Guest, Mode, Outcome, Run, artifacts, workspace_root};

const MODES: [Mode; 2] = [Mode::Elapsed, Mode::Frozen];

/// A shell script in a session, in which `$FLUX` is flux-launch.
#[track_caller]
fn script(mode: Mode, options: &[&str], text: &str) -> Outcome {
    let run = Run::new("bash").args(["-c", text]).env("FLUX", artifacts().launcher.clone());
    let run = options.iter().fold(run, |run, option| run.flux_option(*option));
    run.mode(mode).within(REAL).run()
}

/// Python with flux.py.
#[track_caller]
fn python(mode: Mode, text: &str) -> Outcome {
    let path = workspace_root().join("python");
    let run = Run::new("python3").args(["-c", text]).env("PYTHONPATH", path);
    run.mode(mode).within(REAL).run()
}

#[test]
fn a_hold_ends_with_whatever_ends_its_owner() {
    let program = Guest::new("hand/ends").compile();
    let bad = "-1 Invalid argument\n".repeat(4);
    let ways = ["release", "close", "dup2", "exit", "kill", "exec", "fork", "thread"];
    let waited: String = ways.iter().map(|way| format!("{way}: waited\n")).collect();
    for mode in MODES {
        let outcome = Run::new(&program).mode(mode).flux_option("-v").within(REAL).run();
        let expected = format!("{waited}{bad}-1 Bad file descriptor\n0\n");
        assert_eq!(outcome.assert_success().stdout, expected, "{mode:?}: {outcome}");
        assert!(outcome.stderr.contains("flux-launch: 8 holds, "), "{outcome}");
        assert!(outcome.stderr.contains("dup2 (1)"), "{outcome}");
    }
}

#[test]
fn deadlines_during_a_hold_come_in_order() {
    let program = Guest::new("hand/order").compile();
    let elapsed = Run::new(&program).mode(Mode::Elapsed).within(REAL).run();
    assert_eq!(elapsed.assert_success().stdout, "right held waited\n", "{elapsed}");
    let exact = Run::new(&program).arg("frozen").mode(Mode::Frozen).flux_option("--slack=0");
    let frozen = exact.within(REAL).run();
    assert_eq!(frozen.assert_success().stdout, "13204right held waited\n", "{frozen}");
}

/// Tenths of a virtual second that a command takes.
fn tenths(command: &str) -> String {
    format!("s=$(date +%s%N); {command}; echo $(( ($(date +%s%N) - s) / 100000000 ))")
}

#[test]
fn no_jump_while_a_command_holds() {
    for mode in MODES {
        let text = tenths("$FLUX --hold 'docker exec' -- sleep 0.3");
        let outcome = script(mode, &["-v"], &format!("{text}; sleep 1d"));
        let took: u32 = outcome.assert_success().stdout.trim().parse().expect("a number");
        assert!((3..300).contains(&took), "{mode:?}: {outcome}");
        assert!(outcome.stderr.contains("flux-launch: 1 hold, 0."), "{outcome}");
        assert!(outcome.stderr.contains("docker exec (1)"), "{outcome}");
    }
}

#[test]
fn a_command_outside_runs_in_real_time() {
    let text = tenths(
        "$FLUX --real -- bash -c 'env | grep FLUX_SESSION; busybox sleep 0.2; env -i sleep 0.2'",
    );
    let static_child =
        "#include <unistd.h>\nint main(int n, char **a) { return n < 2 || execvp(a[1], a + 1); }\n";
    let scratch = Scratch::new("holds-real");
    let from_static = compile(&scratch, &["-static"], static_child);
    let filtered = tenths(&format!("{from_static} $FLUX --real -- {from_static} sleep 0.4"));
    for mode in MODES {
        for options in [&["-v"][..], &["-v", "--trace=all"]] {
            for text in [&text, &filtered] {
                let outcome = script(mode, options, text);
                let took: u32 = outcome.assert_success().stdout.trim().parse().expect("a number");
                assert!((4..400).contains(&took), "{mode:?} {options:?} {text}: {outcome}");
                assert!(outcome.stderr.contains(" (1)"), "{mode:?} {options:?}: {outcome}");
            }
        }
    }
}

/// In a PID namespace a process has another number than the session knows it by: the one of a
/// stranger, whose slot is left alone.
#[test]
fn in_a_pid_namespace() {
    let ways = "$FLUX --real -- sleep 0.2; $FLUX --hold ns -- sleep 0.2";
    let text = tenths(&format!("unshare -Urpf --mount-proc bash -c '{ways}'"));
    for mode in MODES {
        let outcome = script(mode, &["-v"], &format!("{text}; sleep 1d"));
        let took: u32 = outcome.assert_success().stdout.trim().parse().expect("a number");
        assert!((4..400).contains(&took), "{mode:?}: {outcome}");
        assert!(outcome.stderr.contains("flux-launch: 2 holds, 0."), "{outcome}");
    }
}

#[test]
fn statuses_are_those_of_the_command() {
    let text = "for option in --real --hold=x; do $FLUX $option -- bash -c 'exit 3'; echo $?; \
                $FLUX $option -- bash -c 'kill -9 $$'; echo $?; \
                $FLUX $option -- /no/such 2>/dev/null; echo $?; done";
    let outcome = script(Mode::Elapsed, &[], text);
    assert_eq!(outcome.assert_success().stdout, "3\n137\n127\n".repeat(2), "{outcome}");
}

#[test]
fn without_a_session_the_command_runs_as_it_is() {
    for option in ["--real", "--hold=x"] {
        let outcome = flux(["-v", option, "--", "bash", "-c", "env | grep FLUX_; exit 4"]);
        assert_eq!((outcome.code(), outcome.stdout.as_str()), (4, ""), "{outcome}");
        assert_eq!(outcome.stderr.lines().count(), 1, "{outcome}");
        assert!(outcome.stderr.contains("there is no session"), "{outcome}");
    }
}

#[test]
fn bad_names_are_refused() {
    for name in ["", "a/b", "a\nb", &"x".repeat(81)] {
        assert_refused(&flux([&format!("--hold={name}"), "--", "true"]), 2, &["--hold", "slash"]);
    }
}

#[test]
fn a_stall_report_names_the_hold() {
    let text = "$FLUX --hold 'a browser' -- bash -c 'read -t 5 < <(sleep 4.5)' & sleep 1d; wait";
    let outcome = script(Mode::Elapsed, &["-v"], text);
    let told = outcome.stderr.contains("holds the clock: a browser");
    assert!(told && outcome.stderr.contains("time does not jump while"), "{outcome}");
}

#[test]
fn rest_of_threads_and_processes() {
    let program = Guest::new("hand/rest").compile();
    let expected = "at rest: 0, 1 1 after 0 h\nthe other waiter: 2\nat rest: 0, 2 2 after 1 h\n\
                    beside one that computes: -1, Connection timed out\n\
                    interrupted: -1, Interrupted system call\n";
    for mode in MODES {
        let outcome = Run::new(&program).mode(mode).within(REAL).run();
        assert_eq!(outcome.assert_success().stdout, expected, "{mode:?}: {outcome}");
    }
}

#[test]
fn rest_is_told_before_time_jumps() {
    let text = "import flux, threading, time
done = []
def work():
    for n in range(3):
        sum(range(1000000))
        done.append(n)
        time.sleep(3600)
thread = threading.Thread(target=work)
start = flux.now()
thread.start()
for n in range(3):
    flux.at_rest(30)
    print(len(done), (flux.now() - start) // 1_000_000_000 // 3600)
    time.sleep(3600)
try:
    busy = threading.Thread(target=lambda: [sum(range(100000)) for n in range(100000) if not stop])
    stop = []
    busy.start()
    flux.at_rest(0.2)
except TimeoutError:
    stop.append(1)
    print('busy')
with flux.hold('while it looks'):
    busy.join()
    flux.at_rest(30)
    print('held')
";
    for mode in MODES {
        let outcome = python(mode, text);
        assert_eq!(outcome.assert_success().stdout, "1 0\n2 1\n3 2\nbusy\nheld\n", "{outcome}");
    }
}

#[test]
fn python_without_a_session() {
    let text = "import flux, time
print(flux.active(), abs(flux.now() - time.monotonic_ns()) < 10**9, abs(flux.real_now() - flux.now()) < 10**9)
with flux.hold('nobody'):
    print('held')
try:
    flux.at_rest(1)
except OSError as error:
    print(error.strerror)
";
    let outcome = python(Mode::Native, text);
    let expected = "False True True\nheld\nFunction not implemented\n";
    assert_eq!(outcome.assert_success().stdout, expected, "{outcome}");
}

#[test]
fn python_in_a_session() {
    let text = "import flux, time
print(flux.active())
start, really = flux.now(), flux.real_now()
time.sleep(3600)
print(flux.now() - start >= 3600 * 10**9, flux.real_now() - really < 60 * 10**9)
with flux.hold('a service'):
    really = flux.real_now()
    time.sleep(0.2)
    print(flux.real_now() - really >= 0.19 * 10**9)
try:
    flux.hold('a/b')
except OSError as error:
    print(error.strerror)
";
    for mode in MODES {
        let outcome = python(mode, text);
        let expected = "True\nTrue True\nTrue\nInvalid argument\n";
        assert_eq!(outcome.assert_success().stdout, expected, "{outcome}");
    }
}
