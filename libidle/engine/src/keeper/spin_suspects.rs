//! Traced threads that use the processor while other threads wait for an instant. No hook sees
//! which calls they make, so the keeper asks the tracer to watch them, less and less often: it
//! costs the thread some tenths of a millisecond.

use crate::patience::{SUSPECT, SUSPECT_FROZEN, SUSPECT_LONGEST};
use crate::region::lock::KEEPER;
use crate::schedule::engine::Engine;
use crate::sync::{Relaxed, SeqCst};
use posix::time::{CpuSpan, NEVER};

/// What the keeper remembers of the thread that it last found running.
#[derive(Default)]
pub struct SpinSuspects {
    slot: Option<usize>,
    /// Number of jumps at that time.
    jumps: u64,
    /// Processor time that the thread had used when the keeper last asked the tracer, ns.
    burnt: u64,
    patience: CpuSpan,
    /// The thread that the keeper last named to the tracer, and the number of creeps at that time.
    named: (usize, u64),
}

impl SpinSuspects {
    /// The traced thread of slot `slot` runs, and has used `burnt` ns of processor time since it
    /// was born.
    pub fn runs(&mut self, engine: &Engine, slot: usize, burnt: u64) {
        let header = &engine.page.header;
        let jumps = header.jumps.load(Relaxed);
        let frozen = engine.frozen();
        if (Some(slot), jumps) != (self.slot, self.jumps) {
            // A thread that has spun before is named again soon.
            let known = slot == self.named.0 && header.creeps.load(Relaxed) != self.named.1;
            let patience = if frozen && !known { SUSPECT_FROZEN } else { SUSPECT };
            *self = SpinSuspects { slot: Some(slot), jumps, burnt, patience, ..*self };
            return;
        }
        if CpuSpan::from_ns(burnt.saturating_sub(self.burnt)) < self.patience {
            return;
        }
        (self.burnt, self.patience) = (burnt, self.patience.times(2).min(SUSPECT_LONGEST));
        // With a clock that runs and no waiter, a loop goes on by the clock.
        if frozen || engine.next_waiter(KEEPER).is_some_and(|(_, due)| due != NEVER) {
            self.named = (slot, header.creeps.load(Relaxed));
            header.suspect.store(slot as u32 + 1, SeqCst);
            engine.page.wake_tracer();
        }
    }
}
