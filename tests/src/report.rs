//! What the reader of a test run must hear of although no test failed: tests that were not made,
//! and native runs that were repeated.
//!
//! Each is one line on the real standard error, which cargo's capture of a test's output does not
//! swallow. `.ci/run` lists them at its end.

use std::io::Write;
use std::process::Command;

/// The test that calls this, or the named part of it, is not made here: `if not_root("…") { return;
/// }`.
///
/// In CI (`CI=true`) that is a failure, because `.ci/run` runs the tests as root there.
#[track_caller]
pub fn not_root(part: &str) -> bool {
    // SAFETY: geteuid(2) has no arguments and touches no memory.
    let root = unsafe { libc::geteuid() } == 0;
    if !root {
        skipped(part, "not root");
        assert!(!in_ci(), "in CI the tests run as root");
    }
    !root
}

/// Is the command missing? Then this says so, as [`not_root`] does; in CI it is a failure, because
/// `.ci/run` installs it.
#[track_caller]
pub fn without(command: &str) -> bool {
    let found = Command::new("sh")
        .args(["-c", "command -v \"$0\" >/dev/null", command])
        .status()
        .is_ok_and(|status| status.success());
    if !found {
        skipped("", &format!("{command} is not installed"));
        assert!(!in_ci(), "{command} is not installed, and .ci/run installs it");
    }
    !found
}

/// The machine cannot do it, whatever is installed.
pub fn skipped(part: &str, reason: &str) {
    let part = if part.is_empty() { String::new() } else { format!(" ({part})") };
    say(&format!("SKIPPED {}{part}: {reason}", test()));
}

/// A native run was not as expected and is made again.
pub fn retried_natively(what: &str, why: &str) {
    let why = why.lines().next().unwrap_or_default();
    say(&format!("RETRIED {} natively, {what}: {why}", test()));
}

/// The test that calls this: `file::name`.
fn test() -> String {
    let executable = std::env::current_exe().unwrap_or_default();
    let stem = executable.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    // Cargo adds `-` and a hash.
    let file = stem.rsplit_once('-').map_or(&*stem, |(file, _)| file);
    let thread = std::thread::current();
    format!("{file}::{}", thread.name().unwrap_or("?"))
}

fn in_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| value == "true")
}

fn say(line: &str) {
    // One write: lines of test processes and threads do not mix. `eprintln` would be captured.
    let _ = std::io::stderr().write_all(format!("{line}\n").as_bytes());
}
