//! The state file of libidle.so: locked while the program is busy, free with a new number when it
//! has come to rest. Of a tree of processes, and with what threads say themselves.

use flux_tests::{Guest, Run, Tracked, artifacts};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{ChildStdin, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// A guest that answers each byte with the same byte.
struct Echo {
    tracked: Tracked,
    input: ChildStdin,
    output: ChildStdout,
}

impl Echo {
    fn start(command: &mut Command) -> Self {
        let mut tracked = Tracked::start(command.stdin(Stdio::piped()).stdout(Stdio::piped()));
        let input = tracked.child.stdin.take().expect("piped");
        let output = tracked.child.stdout.take().expect("piped");
        Echo { tracked, input, output }
    }

    fn tree(how: &str) -> Self {
        Echo::start(Command::new(Guest::new("statefile/tree").compile()).arg(how))
    }

    fn say(&mut self, byte: u8) {
        self.input.write_all(&[byte]).expect("it reads");
    }

    fn hear(&mut self) -> u8 {
        let mut byte = [0];
        self.output.read_exact(&mut byte).expect("it answers");
        byte[0]
    }

    /// Says a byte and hears the answer.
    fn ask(&mut self, byte: u8) {
        self.say(byte);
        assert_eq!(self.hear(), byte);
    }

    /// It stays busy for as long as anybody could take it for idle.
    #[track_caller]
    fn assert_busy(&self, why: &str) {
        let end = Instant::now() + Duration::from_millis(100);
        while Instant::now() < end {
            assert!(self.tracked.rests().is_none(), "idle: {why}");
            thread::sleep(Duration::from_micros(50));
        }
    }

    #[track_caller]
    fn number(&self) -> u64 {
        self.tracked.rest_past(0).number
    }

    /// Each request is seen, and then it is at rest again.
    #[track_caller]
    fn assert_seen(&mut self, requests: u32) {
        let mut number = self.number();
        for _ in 0..requests {
            self.ask(b'x');
            number = self.tracked.rest_past(number).number;
        }
    }
}

#[test]
fn each_request_is_a_busy_period() {
    let mut echo = Echo::tree("echo");
    let mut number = echo.number();
    for _ in 0..1000 {
        echo.ask(b'x');
        let now = echo.tracked.rest_past(number).number;
        assert_eq!(now, number + 1, "one more for each request");
        number = now;
    }
    let Echo { mut tracked, input, .. } = echo;
    drop(input);
    assert!(tracked.end().success());
    assert_eq!(
        tracked.rest_past(0).number,
        number + 1,
        "the end of its input is the last thing that it hears"
    );
}

#[test]
fn children_belong_to_the_tree() {
    for how in ["exec", "spawn", "waits", "cleared", "orphan", "daemon"] {
        let mut echo = Echo::tree(how);
        echo.ask(b'x');
        echo.assert_seen(20);
        echo.say(b'c');
        thread::sleep(Duration::from_millis(50));
        echo.assert_busy(how);
        assert_eq!(echo.hear(), b'c');
        echo.number();
    }
}

#[test]
fn a_parent_that_computes_is_enough() {
    let mut echo = Echo::tree("computes");
    echo.ask(b'x');
    echo.assert_busy("its child waits, but it computes itself");
    echo.number();
}

#[test]
fn who_began_may_be_killed() {
    // At rest, and while a child of it computes.
    for busy in [false, true] {
        let mut echo = Echo::tree("waits");
        echo.ask(b'x');
        echo.number();
        if busy {
            echo.say(b'c');
            thread::sleep(Duration::from_millis(50));
        }
        echo.tracked.signal(libc::SIGKILL);
        echo.tracked.end();
        if busy {
            echo.assert_busy("the child computes");
            assert_eq!(echo.hear(), b'c');
        }
        echo.number();
        echo.assert_seen(20);
    }
}

#[test]
fn only_the_first_process_if_so_desired() {
    // It waits for its child, whatever that does.
    for how in ["waits", "spawn"] {
        let mut command = Command::new(Guest::new("statefile/tree").compile());
        let mut echo = Echo::start(command.arg(how).env("LIBIDLE_CHILDREN", "0"));
        echo.ask(b'x');
        let number = echo.number();
        echo.say(b'c');
        thread::sleep(Duration::from_millis(50));
        assert_eq!(
            echo.tracked.rests().map(|rest| rest.number),
            Some(number),
            "{how}: the child is not tracked"
        );
        assert_eq!(echo.hear(), b'c');
    }
    let mut command = Command::new(Guest::new("statefile/tree").compile());
    let mut echo = Echo::start(command.arg("exec").env("LIBIDLE_CHILDREN", "0"));
    echo.ask(b'x');
    echo.assert_seen(20);
}

#[test]
fn threads_say_what_they_count_as() {
    let mut echo =
        Echo::start(Command::new(Guest::new("statefile/forced").compile()).stderr(Stdio::piped()));
    echo.ask(b'x');
    echo.assert_busy("it computes");
    echo.ask(b'I');
    let number = echo.number();
    echo.ask(b'i');
    echo.assert_busy("it is itself again");
    echo.ask(b'w');
    assert!(echo.tracked.rest_past(number).number > number);
    echo.ask(b'B');
    echo.ask(b'w');
    echo.assert_busy("it says so");
    echo.ask(b'b');
    echo.ask(b'w');
    echo.number();
    // The outermost pair is in effect.
    for byte in *b"IBI" {
        echo.ask(byte);
    }
    echo.number();
    for byte in *b"ibi" {
        echo.ask(byte);
    }
    echo.assert_busy("all pairs are closed");
    // A thread that ends in a pair closes it.
    echo.ask(b't');
    echo.ask(b'w');
    echo.number();
    echo.ask(b'u');
    echo.assert_busy("the thread that was idle has ended, this one runs");
    // What does not fit is ignored.
    for byte in *b"bbIbi" {
        echo.ask(byte);
    }
    echo.assert_busy("nothing is left of it");
    let Echo { mut tracked, input, .. } = echo;
    drop(input);
    tracked.end();
    let mut said = String::new();
    tracked.child.stderr.take().expect("piped").read_to_string(&mut said).expect("readable");
    assert_eq!(said.lines().count(), 1, "said once: {said:?}");
    assert!(said.contains("libidle_disable_forced_busy"), "{said:?}");
}

#[test]
fn a_signal_of_a_thread_that_is_forced_idle() {
    let mut echo = Echo::start(&mut Command::new(Guest::new("statefile/forced").compile()));
    echo.ask(b'I');
    for _ in 0..3 {
        echo.number();
        echo.ask(b's');
        echo.assert_busy("the handler runs");
    }
    echo.number();
}

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
fn a_file_that_is_deleted_meanwhile() {
    let mut echo = Echo::start(
        Command::new(Guest::new("statefile/tree").compile()).arg("echo").stderr(Stdio::piped()),
    );
    echo.number();
    fs::remove_file(echo.tracked.state()).expect("it is there");
    for _ in 0..10 {
        echo.ask(b'x');
        thread::sleep(Duration::from_millis(5));
    }
    let Echo { mut tracked, input, .. } = echo;
    drop(input);
    assert!(tracked.end().success());
    let mut said = String::new();
    tracked.child.stderr.take().expect("piped").read_to_string(&mut said).expect("readable");
    assert_eq!(said.lines().count(), 1, "said once: {said:?}");
    assert!(said.contains("deleted or replaced"), "{said:?}");
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
fn nobody_keeps_privileges_that_the_program_gives_up() {
    let guest = Guest::new("statefile/privileges").compile();
    let native = Run::new(&guest).stdin("").run().stdout;
    let mut echo = Echo::start(&mut Command::new(&guest));
    let mut said = vec![0; native.len()];
    echo.output.read_exact(&mut said).expect("it says so");
    assert_eq!(String::from_utf8_lossy(&said), native);
    echo.assert_seen(20);
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
