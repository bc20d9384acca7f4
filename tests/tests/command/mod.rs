//! What the tests of the command line share: running flux-launch, and what it says when it refuses.

#![allow(dead_code, reason = "each test file uses a part")]

use flux_tests::{Outcome, Run, artifacts};
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

/// Long for anything that does not wait out its time, also on a busy machine.
pub const REAL: Duration = Duration::from_secs(40);
/// The command line was fine, but no session could be made: the number that env, nohup and timeout
/// use for themselves.
pub const OWN_FAILURE: i32 = 125;

/// Waits for ever, with no deadline and nobody who could wake it.
pub const FOR_EVER: &str = "select undef, undef, undef, undef";

/// A folder of the test's own, removed when it is done.
pub struct Scratch(PathBuf);

impl Scratch {
    pub fn new(name: &str) -> Self {
        let dir = std::env::temp_dir().join(format!("flux-cli-{}-{name}", std::process::id()));
        fs::create_dir_all(&dir).expect("a folder for temporary files");
        Scratch(dir)
    }

    pub fn file(&self, name: &str) -> String {
        self.0.join(name).into_os_string().into_string().expect("UTF-8")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// flux-launch with these arguments.
#[track_caller]
pub fn flux<A: AsRef<std::ffi::OsStr>>(args: impl IntoIterator<Item = A>) -> Outcome {
    Run::launcher().args(args).within(REAL).run()
}

/// A shell script under flux, and the exit status.
#[track_caller]
pub fn code_of(script: &str) -> i32 {
    flux(["--", "bash", "-c", script]).code()
}

/// Bad input is answered with this status, one line that says what is wrong, and nothing else.
#[track_caller]
pub fn assert_refused(outcome: &Outcome, code: i32, words: &[&str]) {
    assert_eq!(outcome.code(), code, "{outcome}");
    assert_eq!(outcome.stderr.lines().count(), 1, "not one line: {outcome}");
    assert!(outcome.stderr.starts_with("flux-launch: "), "{outcome}");
    assert_eq!(outcome.stdout, "", "{outcome}");
    for word in words {
        assert!(outcome.stderr.contains(word), "nothing about {word}: {outcome}");
    }
    assert!(!outcome.stderr.contains("panicked"), "{outcome}");
}

/// May this test do what only root may?
pub fn running_as_root() -> bool {
    // SAFETY: only asks.
    unsafe { libc::geteuid() == 0 }
}

/// Compiles a C program for one test.
pub fn compile(scratch: &Scratch, flags: &[&str], source: &str) -> String {
    compile_with("gcc", scratch, flags, source)
}

/// The same with another compiler.
pub fn compile_with(compiler: &str, scratch: &Scratch, flags: &[&str], source: &str) -> String {
    let (text, program) = (scratch.file("program.c"), scratch.file("program"));
    fs::write(&text, source).expect("written");
    let output = Command::new(compiler)
        .args(flags)
        .args(["-O2", "-o", &program, &text])
        .output()
        .expect("it starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    program
}

/// Sends a process a signal.
#[track_caller]
pub fn signal(pid: u32, number: i32) {
    // SAFETY: kill(2) takes two numbers and touches no memory of ours.
    assert_eq!(unsafe { libc::kill(pid as i32, number) }, 0);
}

/// Waits until the process's state, a letter as in proc(5), is as it should be; there is none where
/// nobody has the number.
#[track_caller]
pub fn await_state(pid: u32, right: impl Fn(Option<char>) -> bool) {
    let start = Instant::now();
    let state = || {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        stat.rsplit(')').next()?.trim_start().chars().next()
    };
    while !right(state()) {
        assert!(start.elapsed() < REAL, "process {pid} is in state {:?}", state());
        thread::sleep(Duration::from_millis(1));
    }
}

/// A session whose one command says when it is ready.
pub struct Session {
    child: Child,
    lines: Receiver<String>,
}

impl Session {
    pub fn start(perl: &str) -> Self {
        Session::start_saying(perl, "ready")
    }

    pub fn start_saying(perl: &str, first: &str) -> Self {
        // What the tests themselves were started with (nohup(1) has SIGHUP ignored) is not to
        // matter.
        let default = "$SIG{$_} = 'DEFAULT' for qw(INT TERM HUP QUIT)";
        let script =
            format!("$| = 1; {default}; {perl}; syswrite STDOUT, qq(ready\\n); {FOR_EVER} while 1");
        let mut child = Command::new(&artifacts().launcher)
            .args(["--", "perl", "-e", &script])
            // Handlers run at once (so what they may interrupt leaves nothing in a buffer). Put
            // off, one that comes just before the wait does not end it, and would never run.
            .env("PERL_SIGNALS", "unsafe")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("flux-launch starts");
        // A thread reads, so that a line that never comes is a failure and not a hanging test.
        let (sender, lines) = channel();
        let stdout = BufReader::new(child.stdout.take().expect("piped"));
        thread::spawn(move || {
            stdout.lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        let session = Session { child, lines };
        session.expect_line(first);
        session
    }

    #[track_caller]
    pub fn expect_line(&self, expected: &str) {
        assert_eq!(self.line(), expected);
    }

    /// What it prints next.
    #[track_caller]
    pub fn line(&self) -> String {
        self.lines.recv_timeout(REAL).unwrap_or_else(|e| panic!("no line: {e}"))
    }

    pub fn signal(&self, number: i32) {
        signal(self.child.id(), number);
    }

    /// Waits until the launcher's state is this letter.
    #[track_caller]
    pub fn await_state(&self, letter: char) {
        await_state(self.child.id(), |state| state == Some(letter));
    }

    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("our child").is_none()
    }

    /// What it still printed and its exit code, 128+n when a signal ended the launcher itself.
    #[track_caller]
    pub fn end(mut self) -> (String, i32) {
        let start = Instant::now();
        while self.is_running() {
            assert!(start.elapsed() < REAL, "the session goes on");
            thread::sleep(Duration::from_millis(10));
        }
        let status = self.child.wait().expect("our child");
        let rest = self.lines.iter().map(|line| line + "\n").collect();
        let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
        (rest, code)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // Where a test failed: twice SIGINT ends a session with all that is in it, and SIGKILL
        // whoever forgot that.
        for signal in [libc::SIGINT, libc::SIGINT, libc::SIGKILL] {
            if self.is_running() {
                self.signal(signal);
                thread::sleep(Duration::from_millis(100));
            }
        }
        let _ = self.child.wait();
    }
}
