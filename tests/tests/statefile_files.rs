//! The state file of libidle.so: files that cannot be one, that of a session of flux-launch, and
//! what is written at each change.

use flux_tests::{Guest, Run, artifacts};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

#[test]
fn files_that_cannot_be_one() {
    let guest = Guest::new("statefile/tree").compile();
    let folder = std::env::temp_dir().join(format!("flux-no-state-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    let (text, fifo) = (folder.join("text"), folder.join("fifo"));
    fs::write(&text, "something else\n").expect("ours");
    assert!(Command::new("mkfifo").arg(&fifo).status().expect("mkfifo").success());
    let cases = [
        (folder.clone(), "it is a folder"),
        (fifo, "it is no regular file"),
        ("/dev/full".into(), "it is no regular file"),
        (folder.join("missing/state"), "there is no such folder"),
        (text.clone(), "it is no state file"),
    ];
    for (path, reason) in cases {
        let run =
            Run::new(&guest).arg("waits").stdin("xyz").env("LD_PRELOAD", &artifacts().libidle);
        let outcome = run.env("LIBIDLE_STATEFILE", &path).run();
        assert_eq!(outcome.stdout, "xyz", "it runs all the same");
        let line = format!(
            "libidle: cannot use {} as state file: {reason}; the program runs untracked\n",
            path.display()
        );
        assert_eq!(outcome.stderr, line);
    }
    assert_eq!(fs::read_to_string(&text).expect("still there"), "something else\n");
    fs::remove_dir_all(folder).expect("ours");
}

#[test]
fn a_session_of_flux_launch() {
    let state = std::env::temp_dir().join(format!("flux-session-state-{}", std::process::id()));
    fs::write(&state, "").expect("ours");
    // Two virtual hours are no rest, for there is a deadline to jump to; what comes then is.
    let script = "sleep 7200; echo awake; while read -r line; do echo $line; done";
    let mut launcher = Command::new(&artifacts().launcher)
        .arg(format!("--statefile={}", state.display()))
        .args(["--", "bash", "-c", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut output = BufReader::new(launcher.stdout.take().expect("piped")).lines();
    let mut input = launcher.stdin.take().expect("piped");
    assert_eq!(output.next().expect("a line").expect("readable"), "awake");
    let rest = |after: u64| -> u64 {
        let wait = Run::launcher().arg("--wait-idle").arg(&state).args([
            "--timeout",
            "30",
            "--after",
            &after.to_string(),
        ]);
        wait.run().stdout.trim().parse().expect("a number")
    };
    let mut number = rest(0);
    for _ in 0..10 {
        input.write_all(b"line\n").expect("it reads");
        assert_eq!(output.next().expect("a line").expect("readable"), "line");
        number = rest(number);
    }
    drop(input);
    assert!(launcher.wait().expect("our child").success());
    fs::remove_file(&state).expect("ours");
    let refused = Run::launcher().args(["--statefile=/", "--", "true"]).run();
    assert_eq!(
        (refused.status.code(), refused.stderr.as_str()),
        (Some(125), "flux-launch: cannot use / as state file: it is a folder\n")
    );
}

#[test]
fn a_row_at_each_change() {
    let folder = std::env::temp_dir().join(format!("flux-rows-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    let guest = Guest::new("idle/bounce").compile();
    let run = |to: &str| {
        let run = Run::new(&guest)
            .args(["sem", "2", "20"])
            .cwd(&folder)
            .env("LD_PRELOAD", &artifacts().libidle);
        run.env("LIBIDLE_VERBOSE", to).run()
    };
    let plain = Run::new(&guest).args(["sem", "2", "20"]).cwd(&folder).run().stdout;
    let assert_rows = |rows: &str| {
        assert!(rows.lines().all(|line| line.starts_with("libidle: ")), "{rows}");
        let letters: Vec<&str> = rows.lines().filter_map(|line| line.split(' ').nth(2)).collect();
        for letter in ['-', 's', 'S'] {
            assert!(letters.iter().any(|word| word.contains(letter)), "no {letter} in {rows}");
        }
        // Somebody runs or is promised to at each moment.
        assert!(letters.iter().all(|word| word.contains(['-', 'S'])), "{rows}");
    };
    let outcome = run("1");
    let (rows, own): (Vec<_>, Vec<_>) =
        outcome.stdout.lines().partition(|line| line.starts_with("libidle: "));
    assert_rows(&rows.join("\n"));
    assert_eq!(own, plain.lines().collect::<Vec<_>>());
    let file = folder.join("rows");
    assert_eq!(run(&file.to_string_lossy()).stdout, plain);
    assert_rows(&fs::read_to_string(&file).expect("rows"));
    assert!(folder.join(".libidle_state").exists(), "the name if none is given");
    fs::remove_dir_all(folder).expect("ours");
}

#[test]
fn a_thread_that_ends_alone_ends_its_process() {
    // Children of clone(2) among others: libc ends them by exit(2), which ends one thread.
    let guest = Guest::new("lifecycle/fork_kinds").compile();
    let scratch = std::env::temp_dir().join(format!("flux-clone-state-{}", std::process::id()));
    let run =
        Run::new(&guest).env("LD_PRELOAD", &artifacts().libidle).env("LIBIDLE_STATEFILE", &scratch);
    let outcome = run.run();
    assert!(
        outcome.stdout.contains("clone, memory shared: 0")
            && outcome.stdout.contains("generation 4"),
        "{}",
        outcome.stdout
    );
    fs::remove_file(scratch).expect("ours");
}
