//! Which descriptors of this process are timers (timerfd_create(2)) in virtual time; see
//! [`engine::schedule::timerfd`] for how those work.
//!
//! What a process keeps of them is the set of descriptors that may be timers, so that read(2) need
//! not ask the kernel about all others. Which timer a descriptor is, is asked anew each time: it
//! may have been closed or replaced by ways that no hook sees. In libidle.so the set is empty.

use crate::shim::entry::Entry;
use crate::shim::fd_set::{FdSet, sets};
use crate::shim::numbers;
use crate::shim::session;
use crate::shim::signal_mask::Masked;
use engine::Engine;
use engine::schedule::timerfd::{LOST, Locked, SHARED};
use libc::c_int;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};

/// Descriptors of this process that may be timers.
static TIMERS: FdSet<{ sets::TIMERS }> = FdSet::new();

/// Has this process timers at all? Spares all others the look.
#[inline]
pub fn any() -> bool {
    TIMERS.any()
}

/// May `fd` be one?
#[inline]
pub fn is_timer(fd: c_int) -> bool {
    TIMERS.contains(fd)
}

/// Notes whether `fd` is one.
pub fn mark(fd: c_int, timer: bool) {
    TIMERS.set(fd, timer);
}

/// A running thread is about to look at descriptors: timers whose time has come by real time are
/// ready by then.
#[inline]
pub fn expire(entry: &Entry) {
    if any() {
        entry.engine.expire_now(entry.me);
    }
}

/// The timer that `fd` is.
pub fn find(engine: &Engine, fd: c_int) -> Option<usize> {
    engine.timer_of(fd).ok().flatten()
}

/// Does `body` with timer `index` locked; this process can reach it by `fd`.
pub fn with<R>(engine: &Engine, index: usize, fd: c_int, body: impl FnOnce(&Locked) -> R) -> R {
    let _masked = Masked::new();
    let locked = engine.lock_timer(index, numbers::my_thread());
    if !session::in_vfork_child() {
        locked.slot().pid.store(engine.pid, Relaxed);
        locked.slot().timer().fd.store(fd, Relaxed);
    }
    body(&locked)
}

/// `new` is a copy of `old`, or will be if that is open.
pub fn copied(old: c_int, new: c_int) {
    if is_timer(old) || is_timer(new) {
        TIMERS.set(new, is_timer(old));
        if is_timer(old)
            && let Some(engine) = session::engine()
        {
            share(&engine, old);
        }
    }
}

fn share(engine: &Engine, fd: c_int) {
    if let Some(index) = find(engine, fd) {
        engine.page.slots[index].timer().flags.fetch_or(SHARED, SeqCst);
    }
}

/// Other processes are about to get this one's descriptors.
pub fn share_all() {
    if any()
        && let Some(engine) = session::engine()
    {
        TIMERS.within(0, u32::MAX).for_each(|fd| share(&engine, fd as c_int));
    }
}

/// `fd` has come from elsewhere: is it a timer?
pub fn arrived(engine: &Engine, fd: c_int) {
    if engine.page.header.timers.load(SeqCst) == 0 {
        return;
    }
    if let Some(index) = find(engine, fd) {
        TIMERS.set(fd, true);
        let flags = &engine.page.slots[index].timer().flags;
        flags.fetch_or(SHARED, SeqCst);
        if flags.load(SeqCst) & LOST != 0 {
            with(engine, index, fd, |locked| locked.tick());
        }
    } else {
        TIMERS.set(fd, false);
    }
}

/// The descriptor is about to be closed. A timer that nobody else can have ends here; of others the
/// launcher finds out.
pub fn forget(fd: c_int) {
    if !is_timer(fd) {
        return;
    }
    TIMERS.set(fd, false);
    let Some(engine) = session::engine() else { return };
    let Some(index) = find(&engine, fd) else { return };
    let _masked = Masked::new();
    let locked = engine.lock_timer(index, numbers::my_thread());
    let slot = locked.slot();
    if (slot.pid.load(Relaxed), slot.timer().fd.load(Relaxed)) != (engine.pid, fd) {
        return;
    }
    if slot.timer().flags.load(SeqCst) & SHARED == 0 {
        locked.release();
    } else {
        slot.pid.store(0, SeqCst);
    }
}

/// The same for a range of them.
pub fn forget_range(first: u32, last: u32) {
    TIMERS.within(first, last).for_each(|fd| forget(fd as c_int));
}
