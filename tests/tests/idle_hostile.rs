//! Programs and surroundings that libidle.so must survive, and the programs it.

mod command;

use command::Scratch;
use flux_tests::{Guest, Outcome, Run, Tracked, artifacts};
use std::process::{Command, Stdio};

/// Runs it tracked, with its state file in a folder of its own; the folder stays until the test
/// ends.
fn tracked(scratch: &Scratch, program: impl AsRef<std::ffi::OsStr>, arguments: &[&str]) -> Outcome {
    let state = scratch.file("state");
    let run = Run::new(program)
        .args(arguments)
        .env("LD_PRELOAD", &artifacts().libidle)
        .env("LIBIDLE_STATEFILE", state);
    run.cwd(scratch.file("")).run()
}

/// It has done its work, and libidle has said one thing.
#[track_caller]
fn assert_complains_once(outcome: &Outcome, stdout: &str, words: &str) {
    assert_eq!(outcome.assert_success().stdout, stdout, "{outcome}");
    assert_eq!(outcome.stderr.lines().count(), 1, "not one line: {outcome}");
    assert!(outcome.stderr.starts_with("libidle: ") && outcome.stderr.contains(words), "{outcome}");
}

#[test]
fn a_file_that_has_got_the_number_of_ours_is_left_alone() {
    let scratch = Scratch::new("closes");
    let outcome = tracked(&scratch, Guest::new("idle/closes").compile(), &[]);
    // The thread that looks still has the file, and takes the lock for all others.
    assert_eq!(outcome.assert_success().stdout, "0 bytes\n", "{outcome}");
    assert_eq!(outcome.stderr, "", "{outcome}");
}

#[test]
fn a_limit_of_file_sizes_ends_nobody() {
    let scratch = Scratch::new("limit");
    let script = "ulimit -f 0; exec sh -c 'sleep 0.05; sleep 0.05; printf ran'";
    assert_complains_once(&tracked(&scratch, "sh", &["-c", script]), "ran", "cannot write");
}

#[test]
fn computing_children_are_no_rest() {
    // Each process that waits for the first time starts a thread of libidle's; waiting for that is
    // no rest either.
    let script = "import subprocess\nfor i in range(10): subprocess.run(['sh', '-c', 'i=0; while [ $i -lt 9999 ]; do i=$((i+1)); done'])";
    for _ in 0..5 {
        let mut tracked =
            Tracked::start(Command::new("python3").args(["-c", script]).stdin(Stdio::null()));
        assert!(tracked.end().success());
        assert_eq!(tracked.rests().expect("ended").number, 1, "at rest while a child computed");
    }
}

#[test]
fn bytes_that_tcp_holds_back_are_no_rest() {
    // Nagle's algorithm and the delayed acknowledgement: the kernel would let both sides wait for
    // 40 ms.
    let script = "import socket, threading\n\
        listener = socket.create_server(('127.0.0.1', 0))\n\
        def answer():\n  \
          peer = listener.accept()[0]\n  \
          while (line := peer.recv(2, socket.MSG_WAITALL)): peer.sendall(line)\n\
        threading.Thread(target=answer).start()\n\
        with socket.create_connection(listener.getsockname()) as peer:\n  \
          for i in range(20):\n    \
            for half in (b'a', b'b'): peer.sendall(half)\n    \
            peer.recv(2, socket.MSG_WAITALL)";
    let mut tracked =
        Tracked::start(Command::new("python3").args(["-c", script]).stdin(Stdio::null()));
    assert!(tracked.end().success());
    assert_eq!(tracked.rests().expect("ended").number, 1, "at rest while bytes were held back");
}
