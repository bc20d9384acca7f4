//! Who goes on after all commands have ended: because they compute, or because they always have
//! another deadline.

use crate::patience::{ONE_RUNS, duration};
use crate::proc;
use crate::report::messages;
use nix::unistd::Pid;
use std::time::Instant;

/// Watches for a session that goes on after its commands.
#[derive(Default)]
pub struct StillRunning {
    /// All commands have ended by then.
    since: Option<Instant>,
    said: bool,
}

impl StillRunning {
    /// All commands have ended.
    pub fn commands_ended(&mut self) {
        self.since.get_or_insert_with(Instant::now);
    }

    /// When to call [`StillRunning::look`], if it has anything to say.
    pub fn next_look(&self) -> Option<Instant> {
        let quiet = self.said || !messages::is_verbose(1);
        self.since.filter(|_| !quiet).map(|since| since + duration(ONE_RUNS))
    }

    /// Names the processes that go on, once, when the time has come.
    pub fn look(&mut self, living: impl FnOnce() -> Vec<Pid>) {
        if self.next_look().is_none_or(|at| at > Instant::now()) {
            return;
        }
        self.said = true;
        let left = living();
        if !left.is_empty() {
            messages::say(&format!("all commands have ended; still running: {}", names(&left)));
        }
    }
}

/// Names and numbers of processes.
pub fn names(pids: &[Pid]) -> String {
    let name = |pid: &Pid| format!("{} ({pid})", proc::name(pid.as_raw() as u32, 0));
    pids.iter().map(name).collect::<Vec<_>>().join(", ")
}
