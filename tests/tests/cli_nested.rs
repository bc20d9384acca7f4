//! flux-launch inside a session: its commands run in that session.

mod command;

use command::*;
use flux_tests::{Mode, Run, artifacts};

/// A shell script under flux, in which `$FLUX` is flux-launch.
#[track_caller]
fn script(mode: Mode, script: &str) -> flux_tests::Outcome {
    Run::new("bash")
        .args(["-c", script])
        .env("FLUX", artifacts().launcher.clone())
        .mode(mode)
        .within(REAL)
        .run()
}

#[test]
fn it_shares_the_clock() {
    for mode in [Mode::Elapsed, Mode::Frozen] {
        let text = "s=$(date +%s); $FLUX -- sleep 86400; $FLUX -- bash -c '$FLUX -- sleep 86400'; echo $(( ($(date +%s) - s) / 86400 ))";
        let outcome = script(mode, text);
        assert_eq!(outcome.stdout, "2\n", "{mode:?}: {outcome}");
        assert_eq!(outcome.stderr, "", "{mode:?}: {outcome}");
        // Two that wait for each other's times, outside and inside.
        let text = "(sleep 100; echo out 100) & ($FLUX -- bash -c 'sleep 50; echo in 50; sleep 100; echo in 150') & wait";
        let outcome = script(mode, text);
        assert_eq!(outcome.stdout, "in 50\nout 100\nin 150\n", "{mode:?}: {outcome}");
    }
}

#[test]
fn exit_statuses_are_those_of_its_commands() {
    let text = "$FLUX -- bash -c 'exit 3'; echo $?; $FLUX --many -- bash -c 'sleep 900; exit 7' -- true; echo $?
        $FLUX --separator , bash -c 'kill -KILL $$' , false; echo $?; $FLUX -- bash -c '(sleep 900; exit 9) & exit 4'; echo $?
        $FLUX -- /no/such/program 2>/dev/null; echo $?; $FLUX --no-such-option 2>/dev/null; echo $?; exit 5";
    let outcome = script(Mode::Elapsed, text);
    assert_eq!(outcome.stdout, "3\n7\n137\n4\n127\n2\n", "{outcome}");
    assert_eq!(outcome.code(), 5, "{outcome}");
}

#[test]
fn several_commands_start_in_their_order() {
    let text = "$FLUX --many -- bash -c 'echo first; sleep 30; echo third' -- bash -c 'echo second; sleep 99; echo fourth'";
    for mode in [Mode::Elapsed, Mode::Frozen] {
        assert_eq!(script(mode, text).stdout, "first\nsecond\nthird\nfourth\n", "{mode:?}");
    }
}

#[test]
fn what_it_says() {
    let says = |options: &str| script(Mode::Elapsed, &format!("$FLUX {options} -- true")).stderr;
    assert_eq!(says(""), "");
    assert_eq!(says("--clock=frozen"), "");
    assert_eq!(says("-v"), "flux-launch: inside a session: the commands join it\n");
    let ignored = says("-v --clock=frozen");
    assert_eq!(ignored.lines().count(), 1, "{ignored}");
    assert!(ignored.contains("--clock is ignored"), "{ignored}");
    let scratch = Scratch::new("nested");
    assert_eq!(says(&format!("-v --output={}", scratch.file("out"))), "");
    assert!(
        std::fs::read_to_string(scratch.file("out")).expect("written").contains("inside a session")
    );
}

#[test]
fn signals_reach_its_commands() {
    let text = "$FLUX -- bash -c 'trap \"echo told; exit 6\" TERM; echo ready; while :; do sleep 1; done' & inner=$!
        sleep 60; kill -TERM $inner; wait $inner; echo $?";
    for mode in [Mode::Elapsed, Mode::Frozen] {
        let outcome = script(mode, text);
        assert_eq!(outcome.stdout, "ready\ntold\n6\n", "{mode:?}: {outcome}");
    }
}

#[test]
fn it_joins_from_programs_that_cannot_load_the_library() {
    let source = "#include <unistd.h>\nint main(int n, char **args) { return n < 2 || execvp(args[1], args + 1); }\n";
    let scratch = Scratch::new("nested-foreign");
    for (compiler, flags) in [("gcc", &["-static"][..]), ("gcc", &["-m32"]), ("musl-gcc", &[])] {
        let program = compile_with(compiler, &scratch, flags, source);
        let text = format!(
            "s=$(date +%s); {program} $FLUX -- sh -c 'sleep 86400; exit 3'; echo $? $(( ($(date +%s) - s) / 86400 ))"
        );
        for mode in [Mode::Elapsed, Mode::Frozen] {
            let outcome = script(mode, &text);
            assert_eq!(
                (&*outcome.stdout, &*outcome.stderr),
                ("3 1\n", ""),
                "{compiler} {flags:?}, {mode:?}: {outcome}"
            );
        }
    }
}

#[test]
fn one_whose_session_is_over_makes_its_own() {
    // What a program that outlived its session has in its environment.
    let outcome = Run::new("sleep")
        .arg("86400")
        .env("FLUX_SESSION", "/proc/1/fd/99999")
        .mode(Mode::Elapsed)
        .within(REAL);
    outcome.run().assert_success();
}
