//! One run of one command, with an end in real time whatever happens.

use crate::artifacts::artifacts;
use crate::process_tree;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io::{Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// With or without the thing under test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// As anybody would run it.
    Native,
    /// `flux-launch`, whose clock runs on while code runs.
    Elapsed,
    /// `flux-launch --clock=frozen`.
    Frozen,
}

/// What to run; see the crate's page for an example.
#[derive(Clone, Debug)]
pub struct Run {
    program: OsString,
    args: Vec<OsString>,
    mode: Mode,
    flux_options: Vec<OsString>,
    envs: Vec<(OsString, Option<OsString>)>,
    stdin: Option<Vec<u8>>,
    cwd: Option<PathBuf>,
    within: Duration,
    before_others: bool,
}

/// What a command that ended has left.
#[derive(Debug)]
pub struct Outcome {
    /// All it wrote to its standard output.
    pub stdout: String,
    /// All it wrote to its standard error.
    pub stderr: String,
    /// Its exit status, or flux-launch's.
    pub status: ExitStatus,
    /// Real time from start to exit.
    pub took: Duration,
    command: String,
}

/// What is known of a command that had to be killed.
#[derive(Debug)]
pub struct TimedOut {
    /// The command line.
    pub command: String,
    /// How long it was waited for.
    pub bound: Duration,
    /// What it had written to its standard output.
    pub stdout: String,
    /// What it had written to its standard error.
    pub stderr: String,
    /// Its threads and what each was doing, just before the end.
    pub threads: String,
}

impl Run {
    /// A command by its path, or by its name in PATH.
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        Run {
            program: program.as_ref().to_owned(),
            args: Vec::new(),
            mode: Mode::Native,
            flux_options: Vec::new(),
            envs: Vec::new(),
            stdin: None,
            cwd: None,
            within: Duration::from_secs(60),
            before_others: false,
        }
    }

    /// flux-launch itself, with whatever arguments the test adds.
    pub fn launcher() -> Self {
        Run::new(&artifacts().launcher)
    }

    /// Natively or under flux.
    pub fn mode(mut self, mode: Mode) -> Self {
        self.mode = mode;
        self
    }

    /// One more argument.
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    /// More arguments.
    pub fn args<A: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// An option of flux-launch; without effect on a native run.
    pub fn flux_option(mut self, option: impl AsRef<OsStr>) -> Self {
        self.flux_options.push(option.as_ref().to_owned());
        self
    }

    /// Sets a variable of its environment.
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.envs.push((name.as_ref().to_owned(), Some(value.as_ref().to_owned())));
        self
    }

    /// Removes a variable from its environment.
    pub fn env_remove(mut self, name: impl AsRef<OsStr>) -> Self {
        self.envs.push((name.as_ref().to_owned(), None));
        self
    }

    /// What it reads from its standard input, through a pipe.
    pub fn stdin(mut self, text: impl AsRef<[u8]>) -> Self {
        self.stdin = Some(text.as_ref().to_owned());
        self
    }

    /// The folder it starts in.
    pub fn cwd(mut self, dir: impl AsRef<Path>) -> Self {
        self.cwd = Some(dir.as_ref().to_owned());
        self
    }

    /// The bound in real time.
    pub fn within(mut self, bound: Duration) -> Self {
        self.within = bound;
        self
    }

    /// It gets the processor before whatever else the machine does, where that is allowed: for what
    /// is measured in real time.
    pub fn before_others(mut self) -> Self {
        self.before_others = true;
        self
    }

    fn command(&self) -> Command {
        let mut command = match self.mode {
            Mode::Native => Command::new(&self.program),
            Mode::Elapsed | Mode::Frozen => {
                let mut command = Command::new(&artifacts().launcher);
                if self.mode == Mode::Frozen {
                    command.arg("--clock=frozen");
                }
                command.args(&self.flux_options).arg("--").arg(&self.program);
                command
            }
        };
        command.args(&self.args);
        // A preload of whoever runs the tests, a language or a time zone must not decide what a
        // guest prints.
        command.env_remove("LD_PRELOAD").env("LC_ALL", "C").env("TZ", "UTC");
        for (name, value) in &self.envs {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        if let Some(dir) = &self.cwd {
            command.current_dir(dir);
        }
        // A group of its own, so that signals for the run never reach the test.
        command.process_group(0);
        if self.before_others {
            // SAFETY: setpriority(2) is a plain system call.
            unsafe {
                command.pre_exec(|| {
                    libc::setpriority(libc::PRIO_PROCESS, 0, -20);
                    Ok(())
                });
            }
        }
        command.stdin(if self.stdin.is_some() { Stdio::piped() } else { Stdio::null() });
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs it to its end; the test fails when it needs longer than the bound.
    #[track_caller]
    pub fn run(&self) -> Outcome {
        match self.try_run() {
            Ok(outcome) => outcome,
            Err(late) => panic!("{late}"),
        }
    }

    /// Runs it to its end, or kills it when the bound is over.
    pub fn try_run(&self) -> Result<Outcome, TimedOut> {
        let mut command = self.command();
        let shown = format!("{command:?}").replace('"', "");
        let start = Instant::now();
        let mut child = command.spawn().unwrap_or_else(|e| panic!("{shown}: {e}"));
        let pid = child.id();
        if let (Some(text), Some(mut pipe)) = (self.stdin.clone(), child.stdin.take()) {
            // A thread: the command may write more than a pipe holds before it reads. One that
            // never reads is no error.
            thread::spawn(move || pipe.write_all(&text));
        }

        // Three things must happen before the bound: both ends of file, and the exit.
        let (done, events) = channel();
        let stdout = collect(child.stdout.take().expect("piped"), done.clone());
        let stderr = collect(child.stderr.take().expect("piped"), done.clone());
        thread::spawn(move || {
            let status = child.wait().expect("wait for the command");
            let _ = done.send(Event::Exit(status, start.elapsed()));
        });
        let mut exit = None;
        let mut open = 2;
        while open > 0 || exit.is_none() {
            match events.recv_timeout(self.within.saturating_sub(start.elapsed())) {
                Ok(Event::EndOfFile) => open -= 1,
                Ok(Event::Exit(status, took)) => exit = Some((status, took)),
                Err(RecvTimeoutError::Timeout) => {
                    let threads = process_tree::describe(pid);
                    process_tree::kill_all(pid);
                    // The pipes may stay open in something that escaped: take what is there.
                    thread::sleep(Duration::from_millis(50));
                    let (stdout, stderr) = (text(&stdout), text(&stderr));
                    return Err(TimedOut {
                        command: shown,
                        bound: self.within,
                        stdout,
                        stderr,
                        threads,
                    });
                }
                Err(RecvTimeoutError::Disconnected) => {
                    unreachable!("each sender sends before it goes")
                }
            }
        }
        // A background process that closed its output may still be there.
        process_tree::kill_group(pid);
        let (status, took) = exit.expect("the loop ends with an exit");
        Ok(Outcome { stdout: text(&stdout), stderr: text(&stderr), status, took, command: shown })
    }
}

enum Event {
    EndOfFile,
    Exit(ExitStatus, Duration),
}

type Collected = Arc<Mutex<Vec<u8>>>;

/// Reads into a buffer that can be looked at before the end.
fn collect(
    mut pipe: impl Read + Send + 'static,
    done: std::sync::mpsc::Sender<Event>,
) -> Collected {
    let collected = Collected::default();
    let sink = collected.clone();
    thread::spawn(move || {
        let mut chunk = [0; 65536];
        loop {
            match pipe.read(&mut chunk) {
                Ok(0) => break,
                Ok(n) => sink.lock().expect("no panic while locked").extend_from_slice(&chunk[..n]),
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
        let _ = done.send(Event::EndOfFile);
    });
    collected
}

fn text(collected: &Collected) -> String {
    String::from_utf8_lossy(&collected.lock().expect("no panic while locked")).into_owned()
}

/// What a guest prints, without how many units each wait took: in real time a busy machine's delays
/// are among them.
pub fn without_units(stdout: &str) -> String {
    let line = |line: &str| match line.rsplit_once(" after ") {
        Some((what, number)) if number.parse::<u64>().is_ok() => what.to_owned(),
        _ => line.to_owned(),
    };
    stdout.lines().map(|text| line(text) + "\n").collect()
}

impl Outcome {
    /// The exit code; 128+n after a death by signal n.
    pub fn code(&self) -> i32 {
        self.status.code().unwrap_or_else(|| 128 + self.status.signal().unwrap_or(0))
    }

    /// Fails, with all that was printed, unless the exit code is 0.
    #[track_caller]
    pub fn assert_success(&self) -> &Self {
        assert!(self.status.success(), "{self}");
        self
    }

    /// Fails, with all that was printed, unless it ended in less than `bound` of real time.
    #[track_caller]
    pub fn assert_took_less(&self, bound: Duration) -> &Self {
        assert!(self.took < bound, "more than {bound:?}: {self}");
        self
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} ended with {} after {:?}", self.command, self.status, self.took)?;
        write!(f, "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr)
    }
}

impl fmt::Display for TimedOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} was still running after {:?}", self.command, self.bound)?;
        write!(
            f,
            "its threads:\n{}stdout so far:\n{}\nstderr so far:\n{}",
            self.threads, self.stdout, self.stderr
        )
    }
}
