//! Why a session is not at rest, or why nobody jumps though it is. This is the whole list.

/// A reason. A survey gives the first reason that it finds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Busy {
    /// The state word of this slot says that its thread runs, was promised a wake-up, or is about
    /// to begin.
    Runs(usize),
    /// The thread of this slot is forced busy: it says that it counts as busy, whatever it does.
    SaysSo(usize),
    /// The state word of this slot says that its thread waits. The look found it awake, or on its
    /// way to sleep.
    Awake(usize),
    /// The thread of this slot spins, and something has changed since it asked last.
    AsksAgain(usize),
    /// The look has changed something, such as the slot of a thread that has died. Survey again.
    Changed,
    /// Threads are in kernel waits, and only the keeper can look whether they sleep.
    InKernel,
    /// A signal was sent, and not every thread has been looked at since.
    SignalSent,
    /// A thread that rechecks periodically has not done so since the others came to rest.
    RecheckDue,
    /// All are blocked, and the kernel works for one of them.
    InFlight(Flight),
    /// All are blocked, and the named hold of this index lasts
    /// ([`crate::region::named_holds`]).
    Holds(usize),
    /// The launcher still has commands to start.
    Held,
    /// Another thread holds the clock's lock, or took it away.
    LockTaken,
}

/// Work that the kernel does for the session on real time. No thread runs meanwhile, and one of
/// them will.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flight {
    /// A connection is being made, or is not in its listener's queue yet.
    Connects,
    /// Bytes, or the end of a stream, have not reached the other end.
    Delivers,
    /// The other end has all bytes, and a thread waits for the acknowledgement.
    Acknowledges,
    /// An old connection holds a port that a thread tries to bind again and again.
    Forgets,
}

impl Flight {
    fn describe(self) -> &'static str {
        match self {
            Flight::Connects => "makes a TCP connection",
            Flight::Delivers => "delivers bytes of a TCP connection",
            Flight::Forgets => "remembers a TCP connection whose port is wanted",
            Flight::Acknowledges => "acknowledges bytes of a TCP connection",
        }
    }
}

impl Busy {
    /// The slot of the busy thread, if the reason names one.
    pub fn slot(self) -> Option<usize> {
        match self {
            Busy::Runs(slot) | Busy::SaysSo(slot) | Busy::Awake(slot) | Busy::AsksAgain(slot) => {
                Some(slot)
            }
            _ => None,
        }
    }

    /// What a report says of that thread, or of the kernel: it …
    pub fn describe(self) -> &'static str {
        match self {
            Busy::Runs(_) => "runs",
            Busy::SaysSo(_) => "says that it is busy",
            Busy::Awake(_) => "is awake in a wait",
            Busy::AsksAgain(_) => "asks again and again, and has something new to see",
            Busy::InFlight(flight) => flight.describe(),
            Busy::Holds(_) => "holds the clock",
            _ => "is being looked at",
        }
    }
}
