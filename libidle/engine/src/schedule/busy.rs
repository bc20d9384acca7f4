//! Why a session is not at rest, or why nobody jumps though it is: the whole list.

/// A reason. Whoever asks for rest gets the first that is found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Busy {
    /// The thread of this slot runs, was promised a wake-up, or is about to begin: its word says
    /// so.
    Runs(usize),
    /// The thread of this slot says that it counts as busy, whatever it does.
    SaysSo(usize),
    /// The thread of this slot was found awake, or on its way to sleep, though its word says that
    /// it waits.
    Awake(usize),
    /// The thread of this slot asks again and again, and something has changed since it asked last.
    AsksAgain(usize),
    /// The look has changed something, such as the slot of a thread that has died. Look again.
    Changed,
    /// Threads wait in the kernel, and only the keeper can look whether they sleep.
    InKernel,
    /// A signal was sent, and not every thread has been looked at since.
    SignalSent,
    /// Somebody only looks now and then for what it waits for, and has not since the others came to
    /// rest.
    RecheckDue,
    /// The launcher still has commands to start.
    Held,
    /// Somebody else holds the clock's lock, or took it away.
    LockTaken,
}

impl Busy {
    /// The slot of who is busy, if it is one thread.
    pub fn slot(self) -> Option<usize> {
        match self {
            Busy::Runs(slot) | Busy::SaysSo(slot) | Busy::Awake(slot) | Busy::AsksAgain(slot) => {
                Some(slot)
            }
            _ => None,
        }
    }

    /// What is said of that thread in a report: it …
    pub fn describe(self) -> &'static str {
        match self {
            Busy::Runs(_) => "runs",
            Busy::SaysSo(_) => "says that it is busy",
            Busy::Awake(_) => "is awake in a wait",
            Busy::AsksAgain(_) => "asks again and again, and has something new to see",
            _ => "is being looked at",
        }
    }
}
