//! Instants that have come, for tracees that are looked at ([`crate::tracer::spin::spinners`]): who finds nothing
//! and reads a frozen clock, equally often each time, sees it move on; see the hooks' `spin.rs`,
//! whose rule this is.

use crate::tracer::event_loop::Tracer;
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

impl Tracer {
    /// A call of the thread has found nothing.
    pub(in crate::tracer) fn asks_for_instant(&mut self, tid: pid_t) {
        if !self.engine.frozen() {
            return;
        }
        let Some(thread) = self.threads.get_mut(&tid) else { return };
        let space = self.processes.get(&thread.process).and_then(|process| process.space);
        let counter: u32 =
            space.and_then(|space| Memory(tid).read(space.counter).ok()).unwrap_or(0);
        let (Some(asks), Some(me)) = (&mut thread.asks, thread.slot) else { return };
        let instants = &mut asks.instants;
        let reads = counter.wrapping_sub(std::mem::replace(&mut instants.counter, counter));
        let reads = reads.wrapping_add(std::mem::take(&mut instants.reads));
        let now = (reads, self.engine.page.header.jumps.load(Relaxed));
        if std::mem::replace(&mut instants.last, now) != now || reads == 0 {
            instants.rounds = 0;
            return;
        }
        instants.rounds += 1;
        if instants.rounds == ROUNDS && !self.engine.pass_instant(me) {
            // To be tried again in the next round.
            instants.rounds -= 1;
        }
    }
}
