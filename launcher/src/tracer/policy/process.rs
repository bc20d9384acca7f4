//! What the tracer knows of a traced process.

use crate::tracer::ptrace::maps::Range;
use posix::time::Instant;

/// Where things are in a traced process; its forked children have them in the same places.
#[derive(Clone, Copy, Debug)]
pub struct Space {
    /// The session's region, read-only.
    pub region: u64,
    /// Frozen mode: the word that counts clock reads, in a page behind the region.
    pub counter: u64,
    /// Room for a timespec, in the same page.
    pub for_ever: u64,
    /// The vDSO.
    pub clocks: Range,
}

/// What a process inherits that may have no access to the launcher's files.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Descriptors {
    /// The region's.
    pub region: i32,
    /// That of the link by which a thread learns its number for the launcher
    /// (`interpose::shim::numbers`).
    pub numbers: Option<i32>,
}

/// The region's descriptor in a process that may have no access to its path.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Kept {
    /// It has access.
    #[default]
    Not,
    /// The descriptors.
    At(Descriptors),
    /// The kernel has refused it one.
    Refused,
}

impl Kept {
    /// Their numbers.
    pub fn descriptors(self) -> Option<Descriptors> {
        if let Kept::At(both) = self { Some(both) } else { None }
    }

    /// As [`Kept::descriptors`] gives it.
    pub fn of(descriptors: Option<Descriptors>) -> Kept {
        descriptors.map_or(Kept::Not, Kept::At)
    }
}

/// A traced process.
#[derive(Clone, Default)]
pub struct Process {
    /// Under `--trace=all`: it has the library, or runs in real time. Its threads have slots of
    /// their own, which are the tracer's only while they are in a wait that no hook makes.
    pub library: bool,
    /// It has left the session (`--real`), and the filters of those before it have not left it: all
    /// that it does is done as if nobody traced it.
    pub outside: bool,
    /// All its calls stop but those that take the gate.
    pub gated: bool,
    /// Where its vDSO begins, once somebody has asked.
    pub vdso: Option<u64>,
    /// `None` until it has executed its program, or where there is none.
    pub space: Option<Space>,
    /// The code whose calls stop.
    pub filtered: Vec<Range>,
    /// Frozen mode: clock reads with nothing else between, as far as they are known.
    pub reads: u32,
    /// Its reads stop, too.
    pub reads_stop: bool,
    /// It has Go's runtime.
    pub go: bool,
    /// Then, virtual time at the end of the last back-off of one of its threads, and the poll
    /// iterations by then: what spins may go on in another thread, and after a collection of
    /// garbage.
    pub spun: (Instant, u64),
    /// It has a filter of its own, or those before it had: it can make none but its own calls.
    pub confined: bool,
    /// Its calls on sockets stop, because it has limited some of them.
    pub sockets_stop: bool,
    /// The region, for what it executes.
    pub kept: Kept,
}
