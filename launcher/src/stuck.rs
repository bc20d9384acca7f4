//! The report that nobody can move: who waits for what.

use crate::{proc, report};
use engine::{Kind, Page, What};
use std::sync::atomic::Ordering::SeqCst;
use std::time::{Duration, Instant};

/// Everybody has to be at rest for this long, real time: somebody outside may be about to wake them.
const PATIENCE: Duration = Duration::from_secs(1);
/// Threads named.
const NAMED: usize = 16;

/// Watches for rest that does not end.
#[derive(Default)]
pub struct Stuck {
    since: Option<Instant>,
    said: bool,
}

impl Stuck {
    /// Everybody is blocked and nobody has a deadline (or not, any more) while commands run. Says so once.
    pub fn rests(&mut self, rests: bool, page: &Page) {
        if !rests {
            self.since = None;
        } else if !self.said && self.since.get_or_insert_with(Instant::now).elapsed() >= PATIENCE {
            self.said = true;
            report::verbose(1, || format!("nobody can move: {}", waits(page)));
        }
    }
}

fn waits(page: &Page) -> String {
    let waiting = |kind| matches!(kind, Kind::Parked | Kind::Kernel | Kind::Ending | Kind::Leaving | Kind::Foreign);
    let slots = || {
        let program = page.slots[..page.high()].iter().filter(|slot| !slot.is_for(What::Timer));
        program.filter(|slot| waiting(slot.state.load().kind()))
    };
    let line = |slot: &engine::slots::Slot| {
        let (pid, tid) = (slot.pid.load(SeqCst), slot.tid.load(SeqCst));
        let tid = if tid == 0 { pid } else { tid };
        let what = match slot.state.load().kind() {
            Kind::Parked | Kind::Kernel => What::describe(slot.what.load(SeqCst)),
            Kind::Ending | Kind::Leaving => "its own end",
            _ => "a system call",
        };
        format!("{} ({pid}/{tid}) waits for {what}", proc::name(pid, tid))
    };
    let mut lines: Vec<String> = slots().take(NAMED).map(line).collect();
    match slots().count().saturating_sub(NAMED) {
        0 => {}
        n => lines.push(format!("and {n} more")),
    }
    lines.join(", ")
}
