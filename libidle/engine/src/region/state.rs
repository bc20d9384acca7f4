//! A slot's state word: what a thread does, packed into the 32 bits that the thread also sleeps on.
//!
//! Ownership: only the slot's own thread starts a wait, and so changes the sequence number. Anybody
//! may *promise* a waiting thread its wake-up, by compare-and-swap from the very wait that the
//! waker saw. The sequence number makes a late promise for an earlier wait fail. From the promise
//! on the word says busy, so at no instant does a promised thread count as idle.

use crate::sync::{AcqRel, Acquire, AtomicU32, Relaxed, SeqCst};

/// What a slot's thread is doing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub enum Kind {
    /// No thread uses the slot.
    Free = 0,
    /// Running, or promised a wake-up.
    Busy = 1,
    /// Running, and about to park. A waker may promise the wait already.
    Prep = 2,
    /// In an exact wait: only a promise ends it.
    Parked = 3,
    /// In a wait that the kernel ends. Only a look tells whether the thread sleeps.
    Kernel = 4,
    /// The thread has left its last hook. The slot stays until the kernel says that the thread is
    /// gone.
    Ending = 5,
    /// The process has left its last hook. The same for all its slots.
    Leaving = 6,
    /// A credit: taken for a thread or process that has not adopted it yet.
    New = 7,
    /// A process without the library, or a thread seen asleep outside the hooks. The look treats it
    /// like `Kernel`.
    Foreign = 8,
    /// Not a thread but a timer descriptor with a deadline of its own: see
    /// [`crate::schedule::timerfd`].
    Timer = 9,
}

/// Why a wait ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub enum Reason {
    /// A waker woke it, or nobody needed to.
    Woken = 0,
    /// Its deadline came.
    TimedOut = 1,
    /// `pthread_cancel` wants the thread to look for a cancellation.
    Cancelled = 2,
    /// A signal handler ran.
    Interrupted = 3,
}

/// In a parked state the reason field says whether the futex is private to the process.
const LOCAL: Reason = Reason::TimedOut;

/// A value of the state word.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct State(pub u32);

impl State {
    const fn new(kind: Kind, reason: Reason, seq: u32) -> State {
        State(kind as u32 | (reason as u32) << 4 | seq << 8)
    }

    /// What the thread does.
    pub fn kind(self) -> Kind {
        match self.0 & 15 {
            0 => Kind::Free,
            1 => Kind::Busy,
            2 => Kind::Prep,
            3 => Kind::Parked,
            4 => Kind::Kernel,
            5 => Kind::Ending,
            6 => Kind::Leaving,
            7 => Kind::New,
            8 => Kind::Foreign,
            _ => Kind::Timer,
        }
    }

    /// Why the last wait ended; meaningful when busy.
    pub fn reason(self) -> Reason {
        match self.0 >> 4 & 15 {
            0 => Reason::Woken,
            1 => Reason::TimedOut,
            2 => Reason::Cancelled,
            _ => Reason::Interrupted,
        }
    }

    /// Parked on a futex that is private to its process?
    pub fn local(self) -> bool {
        self.kind() == Kind::Parked && self.reason() == LOCAL
    }

    /// The number of the thread's current or last wait, modulo 2^24.
    pub fn seq(self) -> u32 {
        self.0 >> 8
    }

    /// At rest for certain: the thread cannot run before a promise.
    pub fn rests(self) -> bool {
        matches!(self.kind(), Kind::Free | Kind::Parked | Kind::Timer)
    }

    /// In a wait, or about to begin one: a deadline may end it.
    pub fn waits(self) -> bool {
        matches!(self.kind(), Kind::Prep | Kind::Parked | Kind::Kernel)
    }

    /// Does the slot's deadline count? A deadline that a thread has left behind, by its death or by
    /// a cancellation, does not.
    pub fn timed(self) -> bool {
        self.waits() || self.kind() == Kind::Timer
    }

    /// Busy by the word alone.
    pub fn busy(self) -> bool {
        matches!(self.kind(), Kind::Busy | Kind::Prep | Kind::New)
    }
}

/// The state word itself. It is also the futex that a parked thread sleeps on.
#[repr(transparent)]
pub struct StateWord(pub AtomicU32);

impl StateWord {
    /// A free slot's word.
    pub fn new() -> StateWord {
        StateWord(AtomicU32::new(0))
    }

    /// The current value. Sequentially consistent: two threads that block at once both store before
    /// they look at each other, so one of them sees that it was the last to block.
    pub fn load(&self) -> State {
        State(self.0.load(SeqCst))
    }

    /// Starts a wait: from here on a waker may promise it. Returns the wait's number. Owner only.
    pub(crate) fn prepare(&self) -> u32 {
        let seq = State(self.0.load(Relaxed)).seq().wrapping_add(1) & 0x00ff_ffff;
        self.0.store(State::new(Kind::Prep, Reason::Woken, seq).0, SeqCst);
        seq
    }

    /// Publishes the wait: the thread stops being busy. False if a promise came first. `local`:
    /// only threads of this process will ever wake it, so the futex is a private one. Owner only.
    pub(crate) fn publish(&self, seq: u32, local: bool) -> bool {
        let from = State::new(Kind::Prep, Reason::Woken, seq).0;
        let to = State::new(Kind::Parked, if local { LOCAL } else { Reason::Woken }, seq).0;
        self.0.compare_exchange(from, to, SeqCst, SeqCst).is_ok()
    }

    /// Promises wait `seq` its end. Returns what the state was; `None` if that wait was promised
    /// before or is over.
    pub(crate) fn promise(&self, seq: u32, reason: Reason) -> Option<State> {
        let to = State::new(Kind::Busy, reason, seq).0;
        let mut seen = self.load();
        while matches!(seen.kind(), Kind::Prep | Kind::Parked) && seen.seq() == seq {
            match self.0.compare_exchange(seen.0, to, SeqCst, SeqCst) {
                Ok(_) => return Some(seen),
                Err(now) => seen = State(now),
            }
        }
        None
    }

    /// Goes on from [`StateWord::prepare`] into a wait that the kernel will end; false if a promise
    /// came first.
    pub(crate) fn publish_kernel(&self, seq: u32) -> bool {
        let from = State::new(Kind::Prep, Reason::Woken, seq).0;
        let to = State::new(Kind::Kernel, Reason::Woken, seq).0;
        self.0.compare_exchange(from, to, SeqCst, SeqCst).is_ok()
    }

    /// Ends the wait of `seen` because its deadline has come. Returns what the state was; `None` if
    /// the wait was promised before or is over. If the thread publishes the wait meanwhile, this
    /// function tries again: nobody else would.
    pub(crate) fn expire(&self, seen: State) -> Option<State> {
        let to = State::new(Kind::Busy, Reason::TimedOut, seen.seq()).0;
        let mut now = seen;
        while now.waits() && now.seq() == seen.seq() {
            match self.0.compare_exchange(now.0, to, SeqCst, SeqCst) {
                Ok(_) => return Some(now),
                Err(other) => now = State(other),
            }
        }
        None
    }

    /// Ends the kernel wait `seen` for `reason`. The caller wakes the state word's futex next.
    pub(crate) fn interrupt(&self, seen: State, reason: Reason) -> bool {
        let to = State::new(Kind::Busy, reason, seen.seq()).0;
        seen.kind() == Kind::Kernel && self.0.compare_exchange(seen.0, to, SeqCst, Relaxed).is_ok()
    }

    /// Starts a wait without a deadline, which the kernel will end. Returns its number. Owner only.
    pub(crate) fn enter_kernel(&self) -> u32 {
        let seq = State(self.0.load(Relaxed)).seq().wrapping_add(1) & 0x00ff_ffff;
        self.0.store(State::new(Kind::Kernel, Reason::Woken, seq).0, SeqCst);
        seq
    }

    /// After any wait: the thread is busy (or ending) again. Returns how the wait ended. Owner
    /// only.
    pub(crate) fn resume(&self, base: Kind) -> Reason {
        let seq = State(self.0.load(Relaxed)).seq();
        let old = State(self.0.swap(State::new(base, Reason::Woken, seq).0, AcqRel));
        old.reason()
    }

    /// Sets the kind outside a wait, and keeps the sequence number. The owner calls it, or the
    /// thread that allocates or frees the slot.
    pub(crate) fn set(&self, kind: Kind) {
        let seq = State(self.0.load(Acquire)).seq();
        self.0.store(State::new(kind, Reason::Woken, seq).0, SeqCst);
    }

    /// Changes `seen` into `kind` if the word is still `seen`.
    pub(crate) fn replace(&self, seen: State, kind: Kind) -> bool {
        self.0
            .compare_exchange(
                seen.0,
                State::new(kind, Reason::Woken, seen.seq()).0,
                SeqCst,
                Relaxed,
            )
            .is_ok()
    }
}

impl Default for StateWord {
    fn default() -> StateWord {
        StateWord::new()
    }
}
