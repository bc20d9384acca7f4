//! A session's course: starting the commands, forwarding signals, reaping, ending.

use crate::budget::{Budget, Ends};
use crate::cli::{OWN_FAILURE, TIMED_OUT, USAGE};
use crate::events::Events;
use crate::join::door::Door;
use crate::join::guests::Guests;
use crate::patience::{GRACE, TWICE};
use crate::report::still_running::{StillRunning, names};
use crate::report::{messages, summary};
use crate::session::Session;
use crate::tracer::tracer_process::TracerProcess;
use crate::tracer::{Report, drop_handed_over, hand_over, next_report};
use crate::{keeper_thread, proc, reach, refusal};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::ffi::OsString;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::{Duration, Instant};

/// Forwarded to the commands.
const FORWARDED: [Signal; 4] = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGQUIT];

/// A command and what became of it.
struct Running {
    pid: Pid,
    status: Option<u8>,
}

struct Course<'a> {
    session: Session,
    tracer: Arc<TracerProcess>,
    waiting: &'a [Vec<OsString>],
    started: u64,
    commands: Vec<Running>,
    interrupted: Option<Instant>,
    /// What is being done about processes left over.
    leftovers: Leftovers,
    still_running: StillRunning,
    failure: Option<u8>,
    /// The end of the session, if it has one.
    budget: Option<Budget>,
    /// Commands that have joined.
    guests: Guests,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Leftovers {
    None,
    /// At rest once; they are asked again before they are judged.
    Suspected,
    /// Got SIGTERM, or what the launcher got; have until then to end.
    Asked(Instant),
    Killed,
}

/// Runs the commands to their end; returns the exit status.
pub fn run(
    session: Session,
    ends: Option<Ends>,
    name: Option<&str>,
    commands: &[Vec<OsString>],
) -> u8 {
    // SAFETY: a plain prctl; orphans of the session come to us.
    unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1) };
    let Events { signals, rest, over, knock } = match Events::prepare(&FORWARDED) {
        Ok(events) => events,
        Err(e) => {
            messages::say(&format!("cannot watch for signals: {e}"));
            return OWN_FAILURE;
        }
    };
    let door = match name.map(|name| Door::open(name, Arc::clone(&knock))).transpose() {
        Ok(door) => door,
        Err(text) => {
            messages::say(&text);
            return USAGE;
        }
    };
    // Before its first command has started, a session without anybody in it is not at rest.
    session.engine.page.hold_commands(true);
    let tracer = TracerProcess::new(&session);
    let budget = ends.map(|ends| Budget::begin(&session, ends, Arc::clone(&over))).transpose();
    let started = budget.and_then(|budget| {
        let slot = budget.as_ref().map(|budget| budget.slot);
        keeper_thread::start(&session, Arc::clone(&rest), Arc::clone(&tracer), slot)?;
        Ok(budget)
    });
    let budget = match started {
        Ok(budget) => budget,
        Err(text) => {
            messages::say(&text);
            return OWN_FAILURE;
        }
    };
    let mut course = Course {
        session,
        tracer,
        waiting: commands,
        started: 0,
        commands: vec![],
        interrupted: None,
        leftovers: Leftovers::None,
        still_running: StillRunning::default(),
        failure: None,
        budget,
        guests: Guests::new(door, knock),
    };
    course.start_next();
    while !course.reap() {
        let own = [signals.as_fd(), rest.as_fd(), over.as_fd()];
        let own = own.map(|fd| PollFd::new(fd, PollFlags::POLLIN));
        let mut fds: Vec<_> = own.into_iter().chain(course.guests.descriptors()).collect();
        match poll(&mut fds, course.patience()) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(_) => break,
        }
        if matches!(course.leftovers, Leftovers::Asked(until) if until <= Instant::now()) {
            course.kill_leftovers();
        }
        if matches!(course.leftovers, Leftovers::None | Leftovers::Suspected) {
            let (tracer, still_running) = (course.tracer.pid(), &mut course.still_running);
            still_running.look(|| proc::living(tracer));
        }
        while let Ok(Some(info)) = signals.read_signal() {
            // If the last command was dead when the signal came, the signal is for the processes
            // left over.
            if course.reap() {
                break;
            }
            course.signal(info.ssi_signo as i32, info.ssi_code);
        }
        if rest.read().is_ok() {
            course.at_rest();
        }
        if over.read().is_ok() {
            course.budget_is_over();
        }
        course.guests.look(&course.session, &mut course.started);
    }
    course.tracer.end();
    course.end()
}

impl Course<'_> {
    /// How long to wait for an event.
    fn patience(&self) -> PollTimeout {
        let until = match self.leftovers {
            Leftovers::Asked(until) => Some(until),
            Leftovers::Killed => None,
            _ => self.still_running.next_look(),
        };
        let Some(until) = until else { return PollTimeout::NONE };
        // Not less than what is left: rounded up to whole milliseconds.
        let left = until.saturating_duration_since(Instant::now()) + Duration::from_millis(1);
        PollTimeout::try_from(left).unwrap_or(PollTimeout::ZERO)
    }

    fn over(&self) -> bool {
        let ended = |command: &Running| command.status.is_some();
        self.waiting.is_empty() && self.guests.none() && self.commands.iter().all(ended)
    }

    /// Starts the next command. While more are waiting the clock is held, so that each finds the
    /// one before at rest and no time passed.
    fn start_next(&mut self) {
        let Some((words, later)) = self.waiting.split_first() else { return };
        self.waiting = later;
        let header = &self.session.engine.page.header;
        self.session.engine.page.hold_commands(true);
        header.want_rest.store(0, SeqCst);
        let child = self.session.start(words, self.started);
        // Only now it counts as busy: nobody has seen the session at rest without it.
        header.want_rest.store(!later.is_empty() as u32, SeqCst);
        match child {
            Ok(child) => {
                self.started += 1;
                self.session.engine.page.hold_commands(!later.is_empty());
                messages::verbose(2, || {
                    format!("process {} runs {}", child.id(), words[0].to_string_lossy())
                });
                self.commands.push(Running { pid: Pid::from_raw(child.id() as i32), status: None });
            }
            Err(e) => {
                let (status, text) = refusal::of(words, &e);
                messages::say(&text);
                self.failure = Some(status);
                self.waiting = &[];
                self.session.engine.page.hold_commands(false);
                self.send(&self.living(), Signal::SIGTERM);
            }
        }
        self.session.engine.kick_keeper();
    }

    /// Collects ended processes; true when none is left and nothing is waiting.
    fn reap(&mut self) -> bool {
        loop {
            // Not the tracer, which another thread has started.
            let (pid, status) = match next_report(true) {
                Ok(Some(Report::Ended(pid, status))) => (pid, proc::exit_status(status)),
                // The keeper has interrupted one of our children.
                Ok(Some(Report::Stopped(stopped, event))) => {
                    hand_over(stopped, event);
                    continue;
                }
                Ok(None) => break,
                Err(Errno::ECHILD) if self.waiting.is_empty() => return true,
                Err(Errno::ECHILD) => {
                    self.start_next();
                    continue;
                }
                Err(Errno::EINTR) => continue,
                Err(_) => return true,
            };
            drop_handed_over(pid);
            let pid = Pid::from_raw(pid);
            messages::verbose(3, || format!("process {pid} ended with {status}"));
            if self.guests.ended(pid, status) {
                self.session.engine.kick_keeper();
                continue;
            }
            if let Some(command) =
                self.commands.iter_mut().find(|c| c.pid == pid && c.status.is_none())
            {
                command.status = Some(status);
            }
            self.session.engine.kick_keeper();
        }
        if self.over() && self.leftovers == Leftovers::None {
            self.still_running.commands_ended();
            self.session.engine.page.header.want_rest.store(1, SeqCst);
            self.session.engine.kick_keeper();
        }
        false
    }

    /// Everybody is blocked and nobody has a deadline, or the clock is held.
    fn at_rest(&mut self) {
        if !self.waiting.is_empty() {
            self.start_next();
            return;
        }
        if !self.over() {
            return;
        }
        match self.leftovers {
            // The first answer may have been on its way since before the last command ended.
            Leftovers::None => self.leftovers = Leftovers::Suspected,
            Leftovers::Suspected => {
                let left = self.living();
                self.tell(
                    "all commands have ended; left over and at rest for ever",
                    &left,
                    "sending SIGTERM",
                );
                self.send(&left, Signal::SIGTERM);
                self.asked();
            }
            Leftovers::Asked(_) | Leftovers::Killed => {}
        }
        self.session.engine.kick_keeper();
    }

    /// The budget is over (`--until`): everybody is told to end. What only was left over does not
    /// change the status.
    fn budget_is_over(&mut self) {
        let left = self.living();
        messages::verbose(1, || format!("the time of --until has come; ending: {}", names(&left)));
        self.waiting = &[];
        self.session.engine.page.header.hold.store(0, SeqCst);
        self.send(&left, Signal::SIGTERM);
        if !self.over() {
            self.failure.get_or_insert(TIMED_OUT);
        }
        self.asked();
        self.budget.iter().for_each(Budget::all_are_told);
    }

    /// The processes left over know that they should end.
    fn asked(&mut self) {
        self.leftovers = Leftovers::Asked(Instant::now() + GRACE);
        self.session.engine.page.header.want_rest.store(0, SeqCst);
    }

    fn kill_leftovers(&mut self) {
        self.leftovers = Leftovers::Killed;
        let left = self.living();
        self.tell("still there after being asked to end", &left, "sending SIGKILL");
        self.send(&left, Signal::SIGKILL);
    }

    /// Says what becomes of whom; whoever was left may have ended meanwhile.
    fn tell(&self, what: &str, left: &[Pid], then: &str) {
        if !left.is_empty() {
            messages::verbose(1, || format!("{what}: {}; {then}", names(left)));
        }
    }

    /// A signal to the launcher. A signal from the terminal has reached the commands already: it
    /// goes to the whole foreground process group.
    fn signal(&mut self, number: i32, code: i32) {
        const SI_KERNEL: i32 = 0x80;
        let Some(signal) = FORWARDED.into_iter().find(|&s| s as i32 == number) else { return };
        let before =
            if signal == Signal::SIGINT { self.interrupted.replace(Instant::now()) } else { None };
        if before.is_some_and(|before| before.elapsed() <= TWICE) {
            messages::say("interrupted twice; ending the session");
            self.waiting = &[];
            self.send(&self.living(), Signal::SIGKILL);
        } else if self.over() {
            if code != SI_KERNEL {
                self.send(&self.living(), signal);
            }
            if !matches!(self.leftovers, Leftovers::Asked(_)) {
                self.asked();
            }
        } else if code != SI_KERNEL {
            for command in self.commands.iter().filter(|c| c.status.is_none()) {
                let _ = kill(command.pid, signal);
            }
        }
        let header = &self.session.engine.page.header;
        header.signals_sent.fetch_add(1, SeqCst);
        self.session.engine.kick_keeper();
    }

    fn living(&self) -> Vec<Pid> {
        proc::living(self.tracer.pid())
    }

    fn send(&self, pids: &[Pid], signal: Signal) {
        for &pid in pids {
            reach::send(pid, signal);
        }
        self.session.engine.page.header.signals_sent.fetch_add(1, SeqCst);
        self.session.engine.kick_keeper();
    }

    /// Says how it went; the exit status.
    fn end(&self) -> u8 {
        summary::say(&self.session);
        // That a command could not be started is not to be hidden by how we ended the others.
        self.failure.or(self.commands.iter().filter_map(|c| c.status).max()).unwrap_or(0)
    }
}
