//! The slot of a signal handler that runs while the thread that it interrupted is in a wait.
//!
//! The handler's waits get that slot, and the interrupted thread's own is *covered* meanwhile:
//! whatever is promised to it can only be kept after the handler. Or it is no handler but a process
//! that shares the memory of the one that waits: so the kernel is asked for the process's number,
//! because a keeper that finds no such thread in that process takes it for dead.
//!
//! Which wait the handler has interrupted is in its slot: see
//! [`engine::region::slot_views::Handler`].

use crate::shim::forced;
use crate::shim::numbers;
use crate::shim::tls::tls;
use engine::region::sizes::SLOTS;
use engine::region::slot::Slot;
use engine::{Engine, Kind, Reason};
use posix::time::NEVER;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};

/// A wait that a handler interrupted.
#[derive(Clone, Copy)]
pub struct Covered {
    /// Its slot's index + 1.
    slot: u32,
    /// What was to be found in `covered` there.
    before: u32,
}

/// Takes a slot for the handler that has interrupted slot `outer`. (A `longjmp` out of a wait ends
/// it first, see [`crate::hooks::longjmp`].)
#[cold]
pub fn cover(engine: &Engine, outer: usize) -> Option<(usize, Covered)> {
    let slot = &engine.page.slots[outer];
    let (pid, tid) = numbers::mine();
    let me = engine.page.claim(Kind::Busy, pid, tid, slot.birth.load(Relaxed))?;
    numbers::note(me);
    // Nobody else will say that the wait is over: when the handler's slot is given back, this one
    // is to be found busy.
    if tls().wait_ends.get() && engine.end_own(outer, slot.state.load().seq(), Reason::Interrupted)
    {
        // It is over: no deadline may end it otherwise, and what is left is counted from here.
        slot.deadline.store(NEVER, SeqCst);
        slot.thread().interrupted_at.store(engine.now(), Relaxed);
    }
    let own = &engine.page.slots[me];
    own.thread().wake_fd.store(tls().wake_fd.get(), Relaxed);
    own.handler().outer.store(outer as u64 + 1, Relaxed);
    own.handler().wait_sp.store(tls().wait_sp.get() as u64, Relaxed);
    // Not 0 if this handler has itself interrupted one that was here.
    let before = slot.covered.swap(me as u32 + 1, SeqCst);
    tls().slot.set(me as u32 + 1);
    forced::again(engine, me);
    engine.page.awake_as(me);
    Some((me, Covered { slot: outer as u32 + 1, before }))
}

/// Gives the handler's slot `me` back.
#[cold]
pub fn uncover(engine: &Engine, me: usize, outer: Covered) {
    let slot = &engine.page.slots[me];
    tls().slot.set(outer.slot);
    // The handler may have changed it.
    let (index, said) = (outer.slot as usize - 1, engine.page.forced(me));
    if said != engine.page.forced(index) {
        engine.page.force(index, said);
    }
    tls().wait_sp.set(slot.handler().wait_sp.load(Relaxed) as usize);
    slot.handler().outer.store(0, Relaxed);
    // The thread runs on in the handler while the outer slot may say that it waits: until it has
    // been looked at once more, time stands still.
    engine.page.header.signals_sent.fetch_add(1, SeqCst);
    engine.page.slots[index].covered.store(outer.before, SeqCst);
    engine.page.release(me);
}

/// For a handler's own slot: the interrupted slot's index + 1, and the stack pointer of its wait.
pub fn interrupted(slot: &Slot) -> Option<(u32, usize)> {
    let outer = slot.handler().outer.load(Relaxed);
    (1..=SLOTS as u64)
        .contains(&outer)
        .then(|| (outer as u32, slot.handler().wait_sp.load(Relaxed) as usize))
}
