//! What the reader of a test run must hear of although no test failed: tests that were not made,
//! and native runs that were repeated.
//!
//! Each is one line on the real standard error, which cargo's capture of a test's output does not
//! swallow. `.ci/run` lists them at its end.

use std::io::Write;
use std::process::Output;

/// Is this not root? Then it says that the test that calls it, or the named part of it, is skipped.
///
/// In CI (`CI=true`) that is a failure, because `.ci/run` runs the tests as root there. A tool that
/// is missing is a failure everywhere, because `.ci/run` names the package.
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

/// The machine does not allow what a command was to do; always true. In CI it does.
#[track_caller]
pub fn not_allowed(what: &str, output: &Output) -> bool {
    let said = String::from_utf8_lossy(&output.stderr);
    skipped(what, said.lines().next().unwrap_or("it failed"));
    assert!(!in_ci(), "in CI this is allowed: {what}: {said}");
    true
}

fn skipped(part: &str, reason: &str) {
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
