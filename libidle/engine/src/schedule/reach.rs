//! What the engine does to processes and threads whose numbers stand in the region.
//!
//! Every program of the session writes to the region. So a number from there is a claim, and who
//! acts on it answers for what happens. The program that the engine runs in says what it may reach:
//! the launcher what it knows itself to be its session's, a library what the kernel shows to be a
//! wake fd. A refusal loses no wake-up: the engine kicks the keeper, which delivers it.

use crate::region::layout::Page;

/// See the module.
pub trait Reach: Sync {
    /// Makes wake fd `fd` of process `pid` readable. False where it is out of reach, or is no wake
    /// fd.
    fn ring(&self, pid: u32, fd: i32) -> bool;

    /// Sends the session's signal to thread `tid` of process `pid`, which has slot `slot`. False
    /// where that is refused.
    fn signal(&self, slot: usize, pid: u32, tid: u32) -> bool;

    /// May the descriptors of process `pid` be looked at, to make a timer of the session readable?
    fn may_reach(&self, pid: u32) -> bool;

    /// Is thread `tid` of process `pid` gone, by the kernel's word? A live thread is never called
    /// gone.
    fn gone(&self, page: &Page, pid: u32, tid: u32) -> bool;
}

/// Of a process that trusts the region, for tests and models: numbers mean what they say.
pub struct Everything;

impl Reach for Everything {
    fn ring(&self, pid: u32, fd: i32) -> bool {
        crate::schedule::wake_fd::ring_other(pid, fd, || true)
    }

    fn signal(&self, _: usize, _: u32, _: u32) -> bool {
        false
    }

    fn may_reach(&self, _: u32) -> bool {
        true
    }

    fn gone(&self, _: &Page, pid: u32, tid: u32) -> bool {
        crate::sys::thread_gone(pid, tid)
    }
}
