//! The reports that time does not jump: because nobody can move, with what each thread waits for;
//! or because a thread runs for long.

use crate::patience::{NOBODY_MOVES, ONE_RUNS, duration};
use crate::proc;
use crate::report::{holds, messages};
use engine::region::lock::KEEPER;
use engine::region::slot::Slot;
use engine::schedule::busy::Busy;
use engine::{Engine, Kind, Page, WaitKind};
use look::process::descends;
use posix::time::NEVER;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Instant;

/// Threads named.
const NAMED: usize = 16;

/// Watches for rest that does not end, and for a thread that keeps others waiting.
#[derive(Default)]
pub struct StallReport {
    since: Option<Instant>,
    said: bool,
    runs: Option<Runs>,
    said_who_runs: bool,
}

/// A thread that runs, or the kernel's work.
struct Runs {
    slot: Option<usize>,
    since: Instant,
    /// How often the clock had jumped then.
    jumps: u64,
}

impl StallReport {
    /// Everybody is blocked and nobody has a deadline (or not, any more) while commands run. Says
    /// so once.
    pub fn rests(&mut self, rests: bool, page: &Page) {
        self.runs = None;
        if !rests {
            self.since = None;
        } else if !self.said
            && self.since.get_or_insert_with(Instant::now).elapsed() >= duration(NOBODY_MOVES)
        {
            self.said = true;
            messages::verbose(1, || format!("nobody can move: {}", waits(page)));
        }
    }

    /// Somebody is busy. Says once who it is and why, if it has gone on for long with no jump
    /// between and somebody waits for the clock.
    pub fn runs(&mut self, busy: Busy, engine: &Engine) {
        self.since = None;
        if self.said_who_runs || !messages::is_verbose(1) {
            return;
        }
        let slot = busy.slot();
        if slot.is_none() && !matches!(busy, Busy::InFlight(_) | Busy::Holds(_)) {
            return;
        }
        let page = engine.page;
        let jumps = page.header.jumps.load(SeqCst);
        let same = self.runs.take().filter(|runs| (runs.slot, runs.jumps) == (slot, jumps));
        let new = Runs { slot, since: Instant::now(), jumps };
        let runs = self.runs.insert(same.unwrap_or(new));
        if runs.since.elapsed() < duration(ONE_RUNS) {
            return;
        }
        // The question takes the clock's lock. Where nobody waits, it is asked again only after as
        // long a time as before.
        runs.since = Instant::now();
        if engine.next_waiter(KEEPER).is_none_or(|(_, due)| due == NEVER) {
            return;
        }
        self.said_who_runs = true;
        if let Busy::Holds(index) = busy {
            let name = holds::name(page, index);
            return messages::say(&match holds::owner(page, index) {
                Some(pid) => format!(
                    "time does not jump while {} holds the clock: {name}",
                    who(pid, pid, engine.pid)
                ),
                None => format!("time does not jump while somebody holds the clock: {name}"),
            });
        }
        let Some(slot) = slot else {
            return messages::say(&format!(
                "time does not jump while the kernel {}",
                busy.describe()
            ));
        };
        let (pid, tid) = thread(&page.slots[slot]);
        messages::say(&match descends(pid, engine.pid) {
            Err(e) if e.gone() => format!(
                "time does not jump: a thread that has ended counts as running ({pid}/{tid})"
            ),
            _ => format!(
                "time does not jump while {} {}",
                who(pid, tid, engine.pid),
                busy.describe()
            ),
        });
    }
}

/// A frozen clock was moved, or an equal woken, although the thread of `slot` runs.
pub fn rescue(page: &Page, slot: usize) {
    let (pid, tid) = thread(&page.slots[slot]);
    messages::verbose(1, || {
        format!(
            "{} computes while others wait for the clock: it goes on; the run is \
             not repeatable from here",
            who(pid, tid, std::process::id())
        )
    });
}

/// Numbers of a slot's process and thread.
fn thread(slot: &Slot) -> (u32, u32) {
    let (pid, tid) = (slot.pid.load(SeqCst), slot.tid.load(SeqCst));
    (pid, if tid == 0 { pid } else { tid })
}

/// Name and numbers of a thread below `launcher`. In a PID namespace a process knows itself by a
/// number that is a stranger's here.
fn who(pid: u32, tid: u32, launcher: u32) -> String {
    match descends(pid, launcher) {
        Ok(true) => format!("{} ({pid}/{tid})", proc::name(pid, tid)),
        _ => format!("a process that has the number {pid} in a PID namespace"),
    }
}

fn waits(page: &Page) -> String {
    let waiting = |kind| {
        matches!(kind, Kind::Parked | Kind::Kernel | Kind::Ending | Kind::Leaving | Kind::Foreign)
    };
    let slots = || {
        let program = page.slots[..page.high()].iter().filter(|slot| !slot.is_for(WaitKind::Timer));
        program.filter(|slot| waiting(slot.state.load().kind()))
    };
    let line = |slot: &Slot| {
        let (pid, tid) = thread(slot);
        let what = match slot.state.load().kind() {
            Kind::Parked | Kind::Kernel => WaitKind::describe(slot.thread().what.load(SeqCst)),
            Kind::Ending | Kind::Leaving => "its own end",
            _ => "a system call",
        };
        format!("{} waits for {what}", who(pid, tid, std::process::id()))
    };
    let mut lines: Vec<String> = slots().take(NAMED).map(line).collect();
    match slots().count().saturating_sub(NAMED) {
        0 if lines.is_empty() => lines.push("nobody has joined the session".to_owned()),
        0 => {}
        n => lines.push(format!("and {n} more")),
    }
    lines.join(", ")
}
