//! What a thread says of itself: it begins a wait, goes on, or ends. Only the slot's own thread
//! calls these functions, or the tracer that has it stopped.

use crate::region::state::{Kind, Reason, State};
use crate::schedule::engine::Engine;

impl Engine {
    /// Begins a wait: from here on a waker may promise its end. Returns the wait's number.
    #[inline]
    pub fn begin_wait(&self, me: usize) -> u32 {
        self.page.slots[me].state.prepare()
    }

    /// Publishes wait `seq`: the thread is parked from now on. False if a promise came first. The
    /// caller decides next whether it was the last to block. `local`: only threads of this process
    /// will ever wake it.
    #[inline]
    pub fn publish(&self, me: usize, seq: u32, local: bool) -> bool {
        self.page.slots[me].state.publish(seq, local)
    }

    /// Outside a wait: the thread is of kind `kind` from now on. The busy set marks the kinds in
    /// which a thread may run.
    #[inline]
    pub fn set_own(&self, me: usize, kind: Kind) {
        self.page.slots[me].state.set(kind);
        self.page.set_busy(me);
    }

    /// A wait is over, and the thread is of kind `kind` again. Returns how the wait ended.
    #[inline]
    pub fn resume(&self, me: usize, kind: Kind) -> Reason {
        let reason = self.page.slots[me].state.resume(kind);
        self.page.set_busy(me);
        reason
    }

    /// The keeper found the thread of `slot` asleep, in state `seen`, in a wait that no hook has
    /// seen. From now on the look watches that thread like one without the library. False if the
    /// thread has gone on.
    pub fn watch(&self, slot: usize, seen: State) -> bool {
        self.page.slots[slot].state.replace(seen, Kind::Foreign)
    }
}
