//! A slot: a thread's entry in the shared region. The slot belongs to the thread whose number it
//! holds. Before that thread exists, it belongs to the thread's creator (NOTE [A credit] in
//! [`crate::schedule::births`]).

use crate::region::slot_views::Line;
use crate::region::state::{Kind, State, StateWord};
use crate::region::tracer_word::owned;
use crate::region::wait_kind::{FLAGS, RECHECKS, WaitKind};
use crate::sync::{AtomicU32, AtomicU64, SeqCst};
use posix::time::NEVER;

/// A thread's entry. Other threads look at the first cache line, the thread's own process at the
/// second.
#[repr(C, align(64))]
pub struct Slot {
    /// The state word: what the thread does. Also the futex that the thread parks on. [`StateWord`]
    /// says who may change it.
    pub state: StateWord,
    /// Slot index + 1 of the wait that a signal handler of this thread is in, while this slot's
    /// wait is interrupted. A promise to this slot can be kept only after the handler has returned.
    /// Owner.
    pub covered: AtomicU32,
    /// The current wait's deadline, absolute virtual ns, or [`NEVER`]. Owner, before it publishes
    /// the wait.
    pub deadline: AtomicU64,
    /// The earliest deadline under which the heap or the mail holds this slot, or [`NEVER`]. See
    /// [`crate::schedule::deadline_heap`].
    pub heap_key: AtomicU64,
    /// While the slot is in the mail, the number of the arena that the mail is for, + 1; else 0.
    pub queued: AtomicU32,
    /// Next slot in the mail, index + 1.
    pub mail_next: AtomicU32,
    /// Process id, 0 for a credit not yet placed. Creator or owner.
    pub pid: AtomicU32,
    /// Thread id, 0 for a credit. Creator or owner.
    pub tid: AtomicU32,
    /// Virtual ns at which the current timed wait began. Owner.
    pub parked: AtomicU64,
    /// The birth key: the same in every run for the same thread of the same program. It is made
    /// from the creator's key and how many children the creator had before. It breaks ties between
    /// deadlines in frozen mode.
    pub birth: AtomicU64,
    /// The witness: slot index + 1 of the thread last found busy, which the owner asks first at its
    /// next block. Owner.
    pub witness: AtomicU32,
    /// What the thread and the launcher's tracer tell each other: see
    /// [`crate::region::tracer_word`].
    pub tracer: AtomicU32,

    /// What depends on the kind of the slot: see [`crate::region::slot_views`].
    pub(crate) line: Line,
}

#[cfg(loom)]
impl Slot {
    /// A free slot.
    #[allow(clippy::new_without_default, reason = "for the model alone")]
    pub fn new() -> Slot {
        Slot {
            state: StateWord::new(),
            covered: AtomicU32::new(0),
            deadline: AtomicU64::new(0),
            heap_key: AtomicU64::new(0),
            queued: AtomicU32::new(0),
            mail_next: AtomicU32::new(0),
            pid: AtomicU32::new(0),
            tid: AtomicU32::new(0),
            parked: AtomicU64::new(0),
            birth: AtomicU64::new(0),
            witness: AtomicU32::new(0),
            tracer: AtomicU32::new(0),
            line: Line::new(),
        }
    }
}

impl Slot {
    /// Does it wait, or did it wait last, for `what`?
    pub fn is_for(&self, what: WaitKind) -> bool {
        self.thread().what.load(SeqCst) & !FLAGS == what as u32
    }

    /// Is it a thread of a language's runtime that periodically looks after other threads
    /// (NOTE [Runtime ticks] in [`crate::schedule::deadline_heap`])?
    pub fn is_runtime_tick(&self) -> bool {
        self.is_for(WaitKind::RuntimeTick)
    }

    /// [`crate::region::slot_views::Thread::spin`] of a thread that was `seen` asking, or backing
    /// off between two poll iterations; otherwise 0.
    pub fn spins(&self, seen: State) -> u32 {
        let asks = || seen.kind() == Kind::Foreign && owned(self.tracer.load(SeqCst));
        let backs_off = || {
            (matches!(seen.kind(), Kind::Prep | Kind::Kernel) || asks())
                && self.is_for(WaitKind::Spin)
        };
        if seen.kind() == Kind::Busy || backs_off() { self.thread().spin.load(SeqCst) } else { 0 }
    }

    /// Does it wait between two poll iterations of a loop that spins?
    pub fn backs_off(&self) -> bool {
        self.spins(self.state.load()) != 0
    }

    /// Does the thread, in a wait with a deadline, periodically recheck for an event that does not
    /// wake it: whether libc's own threads are done, or whether there is a signal for a handler?
    pub fn rechecks(&self) -> bool {
        self.thread().what.load(SeqCst) & RECHECKS != 0 && self.deadline.load(SeqCst) != NEVER
    }
}
