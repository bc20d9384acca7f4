//! The state file of libidle.so: locked while the program is busy, free with a new number when it
//! has come to rest. Of a tree of processes, and with what threads say themselves.

use flux_tests::{Guest, Run, Tracked, report};
use std::fs;
use std::io::{Read, Write};
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

    /// Waits until it is busy with what it was told, and computes for some time.
    #[track_caller]
    fn await_busy(&self) {
        let start = Instant::now();
        while self.tracked.rests().is_some() {
            assert!(start.elapsed() < Duration::from_secs(60), "it does not begin");
            thread::sleep(Duration::from_micros(50));
        }
    }

    /// It is never idle while this looks. A longer look would only find more.
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
        echo.await_busy();
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
            echo.await_busy();
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
        // It computes for a second. Where it has not begun yet this proves less, that is all.
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
fn a_file_that_is_deleted_meanwhile() {
    let mut echo = Echo::start(
        Command::new(Guest::new("statefile/tree").compile()).arg("echo").stderr(Stdio::piped()),
    );
    echo.number();
    fs::remove_file(echo.tracked.state()).expect("it is there");
    for _ in 0..10 {
        echo.ask(b'x');
        // For it to come to rest before the next one, and see each time that the file is gone.
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
fn nobody_keeps_privileges_that_the_program_gives_up() {
    let guest = Guest::new("statefile/privileges").compile();
    let native = Run::new(&guest).stdin("").run().stdout;
    let mut echo = Echo::start(&mut Command::new(&guest));
    let mut said = vec![0; native.len()];
    echo.output.read_exact(&mut said).expect("it says so");
    assert_eq!(String::from_utf8_lossy(&said), native);
    echo.assert_seen(20);
}

/// The library's thread may be held up for as long as it takes: setuid(2) waits until it is gone.
#[test]
fn no_thread_with_the_former_user_is_left_behind() {
    if report::not_root("") {
        return;
    }
    let guest = Guest::new("statefile/held").compile();
    let native = Run::new(&guest).stdin("x").run().stdout;
    assert_eq!(native, "threads with the former user: 0\n");
    let mut echo = Echo::start(&mut Command::new(&guest));
    echo.tracked.rest_past(0);
    echo.say(b'x');
    let mut said = String::new();
    echo.output.read_to_string(&mut said).expect("it says so");
    assert_eq!(said, native);
}
