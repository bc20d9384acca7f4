//! Instants that have come ([`Rounds`]), for tracees that are watched ([`super::observe`]).

use crate::tracer::policy::thread::Thread;
use crate::tracer::policy::tracees::Tracees;
use crate::tracer::ptrace::memory::Memory;
use libc::pid_t;
use posix::spin_rule::Rounds;
use std::sync::atomic::Ordering::Relaxed;

/// What a thread has asked of an instant.
#[derive(Default)]
pub struct Instants {
    /// Reads that have stopped since a call last found nothing.
    pub reads: u32,
    /// Reads of its process that did not stop, by then.
    counter: u32,
    rounds: Rounds,
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
        let jumps = engine.page.header.jumps.load(Relaxed) as u32;
        if self.rounds.found_nothing(reads, jumps) && !engine.pass_instant(me) {
            self.rounds.once_more();
        }
    }
}
