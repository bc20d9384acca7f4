//! Instants that have come, for tracees that are watched ([`super::observe`]): a thread that finds
//! nothing and reads a frozen clock, equally often each time, sees it move on; see the hooks'
//! `spin.rs`, whose rule this is.

use crate::tracer::policy::thread::Thread;
use crate::tracer::policy::tracees::Tracees;
use crate::tracer::ptrace::memory::Memory;
use libc::pid_t;
use std::sync::atomic::Ordering::Relaxed;

/// As in the hooks.
const ROUNDS: u32 = 4;

/// What a thread has asked of an instant.
#[derive(Default)]
pub struct Instants {
    /// Reads that have stopped since a call last found nothing.
    pub reads: u32,
    /// Reads of its process that did not stop, by then.
    counter: u32,
    /// Reads between the last two such calls, and jumps.
    last: (u32, u64),
    /// How often in turn it has been the same.
    rounds: u32,
}

impl Instants {
    /// A call of the thread has found nothing.
    pub(super) fn found_nothing(&mut self, tracees: &Tracees, tid: pid_t, thread: &Thread) {
        let engine = tracees.engine;
        let Some(me) = thread.slot.filter(|_| engine.frozen()) else { return };
        let space = tracees.processes.get(&thread.process).and_then(|process| process.space);
        let counter: u32 =
            space.and_then(|space| Memory(tid).read(space.counter).ok()).unwrap_or(0);
        let reads = counter.wrapping_sub(std::mem::replace(&mut self.counter, counter));
        let reads = reads.wrapping_add(std::mem::take(&mut self.reads));
        let now = (reads, engine.page.header.jumps.load(Relaxed));
        if std::mem::replace(&mut self.last, now) != now || reads == 0 {
            self.rounds = 0;
            return;
        }
        self.rounds += 1;
        if self.rounds == ROUNDS && !engine.pass_instant(me) {
            // To be tried again in the next round.
            self.rounds -= 1;
        }
    }
}
