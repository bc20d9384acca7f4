//! A session's region, the library to preload, and how a command is started in it.

use crate::budget::Ends;
use crate::cli::{Cli, Clock};
use crate::dates::When;
use crate::join::request::Request;
use crate::library::Library;
use crate::{inherited, program_kind, reach, region};
use engine::programs::elf::Program;
use engine::programs::preload::{Form, Order};
use engine::region::holds::COMMANDS;
use engine::region::sizes::CLOCKS;
use engine::statefile::file::StateFile;
use engine::statefile::open::Name;
use engine::{ClockMode, Engine};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::SigSet;
use posix::clock::REALTIME;
use posix::names::{ASAN_OPTIONS, FLUX, FLUX_OUTSIDE, LD_PRELOAD};
use posix::time::{Instant, Spec};
use std::ffi::{CString, OsStr, OsString};
use std::os::fd::{AsRawFd, IntoRawFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command};
use std::sync::atomic::Ordering::SeqCst;

/// A session: the mapped region and what a program needs to join it.
pub struct Session {
    /// The engine, as the launcher sees it.
    pub engine: Engine,
    /// The library.
    pub library: Library,
    /// As the environment has it.
    pub name: OsString,
    /// The region's file, open as long as the launcher lives: others open it by its path.
    pub region: i32,
    files: (u64, u64),
    mask: SigSet,
    started: u64,
    /// Where the world is told of rest.
    pub statefile: Option<StateFile>,
}

/// Real `CLOCK_MONOTONIC`, ns.
pub fn real_now() -> u64 {
    clock(libc::CLOCK_MONOTONIC).map_or(0, |t| t.sec as u64 * posix::time::SECOND + t.nsec as u64)
}

fn clock(id: libc::clockid_t) -> Option<Spec> {
    let mut ts = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: a valid out-parameter.
    let failed = unsafe { libc::clock_gettime(id, &mut ts) };
    (failed == 0).then_some(Spec { sec: ts.tv_sec, nsec: ts.tv_nsec })
}

/// What to add to monotonic time to get each other clock.
fn bases() -> [Spec; CLOCKS] {
    std::array::from_fn(|id| match (clock(id as libc::clockid_t), clock(libc::CLOCK_MONOTONIC)) {
        (Some(there), Some(here)) if id != libc::CLOCK_MONOTONIC as usize => {
            let (sec, nsec) = (there.sec - here.sec, there.nsec - here.nsec);
            if nsec < 0 {
                Spec { sec: sec - 1, nsec: nsec + 1_000_000_000 }
            } else {
                Spec { sec, nsec }
            }
        }
        _ => Spec { sec: 0, nsec: 0 },
    })
}

/// A command that gets back what the launcher was started with, and `mask` as its signal mask.
pub fn command(words: &[OsString], mask: SigSet) -> Command {
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]);
    // SAFETY: all calls are async-signal-safe.
    unsafe {
        command.pre_exec(move || {
            inherited::restore();
            Ok(mask.thread_set_mask()?)
        });
    }
    command
}

/// Gives the command the library to load, as far as its kind of program can, which is returned.
pub fn preload(command: &mut Command, library: &Path) -> Option<Program> {
    preload_beside(command, library, &std::env::var_os(LD_PRELOAD.text()).unwrap_or_default())
}

/// The same beside what is in its `LD_PRELOAD`.
fn preload_beside(command: &mut Command, library: &Path, theirs: &OsStr) -> Option<Program> {
    let mut list = Vec::new();
    let kind = program_kind::of_command(command.get_program());
    let library = library.as_os_str().as_bytes();
    Form::of(kind).value(library, theirs.as_bytes(), &mut |piece| list.extend_from_slice(piece));
    match list.is_empty() {
        true => command.env_remove(LD_PRELOAD.text()),
        false => command.env(LD_PRELOAD.text(), OsString::from_vec(list)),
    };
    if Order::matters(kind, theirs.as_bytes()) {
        let (theirs, mut options) =
            (std::env::var_os(ASAN_OPTIONS.text()).unwrap_or_default(), Vec::new());
        Order::value(theirs.as_bytes(), &mut |piece| options.extend_from_slice(piece));
        command.env(ASAN_OPTIONS.text(), OsString::from_vec(options));
    }
    kind
}

impl Session {
    /// Makes the region.
    pub fn new(library: Library, cli: &Cli) -> Result<Session, String> {
        let failed =
            |e: &dyn std::fmt::Display| format!("cannot make the session's shared memory: {e}");
        let (file, page) = region::make().map_err(|e| failed(&e))?;
        let pid = std::process::id();
        let mode =
            if cli.clock == Some(Clock::Frozen) { ClockMode::Frozen } else { ClockMode::Elapsed };
        let started = real_now();
        page.init(mode, started, &bases(), pid, cli.verbose as u32);
        if mode == ClockMode::Frozen {
            page.header.slack.store(cli.slack, SeqCst);
        }
        page.header.signal.store(cli.signal as u32, SeqCst);
        page.header.trace.store(cli.trace.level() as u32, SeqCst);
        let clocks = (0..CLOCKS).filter(|&id| clock(id as libc::clockid_t).is_some());
        page.header.clocks.store(clocks.fold(0, |set, id| set | 1 << id), SeqCst);
        let path = format!("/proc/{pid}/fd/{}", file.as_raw_fd());
        let id = region::random().map_err(|e| failed(&e))?;
        page.header.id.store(id, SeqCst);
        // In a PID namespace /proc may still be another's, and the number a stranger's there.
        let reached = std::fs::metadata(&path).is_ok_and(|found| {
            file.metadata().is_ok_and(|own| (found.dev(), found.ino()) == (own.dev(), own.ino()))
        });
        if !reached {
            return Err(
                "/proc does not show this process; mount one (in a PID namespace its own: \
                        unshare --mount-proc)"
                    .to_owned(),
            );
        }
        let reach = reach::session(pid, Some(cli.signal));
        let descriptor = file.into_raw_fd();
        // The launcher blocks the signals that it reads from a descriptor; the commands get the
        // mask that the launcher was given.
        let mask = SigSet::thread_get_mask().map_err(|e| failed(&e))?;
        let files = getrlimit(Resource::RLIMIT_NOFILE).map_err(|e| failed(&e))?;
        // Looking at many threads takes many descriptors; the commands get the limit back.
        let _ = setrlimit(Resource::RLIMIT_NOFILE, files.1, files.1);
        Ok(Session {
            engine: Engine { page, pid, real_now, process: std::process::id, reach },
            library,
            name: region::name(&path, id),
            region: descriptor,
            files,
            mask,
            started,
            statefile: None,
        })
    }

    /// Sets the time of day to `--start`, before anybody can have read it. Says when the session
    /// ends (`--until`).
    pub fn calendar(&self, cli: &Cli) -> Result<Option<Ends>, String> {
        const SECOND: i64 = 1_000_000_000;
        let h = &self.engine.page.header;
        let base = REALTIME as usize;
        let real = h.base_sec[base].load(SeqCst) * SECOND
            + h.base_nsec[base].load(SeqCst)
            + self.started as i64;
        let outside = |option| format!("{option}: the clock reads dates from 1970 to 2262");
        let start = match &cli.start {
            None => real,
            Some(when) => when.ns(real).ok_or_else(|| outside("--start"))?,
        };
        h.realtime_shift.store(start - real, SeqCst);
        let Some(until) = &cli.until else { return Ok(None) };
        let end = until.ns(start).ok_or_else(|| outside("--until"))?;
        if end <= start {
            return Err("--until: the session would end before it starts".to_owned());
        }
        Ok(Some(match until {
            When::From(_) => {
                Ends::At(Instant::from_ns(self.started.saturating_add((end - start) as u64)))
            }
            When::At(_) => Ends::Reads(Spec { sec: end / SECOND, nsec: end % SECOND }),
        }))
    }

    /// Shows in `file` whether the session is busy, from now on.
    pub fn track(&mut self, file: &Path) -> Result<(), String> {
        let bad = |reason: &str| format!("cannot use {} as state file: {reason}", file.display());
        let path =
            CString::new(file.as_os_str().as_bytes()).map_err(|_| bad("there is no such file"))?;
        let state =
            StateFile::open(&path, Name::Given, crate::report::messages::say).map_err(bad)?;
        let serial = state.read().ok_or_else(|| bad("it is no state file"))?;
        self.engine.page.track(state, serial);
        self.statefile = Some(state);
        Ok(())
    }

    /// Starts a command; busy until it has joined.
    pub fn start(&self, words: &[OsString], nth: u64) -> std::io::Result<Child> {
        let mut command = command(words, self.mask);
        let kind = preload(&mut command, self.library.path());
        self.spawn(command, kind, nth)
    }

    /// Starts the command of somebody outside, with what that one has handed over.
    pub fn start_guest(&self, request: Request, nth: u64) -> std::io::Result<Child> {
        let mut words = request.words;
        let name = std::mem::replace(&mut words[0], request.program);
        let mut command = command(&words, self.mask);
        command.arg0(name).env_clear();
        let mut theirs = OsString::new();
        for entry in request.environment {
            let mut parts = entry.as_bytes().splitn(2, |&byte| byte == b'=').map(OsStr::from_bytes);
            let (name, value) = (parts.next(), parts.next());
            if name == Some(OsStr::new(LD_PRELOAD.text())) {
                theirs = value.unwrap_or_default().to_owned();
            } else if let (Some(name), Some(value)) = (name.filter(|name| !name.is_empty()), value)
            {
                command.env(name, value);
            }
        }
        let [input, output, error, folder] = request
            .descriptors
            .try_into()
            .map_err(|_| std::io::Error::from(std::io::ErrorKind::InvalidData))?;
        command.stdin(input).stdout(output).stderr(error);
        // SAFETY: fchdir(2) and setsid(2) are async-signal-safe.
        unsafe {
            command.pre_exec(move || {
                nix::unistd::fchdir(&folder)?;
                // Its terminal is not that of this process.
                nix::unistd::setsid()?;
                Ok(())
            });
        }
        let kind = preload_beside(&mut command, self.library.path(), &theirs);
        let page = self.engine.page;
        let held = page.header.hold.load(SeqCst) & COMMANDS != 0;
        page.hold_commands(true);
        let child = self.spawn(command, kind, nth);
        page.hold_commands(held);
        self.engine.kick_keeper();
        child
    }

    /// Starts a command that is prepared but for the session's variables.
    fn spawn(
        &self,
        mut command: Command,
        kind: Option<Program>,
        nth: u64,
    ) -> std::io::Result<Child> {
        let page = self.engine.page;
        // Before all of its threads but those of the library, see `libflux/src/timer_thread.rs`.
        let credit = page.credit(self.engine.pid, (nth + 1) << 48);
        command.env_remove(FLUX_OUTSIDE.text());
        command.env(FLUX.session.text(), &self.name).env(FLUX.library.text(), self.library.path());
        if let Some(credit) = credit {
            command.env(FLUX.slot.text(), credit.word().to_string());
        }
        let files = self.files;
        // SAFETY: setrlimit(2) is async-signal-safe.
        unsafe {
            command.pre_exec(move || Ok(setrlimit(Resource::RLIMIT_NOFILE, files.0, files.1)?))
        };
        if let (Some(credit), true) =
            (credit, kind.is_some_and(|kind| self.engine.to_be_traced(kind)))
        {
            let engine = self.engine;
            // SAFETY: atomics and system calls.
            unsafe {
                command.pre_exec(move || {
                    // When the tracer does not come, the program runs in real time.
                    engine.ask_for_program(credit.index(), std::process::id());
                    Ok(())
                });
            }
        }
        let child = command.spawn();
        if let Some(credit) = credit {
            match &child {
                Ok(child) => page.place(credit, child.id()),
                Err(_) => page.release(credit.index()),
            }
        }
        child
    }

    /// Real and virtual ns since the start, and jumps made.
    pub fn passed(&self) -> (u64, u64, u64) {
        let h = &self.engine.page.header;
        let real = real_now() - self.started;
        (real, self.engine.now() - self.started, h.jumps.load(SeqCst))
    }
}
