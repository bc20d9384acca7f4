//! Traced threads that burn the processor while others wait for an instant. Which calls they make
//! no hook sees, so the tracer is asked to look over their shoulder, less and less often: it costs
//! the thread some tenths of a millisecond.

use crate::patience::{SUSPECT, SUSPECT_FROZEN, SUSPECT_LONGEST};
use crate::region::lock::KEEPER;
use crate::schedule::engine::Engine;
use crate::sync::{Relaxed, SeqCst};
use posix::time::{CpuSpan, NEVER};

/// What the keeper remembers of whom it found running.
#[derive(Default)]
pub struct SpinSuspects {
    slot: Option<usize>,
    /// Jumps by then.
    jumps: u64,
    /// Processor time that it had used when the tracer was last asked, ns.
    burnt: u64,
    patience: CpuSpan,
    /// The thread that the tracer was last asked to look at, and how often the clock had been moved
    /// for those that spin by then.
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
            // Who has shown what it is is soon looked at again.
            let known = slot == self.named.0 && header.creeps.load(Relaxed) != self.named.1;
            let patience = if frozen && !known { SUSPECT_FROZEN } else { SUSPECT };
            *self = SpinSuspects { slot: Some(slot), jumps, burnt, patience, ..*self };
            return;
        }
        if CpuSpan::from_ns(burnt.saturating_sub(self.burnt)) < self.patience {
            return;
        }
        (self.burnt, self.patience) = (burnt, self.patience.times(2).min(SUSPECT_LONGEST));
        // With a clock that runs, a loop goes on by it where nobody waits.
        if frozen || engine.next_waiter(KEEPER).is_some_and(|(_, due)| due != NEVER) {
            self.named = (slot, header.creeps.load(Relaxed));
            header.suspect.store(slot as u32 + 1, SeqCst);
            engine.page.wake_tracer();
        }
    }
}
