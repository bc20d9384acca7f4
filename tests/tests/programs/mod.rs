//! Real programs, natively and under flux: what the `programs_*.rs` tests share.
//!
//! A program is `tests/programs/LANGUAGE/…` and takes `CASE UNIT SLACK`: what to do, the length of
//! a unit of waiting in seconds, and how late a wait may end. It looks at its own clocks and prints
//! whole units (`python/units.py` says how), so with a fraction of a second natively and an hour
//! under flux it must print the same.

// Each test file takes what it needs.
#![allow(dead_code, unused_macros)]

use flux_tests::{Mode, Outcome, Run, report, target_dir, workspace_root};
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// A unit natively.
const NATIVE_UNIT: f64 = 0.3;
/// How late a native wait may be. It says nothing about flux, and a machine that is compiling
/// something is slow.
const NATIVE_SLACK: f64 = 10.0;
/// A busy machine can make a native run too late for its own time-outs; under flux there is no such
/// thing as bad luck.
const NATIVE_ATTEMPTS: u32 = 3;
/// In elapsed mode a program's work takes the time it takes; hours of waiting must not show.
const ELAPSED_SLACK: f64 = 20.0;
/// In frozen mode work takes none. What is left is rounding (Node and poll count milliseconds), and
/// the clock that creeps while a runtime spins on it.
const FROZEN_SLACK: f64 = 0.02;

/// The path of a file under `tests/programs/`.
pub fn path(file: &str) -> String {
    let path = workspace_root().join("tests/programs").join(file);
    assert!(path.exists(), "{} is missing", path.display());
    path.into_os_string().into_string().expect("UTF-8")
}

/// The Python interpreter itself: version managers put a shell script in front of it that takes
/// longer than the test.
pub fn python() -> String {
    static PYTHON: OnceLock<String> = OnceLock::new();
    PYTHON
        .get_or_init(|| {
            let output = Command::new("python3")
                .args(["-c", "import sys; print(sys.executable, end='')"])
                .output()
                .expect("python3 is installed");
            String::from_utf8(output.stdout).expect("UTF-8")
        })
        .clone()
}

/// Builds `tests/programs/go/NAME.go`; with `cgo` it is linked dynamically if a package of it has
/// code in C then.
pub fn go(name: &str, cgo: bool) -> PathBuf {
    let cgo = if cgo { "1" } else { "0" };
    let program = target_dir().join(format!("go-{name}-cgo{cgo}"));
    let output = Command::new("go")
        .args(["build", "-o"])
        .arg(&program)
        .arg(path(&format!("go/{name}.go")))
        .env("CGO_ENABLED", cgo)
        .env("GO111MODULE", "off")
        .env("GOCACHE", target_dir().join("go-cache"))
        .output()
        .expect("go is installed");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    program
}

/// A folder of the test's own, removed when it is done.
pub struct Scratch(PathBuf);

impl Scratch {
    /// Makes it.
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("flux-test-{}-{count}", std::process::id());
        let dir = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&dir).expect("a folder for temporary files");
        Scratch(dir)
    }

    /// The path of a file in it.
    pub fn file(&self, name: &str) -> String {
        let path = self.0.join(name);
        path.into_os_string().into_string().expect("UTF-8")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// One case of one program, and how long it waits.
pub struct Waits {
    command: Vec<String>,
    case: String,
    units: f64,
    unit: f64,
}

impl Waits {
    /// `command` is all that comes before `CASE UNIT SLACK`. `units` is how many units of waiting
    /// must pass, one after the other: natively it must really take that long.
    pub fn new(command: &[String], case: &str, units: f64) -> Self {
        Waits { command: command.to_vec(), case: case.to_owned(), units, unit: 3600.0 }
    }

    /// Another unit under flux than an hour.
    pub fn unit(mut self, seconds: f64) -> Self {
        self.unit = seconds;
        self
    }

    fn run(&self, mode: Mode, unit: f64, slack: f64) -> Outcome {
        let run = Run::new(&self.command[0]);
        let run = if mode == Mode::Native { run.before_others() } else { run };
        run.args(&self.command[1..])
            .args([self.case.clone(), unit.to_string(), slack.to_string()])
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .mode(mode)
            .run()
    }

    /// Runs it natively, then in both modes of the clock, and compares.
    pub fn check(&self) {
        let mut native = self.run(Mode::Native, NATIVE_UNIT, NATIVE_SLACK);
        for _ in 1..NATIVE_ATTEMPTS {
            if !in_time(&native) {
                report::retried_natively(&self.case, &native.stdout.replace('\n', "; "));
                native = self.run(Mode::Native, NATIVE_UNIT, NATIVE_SLACK);
            }
        }
        assert!(in_time(&native), "natively: {native}");
        assert!(
            native.took >= Duration::from_secs_f64(self.units * NATIVE_UNIT),
            "it does not wait natively, so it proves nothing: {native}"
        );
        if std::env::var_os("FLUX_TESTS_NATIVE_ONLY").is_some() {
            return;
        }
        for (mode, slack) in [(Mode::Elapsed, ELAPSED_SLACK), (Mode::Frozen, FROZEN_SLACK)] {
            let outcome = self.run(mode, self.unit, slack);
            assert!(
                outcome.status.success() && outcome.stdout == native.stdout,
                "{mode:?}: natively it printed\n{}but {outcome}",
                native.stdout
            );
        }
    }
}

/// All measured lines say so, and there is at least one.
fn in_time(outcome: &Outcome) -> bool {
    let measured = || outcome.stdout.lines().filter(|line| line.contains(" units, "));
    outcome.status.success()
        && measured().count() > 0
        && measured().all(|line| line.ends_with(", in time"))
}

/// One test for each case of a program: `test_name: "case" waits 3.0;`, then methods of [`Waits`].
macro_rules! waits {
    ($command:expr;
     $($name:ident: $case:literal waits $units:literal $(.$option:ident($value:expr))*;)*) => {
        $(
            #[test]
            fn $name() {
                programs::Waits::new(&$command, $case, $units)$(.$option($value))*.check();
            }
        )*
    };
}
