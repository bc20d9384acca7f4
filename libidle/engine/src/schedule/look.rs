//! What a decider asks about threads that their words alone do not tell of.

use crate::region::layout::Page;
use crate::region::state::State;
use crate::schedule::next::Key;
use crate::statefile::file::StateFile;
use posix::time::NEVER;

/// How to find out whether a thread in a kernel wait sleeps.
pub trait Look {
    /// First look at slot `index`, seen in state `seen`, which is not at rest by its word alone.
    fn first(&mut self, page: &Page, index: usize, seen: State) -> Found;
    /// Has a thread found asleep by [`Look::first`] not run since?
    fn confirm(&mut self, page: &Page, index: usize, seen: State) -> bool;
    /// A signal was sent: are parked threads to be looked at too?
    fn parked_too(&self) -> bool {
        false
    }
    /// Slot `index`'s thread is said to be busy: has it ended in truth, and was its slot given
    /// back?
    fn ended(&mut self, _page: &Page, _index: usize) -> bool {
        false
    }
    /// The state file, for a decider that tells the world of rest.
    fn state_file(&self) -> Option<StateFile> {
        None
    }
    /// Is somebody asleep whose waking no hook will tell of?
    fn watches(&self) -> bool {
        false
    }
    /// Everybody was found at rest. False if somebody among them only looks now and then for what
    /// it waits for, and has not since the others came to rest.
    fn at_rest(&mut self, _page: &Page) -> bool {
        true
    }
    /// The earliest deadline among the waits of the survey under way that no slot tells of: this
    /// decider alone knows of them. As long as there are any, somebody was found asleep whom no
    /// other decider can look at, so nobody else jumps.
    fn unseen(&mut self, _page: &Page) -> Option<Key> {
        None
    }
    /// Ends those among them that are due at virtual `now`; the earliest deadline that is left.
    fn end_unseen(&mut self, _page: &Page, _now: u64) -> u64 {
        NEVER
    }
    /// A number that changes when the thread of slot `index` has slept.
    fn slept(&mut self, _page: &Page, _index: usize) -> u32 {
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
    /// The look changed something (a dead thread's slot was given back): start over, after the rest
    /// has been looked at.
    Changed,
    /// This decider cannot look; the keeper can.
    Unknown,
}

/// Looks that the threads themselves make: none. Kernel waits are the keeper's.
pub struct NoLook;

impl Look for NoLook {
    fn first(&mut self, _: &Page, _: usize, seen: State) -> Found {
        if seen.busy() { Found::Running } else { Found::Unknown }
    }
    fn confirm(&mut self, _: &Page, _: usize, _: State) -> bool {
        false
    }
}
