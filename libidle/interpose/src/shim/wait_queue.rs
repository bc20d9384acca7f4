//! Who waits for what in this process: queues of slots, found by the address they wait on.
//!
//! One table for condition variables, semaphores and futexes, so the objects themselves keep no
//! link and need no initialisation: static initialisers, zeroed and `mmap`ed objects just work. The
//! table is private memory: a process that is stopped or killed holds up nobody else, and a forked
//! child starts with an empty one.
//!
//! No wake-up is lost: a waiter enqueues itself and then checks its condition, both under the
//! bucket's lock; a waker changes the condition and then looks for waiters. One of the two sees the
//! other (all sequentially consistent). A waiter whose time came is still in the queue, but its
//! state word is no longer waiting, so the waker's promise fails and goes to the next one.

use crate::shim::entry::{Cause, Entry};
use crate::shim::futex_lock::{FutexLock, Locked};
use crate::shim::state_rows;
use engine::region::sizes::SLOTS;
use engine::region::slot::Slot;
use engine::schedule::wake::Promised;
use engine::{Engine, Reason, Signals};
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};

const BUCKETS: usize = 256;

#[repr(align(64))]
struct Bucket {
    lock: FutexLock,
    /// Slot index + 1.
    head: AtomicU32,
    tail: AtomicU32,
}

/// Buckets whose lock a signal handler may want: semaphores and futexes. A condition variable is
/// not for handlers (signal-safety(7)), so its buckets, the others, spare two system calls a wait
/// and a wake.
const FOR_HANDLERS: usize = BUCKETS / 2;

static TABLE: [Bucket; BUCKETS] =
    [const { Bucket { lock: FutexLock::new(), head: AtomicU32::new(0), tail: AtomicU32::new(0) } };
        BUCKETS];

/// Has anybody waited here? Spares a forked child the pages of an unused table.
#[unsafe(link_section = ".data.interpose")]
static USED: AtomicU32 = AtomicU32::new(0);

fn bucket(key: Key) -> &'static Bucket {
    let at = (key.0.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as usize % FOR_HANDLERS;
    &TABLE[if key.0 & COND != 0 { FOR_HANDLERS + at } else { at }]
}

/// What threads wait for: an address, with its lowest bit set for a condition variable.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Key(u64);

/// Addresses of waitable objects are even.
const COND: u64 = 1;

impl Key {
    /// An object that signal handlers may touch.
    pub fn any<T: ?Sized>(object: *const T) -> Key {
        Key(object.addr() as u64)
    }

    /// A condition variable: not for signal handlers.
    pub fn cond<T>(object: *const T) -> Key {
        Key(object as u64 | COND)
    }
}

impl Bucket {
    /// Takes the bucket's lock.
    fn lock(&'static self) -> Locked<'static> {
        let for_handlers = (self as *const Bucket) < &raw const TABLE[FOR_HANDLERS];
        if for_handlers { self.lock.lock() } else { self.lock.lock_unmasked() }
    }

    fn push(&self, engine: &Engine, index: usize) {
        let (slots, at) = (&engine.page.slots, index as u32 + 1);
        let tail = self.tail.load(Relaxed);
        slots[index].thread().next.store(0, Relaxed);
        slots[index].thread().prev.store(tail, Relaxed);
        match tail.checked_sub(1) {
            Some(last) => slots[last as usize % SLOTS].thread().next.store(at, Relaxed),
            None => self.head.store(at, SeqCst),
        }
        self.tail.store(at, Relaxed);
    }

    fn remove(&self, engine: &Engine, index: usize) {
        let slots = &engine.page.slots;
        let slot = &slots[index];
        let (next, prev) = (slot.thread().next.load(Relaxed), slot.thread().prev.load(Relaxed));
        match prev.checked_sub(1) {
            Some(p) => slots[p as usize % SLOTS].thread().next.store(next, Relaxed),
            None => self.head.store(next, SeqCst),
        }
        match next.checked_sub(1) {
            Some(n) => slots[n as usize % SLOTS].thread().prev.store(prev, Relaxed),
            None => self.tail.store(prev, Relaxed),
        }
        slot.thread().queue.store(0, Relaxed);
    }
}

/// A place in a queue, taken before the thread stops being busy.
pub struct Place<'a> {
    entry: &'a Entry,
    seq: u32,
}

/// Enqueues the calling thread under `key`, unless `unless` says otherwise, which is asked when the
/// thread can be found in the queue already: a waker that changed the condition before that sees
/// the waiter, one that did so later is seen.
pub fn enqueue<'a>(
    entry: &'a Entry,
    cause: impl Into<Cause>,
    key: Key,
    unless: impl FnOnce() -> bool,
) -> Option<Place<'a>> {
    let bucket = bucket(key);
    if USED.load(Relaxed) == 0 {
        USED.store(1, Relaxed);
    }
    let _locked = bucket.lock();
    let seq = entry.prepare(cause);
    entry.slot().thread().queue.store(key.0, Relaxed);
    bucket.push(&entry.engine, entry.me);
    if unless() {
        bucket.remove(&entry.engine, entry.me);
        entry.stay();
        return None;
    }
    Some(Place { entry, seq })
}

impl Place<'_> {
    /// Waits in the queue. `cancels` is what [`Entry::cancels`] said before the last cancellation
    /// point, or `None` where the wait is not one: a cancellation since then ends the wait, and is
    /// acted on by the caller, who has left the queue by then.
    pub fn wait(self, deadline: u64, signals: Signals, cancels: Option<u32>) -> Reason {
        if cancels.is_some_and(|seen| seen != self.entry.cancels()) {
            self.entry.end(self.seq, Reason::Cancelled);
        }
        let reason = self.entry.park(self.seq, deadline, signals, true);
        if reason != Reason::Woken && !self.entry.engine.forked() {
            forget(&self.entry.engine, self.entry.me);
        }
        reason
    }

    /// Leaves without waiting; true if a waker has been here already.
    pub fn leave(self) -> bool {
        forget(&self.entry.engine, self.entry.me);
        let woken = !self.entry.end(self.seq, Reason::Interrupted);
        self.entry.stay();
        woken
    }
}

/// Takes slot `index`, whose wait is over, out of whatever queue it is still in (it may have been
/// requeued).
pub fn forget(engine: &Engine, index: usize) {
    let slot = &engine.page.slots[index];
    loop {
        let key = Key(slot.thread().queue.load(Relaxed));
        if key.0 == 0 {
            return;
        }
        let _locked = bucket(key).lock();
        if slot.thread().queue.load(Relaxed) == key.0 {
            bucket(key).remove(engine, index);
            return;
        }
    }
}

/// Is nobody queued where `key` would be? No lock; the caller has changed its condition before
/// asking.
#[inline]
pub fn nobody(key: Key) -> bool {
    bucket(key).head.load(SeqCst) == 0
}

/// Ends the waits of up to `count` threads queued under `key`, oldest first, for which `select`
/// says yes. Returns how many. Each is busy before its bucket's lock is released.
pub fn wake(engine: &Engine, key: Key, count: u32, mut select: impl FnMut(&Slot) -> bool) -> u32 {
    const BATCH: usize = 32;
    let mut woken = 0;
    while woken < count && !nobody(key) {
        let (mut asleep, mut found, mut more) = ([None; BATCH], 0, false);
        let locked = bucket(key).lock();
        let mut at = bucket(key).head.load(Relaxed);
        while let Some(index) = at.checked_sub(1).map(|i| i as usize % SLOTS) {
            let slot = &engine.page.slots[index];
            at = slot.thread().next.load(Relaxed);
            if slot.thread().queue.load(Relaxed) != key.0 || !select(slot) {
                continue;
            }
            let seq = slot.state.load().seq();
            let Some(promised) = engine.wake_later(index, seq, Reason::Woken) else { continue };
            bucket(key).remove(engine, index);
            asleep[found] = Some(promised);
            (woken, found) = (woken + 1, found + 1);
            if woken == count || found == BATCH {
                more = woken < count;
                break;
            }
        }
        drop(locked);
        if found != 0 {
            state_rows::changed(engine);
        }
        for promised in asleep[..found].iter().flatten() {
            Promised::deliver(*promised, engine);
        }
        if !more {
            break;
        }
    }
    woken
}

/// Moves up to `count` waiters from one key to another (`FUTEX_REQUEUE`). Returns how many.
pub fn requeue(engine: &Engine, from: Key, to: Key, count: u32) -> u32 {
    let (one, two) = (bucket(from), bucket(to));
    let (first, second) = if std::ptr::from_ref(one) <= two { (one, two) } else { (two, one) };
    let _first = first.lock();
    let _second = (!std::ptr::eq(first, second)).then(|| second.lock());
    let mut moved = 0;
    let mut at = one.head.load(Relaxed);
    while let Some(index) = at.checked_sub(1).map(|i| i as usize % SLOTS).filter(|_| moved < count)
    {
        let slot = &engine.page.slots[index];
        at = slot.thread().next.load(Relaxed);
        if slot.thread().queue.load(Relaxed) == from.0 {
            one.remove(engine, index);
            slot.thread().queue.store(to.0, Relaxed);
            two.push(engine, index);
            moved += 1;
        }
    }
    moved
}

/// In a forked child: the other threads, and so their waits and locks, are not there.
pub fn reset() {
    if USED.load(Relaxed) == 0 {
        return;
    }
    USED.store(0, Relaxed);
    for bucket in &TABLE {
        bucket.lock.reset();
        bucket.head.store(0, Relaxed);
        bucket.tail.store(0, Relaxed);
    }
}
