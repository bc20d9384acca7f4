//! pthread_create, pthread_exit, pthread_cancel: a thread's life.
//!
//! A thread is busy from before its creator can block: the creator takes its slot. When it leaves
//! its last hook the slot is *ending* and stays until the kernel says that the thread is gone; its
//! joiner ([`crate::hooks::join`]) is promised the wake-up first.

use crate::next;
use crate::shim::entry::{WaitKind, enter};
use crate::shim::forced;
use crate::shim::numbers;
use crate::shim::session;
use crate::shim::state_rows;
use crate::shim::tls::tls;
use crate::shim::wait_queue;
use crate::shim::wake_fd;
use engine::region::sizes::SLOTS;
use engine::sys;
use engine::{Engine, Kind, Reason};
use libc::{c_int, c_void, pthread_attr_t, pthread_t};
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::atomic::{AtomicU32, AtomicUsize};

type Start = unsafe extern "C-unwind" fn(*mut c_void) -> *mut c_void;

/// How often `pthread_create` looks for slots of ended threads.
const SWEEP: usize = 64;

/// pthread_create(3).
///
/// # Safety
/// As for the C function.
pub unsafe fn create(
    thread: *mut pthread_t,
    attr: *const pthread_attr_t,
    start: Start,
    arg: *mut c_void,
) -> c_int {
    let real = next!(
        pthread_create: fn(*mut pthread_t, *const pthread_attr_t, Start, *mut c_void) -> c_int
    );
    let Some(entry) = enter() else {
        return real(thread, attr, start, arg);
    };
    let page = entry.engine.page;
    let birth = page.birth_of_child(entry.me);
    let Some(child) = page.claim(Kind::New, entry.engine.pid, 0, birth) else {
        return real(thread, attr, start, arg);
    };
    if child.is_multiple_of(SWEEP) {
        sweep(&entry.engine);
    }
    entry.engine.page.awake();
    let slot = &page.slots[child];
    STARTS[child].0.store(start as usize, Relaxed);
    STARTS[child].1.store(arg as usize, Relaxed);
    let failed = real(thread, attr, run, child as *mut c_void);
    if failed != 0 {
        page.release(child);
    } else if slot.birth.load(Relaxed) == birth {
        // A join may come before the thread has said who it is; after its end the slot may be
        // another's already.
        // SAFETY: pthread_create has stored it.
        let _ = slot.thread().pthread.compare_exchange(0, unsafe { *thread }, SeqCst, SeqCst);
    }
    failed
}

/// Gives back the slots of this process's threads that have ended.
fn sweep(engine: &Engine) {
    for (i, slot) in engine.page.slots[..engine.page.high()].iter().enumerate() {
        // The state first: its wait number changes when the slot is given back, so the rest is of
        // the same thread.
        let seen = slot.state.load();
        if seen.kind() == Kind::Ending
            && slot.pid.load(Relaxed) == engine.pid
            && sys::thread_gone(numbers::getpid(), numbers::here(i, slot.tid.load(Relaxed)))
        {
            engine.page.release_seen(i, seen);
        }
    }
}

/// The thread's last act inside this library, however it ends: return, `pthread_exit`,
/// cancellation.
struct Ends;

impl Drop for Ends {
    fn drop(&mut self) {
        let Some(engine) = session::engine() else { return };
        crate::shim::tcp_push::settle();
        wake_fd::discard();
        let tls = tls();
        let Some(me) = tls.slot.get().checked_sub(1) else { return };
        let slot = &engine.page.slots[me as usize];
        forced::over(&engine, me as usize);
        tls.base.set(Kind::Ending as u32);
        slot.thread().wake_fd.store(0, SeqCst);
        // The joiner registers itself and then looks whether the thread is ending; here it is the
        // other way round.
        engine.set_own(me as usize, Kind::Ending);
        if let Some(joiner) = slot.thread().joiner.swap(0, SeqCst).checked_sub(1) {
            let joiner = joiner as usize % SLOTS;
            let waiter = &engine.page.slots[joiner];
            let seq = waiter.state.load().seq();
            // It may be in another wait by now. Read after the number: it belongs to that wait or
            // to a later one.
            if waiter.is_for(WaitKind::Join) {
                engine.wake(joiner, seq, Reason::Woken);
            }
        }
    }
}

/// Start routine and argument of each thread that was made and does not run yet, by its slot. They
/// lie in this process's own memory: every program of the session can write to the region, and a
/// pointer from there must not be jumped to. Pages that are not used cost nothing.
static STARTS: [(AtomicUsize, AtomicUsize); SLOTS] =
    [const { (AtomicUsize::new(0), AtomicUsize::new(0)) }; SLOTS];

unsafe extern "C-unwind" fn run(index: *mut c_void) -> *mut c_void {
    let index = index as usize;
    let Some(engine) = session::engine() else { return std::ptr::null_mut() };
    let slot = &engine.page.slots[index];
    tls().slot.set(index as u32 + 1);
    slot.tid.store(numbers::my_thread(), SeqCst);
    numbers::note(index);
    // SAFETY: no arguments.
    let number = unsafe { libc::pthread_self() };
    slot.thread().pthread.store(number, SeqCst);
    place(number).store(index as u32 + 1, SeqCst);
    tls().made_here.set(true);
    let start = STARTS[index].0.swap(0, Relaxed);
    let arg = STARTS[index].1.swap(0, Relaxed) as *mut c_void;
    engine.set_own(index, Kind::Busy);
    state_rows::changed(&engine);
    let _ends = Ends;
    // SAFETY: stored by `create` from the caller's arguments.
    unsafe { std::mem::transmute::<usize, Start>(start)(arg) }
}

const PLACES: usize = 4096;

/// Slot index + 1 of the thread that began last of those whose `pthread_t` leads to this place. A
/// hint: whoever reads it looks whether the slot is that thread's.
static BY_THREAD: [AtomicU32; PLACES] = [const { AtomicU32::new(0) }; PLACES];

fn place(thread: pthread_t) -> &'static AtomicU32 {
    let hash = thread.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    &BY_THREAD[(hash >> 52) as usize % PLACES]
}

/// The slot of `thread`. libc gives a `pthread_t` to a new thread as soon as the former one is
/// joined (or has ended, when detached), and the former one's slot may still be there: one that
/// lives comes first.
pub(super) fn find(engine: &Engine, thread: pthread_t) -> Option<usize> {
    let high = engine.page.high();
    let kind = |i: usize| {
        let slot = &engine.page.slots[i];
        let same =
            slot.thread().pthread.load(SeqCst) == thread && slot.pid.load(Relaxed) == engine.pid;
        Some(slot.state.load().kind()).filter(|&kind| same && kind != Kind::Free)
    };
    let hint = place(thread).load(SeqCst).checked_sub(1).map(|i| i as usize);
    if let Some(i) = hint.filter(|&i| i < high && kind(i).is_some()) {
        return Some(i);
    }
    let mut ended = None;
    for i in 0..high {
        match kind(i) {
            Some(Kind::Ending) => ended = Some(i),
            Some(_) => return Some(i),
            None => {}
        }
    }
    ended
}

/// thrd_create(3): the start routine's int becomes the thread's result, as glibc keeps it.
///
/// # Safety
/// As for the C function.
pub unsafe fn c11_create(
    thread: *mut pthread_t,
    start: unsafe extern "C-unwind" fn(*mut c_void) -> c_int,
    arg: *mut c_void,
) -> c_int {
    // SAFETY: a function that returns an int leaves it in the lower half of the register that a
    // pointer is returned in; `joins::c11_join` reads that half alone.
    let start = unsafe {
        std::mem::transmute::<unsafe extern "C-unwind" fn(*mut c_void) -> c_int, Start>(start)
    };
    // SAFETY: what is called has this function's contract.
    crate::hooks::cond::c11(unsafe { create(thread, std::ptr::null(), start, arg) })
}

/// pthread_cancel(3): a thread in an exact wait is woken to act on it; the real call deals with all
/// others. It may send a signal, and then a thread runs that nobody promised anything.
pub fn cancel(thread: pthread_t) -> c_int {
    crate::hooks::signals::count();
    let done = next!(pthread_cancel: fn(pthread_t) -> c_int)(thread);
    crate::hooks::signals::count();
    if done == 0
        && let Some(engine) = session::engine()
    {
        // The main thread is not made by pthread_create: it is the one whose thread id is the
        // process id.
        let lives = |&i: &usize| engine.page.slots[i].state.load().kind() != Kind::Ending;
        let found = find(&engine, thread).filter(lives).or_else(|| {
            tell_unnamed(&engine);
            find(&engine, thread).or_else(|| main_slot(&engine, thread))
        });
        if let Some(index) = found {
            let slot = &engine.page.slots[index];
            slot.thread().cancels.fetch_add(1, SeqCst);
            let seen = slot.state.load();
            // Only the kernel waits that this library ends itself; libc's cancellation ends the
            // others.
            let ours = slot.is_for(WaitKind::Cond) || slot.is_for(WaitKind::Sem);
            if !(ours && engine.cancel_kernel_wait(index, seen)) {
                engine.wake(index, seen.seq(), Reason::Cancelled);
            }
        }
    }
    done
}

/// The thread may not have said yet which `pthread_t` it has: whoever has not is told to look for a
/// cancellation.
fn tell_unnamed(engine: &Engine) {
    let begins = |kind| matches!(kind, Kind::New | Kind::Busy);
    for slot in
        engine.page.slots[..engine.page.high()].iter().filter(|s| begins(s.state.load().kind()))
    {
        if slot.thread().pthread.load(SeqCst) == 0 && slot.pid.load(Relaxed) == engine.pid {
            slot.thread().cancels.fetch_add(1, SeqCst);
        }
    }
}

/// The main thread's slot, if `thread` is it: no slot of this process carries that `pthread_t`.
fn main_slot(engine: &Engine, thread: pthread_t) -> Option<usize> {
    let slot = engine.page.find(engine.pid, engine.pid)?;
    (engine.page.slots[slot].thread().pthread.load(SeqCst) == 0 && thread != 0).then_some(slot)
}

/// pthread_exit(3) of the main thread has no start routine of ours beneath it: the slot ends here.
pub fn exit(value: *mut c_void) {
    if let Some(engine) = session::engine()
        && let Some(me) = tls().slot.get().checked_sub(1)
        && !tls().made_here.get()
    {
        forced::over(&engine, me as usize);
        // Cleanup handlers and destructors still run, and may wait: they return to this state
        // afterwards.
        tls().base.set(Kind::Ending as u32);
        engine.set_own(me as usize, Kind::Ending);
    }
    next!(pthread_exit: fn(*mut c_void) -> ())(value)
}

/// In a forked child: nobody but the calling thread is there.
pub fn only_thread_left() {
    wait_queue::reset();
}
