//! Traced threads that burn the processor while others wait for an instant. Which calls they make
//! no hook sees, so the tracer is asked to look over their shoulder, less and less often: it costs
//! the thread some tenths of a millisecond.

use crate::region::lock::KEEPER;
use crate::schedule::survey::Engine;
use crate::sync::{Relaxed, SeqCst};
use posix::time::NEVER;

/// Processor time before the tracer is first asked, ns; doubles up to [`LONGEST`].
const PATIENCE: u64 = 10_000_000;
/// The same with a frozen clock: for threads that hand work to each other at one instant no time
/// may pass.
const FROZEN_PATIENCE: u64 = 200_000_000;
/// See [`PATIENCE`].
const LONGEST: u64 = 2_000_000_000;

/// What the keeper remembers of whom it found running.
#[derive(Default)]
pub struct Suspects {
    slot: usize,
    /// Jumps by then.
    jumps: u64,
    /// Processor time that it had used when the tracer was last asked, ns.
    burnt: u64,
    patience: u64,
    /// The thread that the tracer was last asked to look at, and how often the clock had been moved
    /// for those that spin by then.
    named: (usize, u64),
}

impl Suspects {
    /// The traced thread of slot `slot` runs, and has used `burnt` ns of processor time since it
    /// was born.
    pub fn runs(&mut self, engine: &Engine, slot: usize, burnt: u64) {
        let header = &engine.page.header;
        let jumps = header.jumps.load(Relaxed);
        let frozen = engine.frozen();
        if (slot, jumps) != (self.slot, self.jumps) || self.patience == 0 {
            // Who has shown what it is is soon looked at again.
            let known = slot == self.named.0 && header.creeps.load(Relaxed) != self.named.1;
            let patience = if frozen && !known { FROZEN_PATIENCE } else { PATIENCE };
            *self = Suspects { slot, jumps, burnt, patience, ..*self };
            return;
        }
        if burnt.saturating_sub(self.burnt) < self.patience {
            return;
        }
        (self.burnt, self.patience) = (burnt, (self.patience * 2).min(LONGEST));
        // With a clock that runs, a loop goes on by it where nobody waits.
        if frozen || engine.next_waiter(KEEPER).is_some_and(|(_, due)| due != NEVER) {
            self.named = (slot, header.creeps.load(Relaxed));
            header.suspect.store(slot as u32 + 1, SeqCst);
            engine.wake_tracer();
        }
    }
}
