//! What a decider asks about threads whose state words do not tell enough.

use crate::region::layout::Page;
use crate::region::state::State;
use crate::schedule::busy::Busy;
use crate::schedule::next::Key;
use crate::statefile::file::StateFile;
use posix::time::NEVER;

/// How to find out whether a thread in a kernel wait sleeps.
pub trait Look {
    /// First look at slot `index`, seen in state `seen`, which is not at rest by its word alone.
    fn first(&mut self, page: &Page, index: usize, seen: State) -> Found;
    /// The thread was asleep at [`Look::first`]. Has it not run since?
    fn confirm(&mut self, page: &Page, index: usize, seen: State) -> bool;
    /// A signal was sent: must the look include parked threads?
    fn parked_too(&self) -> bool {
        false
    }
    /// The thread of slot `index` is forced busy. Has it in truth ended, and was its slot given
    /// back?
    fn ended(&mut self, _page: &Page, _index: usize) -> bool {
        false
    }
    /// All were found blocked. Does the kernel work for one of them, of what the bits of
    /// [`crate::region::holds`] stand for? A look that cannot tell leaves it to the keeper.
    fn in_flight(&mut self, _page: &Page, _holds: u32) -> Result<(), Busy> {
        Err(Busy::InKernel)
    }
    /// The survey has found work of the kernel under way. For how much real time has it been so
    /// that was not asked for before, ns?
    fn in_flight_for(&mut self, _real: u64) -> u64 {
        0
    }
    /// The named hold of `index` has not been released. Does its owner still hold it?
    fn holds_on(&mut self, _page: &Page, _index: usize) -> bool {
        true
    }
    /// The state file, for a decider that may release its lock.
    fn state_file(&self) -> Option<StateFile> {
        None
    }
    /// Is a thread asleep whose waking no hook will report?
    fn watches(&self) -> bool {
        false
    }
    /// All were found at rest. False if a thread among them rechecks periodically, and has not done
    /// so since the others came to rest.
    fn at_rest(&mut self, _page: &Page) -> bool {
        true
    }
    /// The earliest deadline among the unhooked waits of the current survey: no slot holds it, and
    /// this decider alone knows it. As long as there are any such waits, the survey has found a
    /// thread asleep that no other decider can look at, so nobody else jumps.
    fn unhooked(&mut self, _page: &Page) -> Option<Key> {
        None
    }
    /// Ends the unhooked waits that are due at virtual `now`. Returns the earliest deadline left.
    fn end_unhooked(&mut self, _page: &Page, _now: u64) -> u64 {
        NEVER
    }
    /// A number that changes when the thread of slot `index` has slept.
    fn slept(&mut self, _page: &Page, _index: usize) -> u32 {
        0
    }
    /// Processor time that all processes of the session have used, with that of the children that
    /// they have collected, ns.
    fn used(&mut self, _page: &Page) -> u64 {
        0
    }
    /// Processor time that the thread of slot `index` has used, ns.
    fn burnt(&mut self, _page: &Page, _index: usize) -> Option<u64> {
        None
    }
}

/// What a look found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Found {
    /// Asleep.
    Asleep,
    /// Running, or on its way to sleep.
    Running,
    /// The look changed something (a dead thread's slot was given back): survey again, after the
    /// other slots have been looked at.
    Changed,
    /// This decider cannot look; the keeper can.
    Unknown,
}

/// The look of the threads themselves: they look at nothing. Kernel waits are the keeper's.
pub struct NoLook;

impl Look for NoLook {
    fn first(&mut self, _: &Page, _: usize, seen: State) -> Found {
        if seen.busy() { Found::Running } else { Found::Unknown }
    }
    fn confirm(&mut self, _: &Page, _: usize, _: State) -> bool {
        false
    }
}
