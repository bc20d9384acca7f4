//! The state file of libidle.so: locked while the program is busy, free with a new number when it has come to rest.

use flux_tests::{Guest, artifacts};
use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A folder for one test.
fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("flux-statefile-{}-{name}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    folder
}

fn start(state: &Path, program: impl AsRef<std::ffi::OsStr>) -> Child {
    let mut command = Command::new(program);
    command.env("LD_PRELOAD", &artifacts().libidle).env("LIBIDLE_STATEFILE", state);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it starts")
}

/// Waits for the lock, and reads the number under it.
fn rest(state: &Path) -> u64 {
    let mut file = File::open(state).expect("a state file");
    // SAFETY: an open descriptor.
    assert_eq!(unsafe { libc::flock(file.as_raw_fd(), libc::LOCK_EX) }, 0);
    let mut text = String::new();
    file.read_to_string(&mut text).expect("a number");
    text.strip_suffix('\n').and_then(|number| number.parse().ok()).unwrap_or_else(|| panic!("{text:?}"))
}

#[test]
fn each_request_is_a_busy_period() {
    let folder = folder("requests");
    let state = folder.join("state");
    let mut echo = start(&state, Guest::new("statefile/echo").compile());
    let (mut input, mut output) = (echo.stdin.take().expect("piped"), echo.stdout.take().expect("piped"));
    let mut byte = [0];
    // Its first answer says that it has started.
    input.write_all(b"x").expect("it reads");
    output.read_exact(&mut byte).expect("it answers");
    let mut number = rest(&state);
    for _ in 0..1000 {
        input.write_all(b"x").expect("it reads");
        output.read_exact(&mut byte).expect("it answers");
        let now = rest(&state);
        assert_eq!(now, number + 1, "one more for each request");
        number = now;
    }
    drop(input);
    assert!(echo.wait().expect("our child").success());
    assert_eq!(rest(&state), number + 1, "the end of its input is the last thing that it hears");
    fs::remove_dir_all(folder).expect("ours");
}
