//! The state file as everybody reads it: flock(1), flock(2) in C, Python, Perl and Rust,
//! `flux-launch --wait-idle`. They all see the same.

use flux_tests::{Guest, Run, Tracked, artifacts};
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

const PYTHON: &str = "import fcntl, sys\n\
    with open(sys.argv[1]) as state:\n  \
    try: fcntl.flock(state, fcntl.LOCK_SH | fcntl.LOCK_NB)\n  \
    except BlockingIOError: print('busy')\n  \
    else: print(state.read(), end='')";
const PERL: &str = "open S, '<', shift; flock(S, 1 | 4) ? print <S> : print qq(busy\\n)";

/// What each of them says, with its name.
fn answers(tracked: &Tracked) -> Vec<(&'static str, String)> {
    let state = tracked.state();
    let said = |program: &str, arguments: &[&str]| {
        Run::new(program).args(arguments).arg(&state).run().stdout
    };
    let shell = r#"flock --shared --nonblock "$0" cat "$0" || echo busy"#;
    let waiting = r#""$0" --timeout 0 --wait-idle "$1" || { [ $? = 124 ] && echo busy; }"#;
    let c = Guest::new("idle/reader").compile();
    let rust = tracked.rests().map_or("busy\n".to_owned(), |rest| format!("{}\n", rest.number));
    vec![
        ("flock(1)", said("sh", &["-c", shell])),
        ("C", Run::new(c).arg(&state).run().stdout),
        ("Python", said("python3", &["-c", PYTHON])),
        ("Perl", said("perl", &["-e", PERL])),
        ("Rust", rust),
        ("--wait-idle", said("sh", &["-c", waiting, &artifacts().launcher.to_string_lossy()])),
    ]
}

#[track_caller]
fn assert_all_say(tracked: &Tracked, expected: &str) {
    for (who, said) in answers(tracked) {
        assert_eq!(said, expected, "{who}");
    }
}

#[test]
fn all_see_the_same() {
    let mut command = Command::new(Guest::new("idle/toggles").compile());
    let mut tracked = Tracked::start(command.stdin(Stdio::piped()).stdout(Stdio::piped()));
    let mut input = tracked.child.stdin.take().expect("piped");
    let mut lines = BufReader::new(tracked.child.stdout.take().expect("piped")).lines();
    let mut number = tracked.rest_past(0).number;
    for _ in 0..3 {
        assert_all_say(&tracked, &format!("{number}\n"));
        input.write_all(b"b").expect("it reads");
        assert_eq!(lines.next().expect("a line").expect("readable"), "busy");
        assert_all_say(&tracked, "busy\n");
        input.write_all(b"i").expect("it reads");
        let now = tracked.rest_past(number).number;
        assert_eq!(now, number + 1, "one more for each time it goes busy");
        number = now;
    }
    drop(input);
    assert!(tracked.end().success());
    let number = tracked.rests().expect("a program that has ended is idle").number;
    assert_all_say(&tracked, &format!("{number}\n"));
}
