//! Which calls threads sleep in, for whoever can end those that no hook has seen.

use crate::ProcLook;

impl ProcLook {
    /// How often the thread of slot `index` had been put on a processor when the survey under way found it asleep.
    pub fn asleep_since(&mut self, index: usize) -> Option<u64> {
        Some(self.seen(index)?.1)
    }

    /// The system call that it sleeps in if it has not run since; see [`crate::thread::Files::call`].
    pub fn call(&mut self, index: usize, runs: u64) -> Option<[u64; 9]> {
        self.note(index).files.as_ref()?.call(runs)
    }
}
