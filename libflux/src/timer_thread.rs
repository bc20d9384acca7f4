//! The threads of this library that serve timers: one sends signals, one starts the threads of
//! `SIGEV_THREAD`. Each is started at the first need, parks until the earliest deadline like any
//! thread that sleeps, and tells who is to be told. So the clock cannot move on while somebody is
//! being told.
//!
//! The first is a bare thread ([`interpose::shim::bare_thread`]), so that it can be started from a
//! signal handler. What can be seen of it is a thread more in `/proc/self/task`, called
//! `flux-timers`.
//!
//! The second is an ordinary detached thread, as glibc has one for the same purpose: it calls
//! `pthread_create`.
//!
//! No timer is missed: a thread first makes its wait one that can be promised its end, then asks
//! for the earliest deadline and parks; whoever changes that first changes it and then promises the
//! wait. One of the two sees the other.

use crate::timer_table::{self, Notify, Role};
use engine::region::sizes::SLOTS;
use engine::sys::{self, Timespec};
use engine::{Engine, Kind, Reason, Signals};
use interpose::hooks::threads;
use interpose::next;
use interpose::patience::MOMENT;
use interpose::shim::bare_thread::{self, BareThread};
use interpose::shim::clock_id::SessionClocks;
use interpose::shim::entry::WaitKind;
use interpose::shim::numbers;
use interpose::shim::session;
use interpose::shim::signal_mask::Masked;
use interpose::shim::tls::tls;
use libc::{c_int, c_void, pthread_attr_t, pthread_t, sigset_t};
use look::process;
use posix::clock::Clocks;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::atomic::{AtomicBool, AtomicU32};

/// Slot index + 1 of the thread that serves each role; 0: not started.
#[unsafe(link_section = ".data.interpose")]
static THREADS: [AtomicU32; 2] = [AtomicU32::new(0), AtomicU32::new(0)];
/// While a thread is being started.
const STARTING: u32 = u32::MAX;

/// In a forked child: they are not there.
pub fn reset() {
    THREADS.iter().for_each(|thread| thread.store(0, Relaxed));
    STOPPED_BY.store(0, Relaxed);
    SIGNALS.forget();
}

/// The number of the thread that sends signals; 0 when there is none.
pub fn tid() -> u32 {
    SIGNALS.tid()
}

/// That thread is to end.
static ENDS: AtomicBool = AtomicBool::new(false);
/// The thread that has ended it with [`stop`], and starts another one after its call; 0 for none.
static STOPPED_BY: AtomicU32 = AtomicU32::new(0);

/// Ends the thread that sends signals. Returns when the kernel has no such thread any more, however
/// long that takes: the caller's next call must not leave a thread behind that has the former
/// credentials. True if there was one.
///
/// This ends. The thread blocks all signals and is in a wait of its own, or about to begin one: it
/// looks at [`ENDS`] after it has begun the wait, and the promise ends that wait. No handler runs
/// here meanwhile, so the caller never waits for itself.
pub fn stop() -> bool {
    let Some(engine) = session::own_engine() else { return false };
    let _masked = Masked::new();
    let Some(index) = take_slot() else { return false };
    STOPPED_BY.store(session::gettid(), SeqCst);
    ENDS.store(true, SeqCst);
    let seq = engine.page.slots[index].state.load().seq();
    engine.wake(index, seq, Reason::Woken);
    while !SIGNALS.gone(numbers::getpid()) {}
    ENDS.store(false, SeqCst);
    true
}

/// Starts another one after [`stop`].
pub fn restart() {
    let _masked = Masked::new();
    STOPPED_BY.store(0, SeqCst);
    if session::own_engine().is_none_or(|engine| !start_signals(&engine)) {
        THREADS[Role::Signals as usize].store(0, SeqCst);
    }
}

/// Its slot, which is nobody's from now on; `None` if there is none. Waits for another thread that
/// is starting it, or has stopped it. A handler that interrupts the call for which its own thread
/// has stopped it finds none. All signals are blocked.
fn take_slot() -> Option<usize> {
    let thread = &THREADS[Role::Signals as usize];
    loop {
        let seen = thread.load(SeqCst);
        if seen == STARTING {
            if STOPPED_BY.load(SeqCst) == session::gettid() {
                return None;
            }
            sys::futex_wait(thread, STARTING, Some(&Timespec::of(MOMENT)), true);
        } else if thread.compare_exchange(seen, STARTING, SeqCst, SeqCst).is_ok() {
            if seen == 0 {
                thread.store(0, SeqCst);
            }
            return seen.checked_sub(1).map(|index| index as usize);
        }
    }
}

/// Makes sure that somebody serves `role`; false if no thread can be started.
pub fn start(engine: &Engine, role: Role) -> bool {
    let Some(thread) = THREADS.get(role as usize) else { return true };
    if thread.load(SeqCst) != 0 {
        return true;
    }
    // A handler that stops the thread in here would wait for this one, which it has interrupted.
    let _masked = (role != Role::Functions).then(Masked::new);
    if thread.compare_exchange(0, STARTING, SeqCst, SeqCst).is_err() {
        return true;
    }
    let started = match role {
        Role::Functions => start_functions(),
        _ => start_signals(engine),
    };
    if !started {
        thread.store(0, SeqCst);
    }
    started
}

/// The earliest deadline of `role` has changed.
pub fn tell(engine: &Engine, role: Role) {
    let Some(thread) = THREADS.get(role as usize) else { return };
    // One that is still starting asks for the deadline later than this.
    let index = thread.load(SeqCst) as usize;
    if (1..=SLOTS).contains(&index) {
        let seq = engine.page.slots[index - 1].state.load().seq();
        engine.wake(index - 1, seq, Reason::Woken);
    }
}

/// Serves `role` from slot `me`, until it is to end.
fn serve(engine: Engine, me: usize, role: Role) -> ! {
    let slot = &engine.page.slots[me];
    THREADS[role as usize].store(me as u32 + 1, SeqCst);
    let mut rounds = 0u32;
    loop {
        // What the functions called below wait for has a name of its own.
        slot.thread().what.store(WaitKind::Timer as u32, Relaxed);
        let seq = engine.begin_wait(me);
        // Like the deadlines: whoever wants it to end says so, and then promises the wait.
        if role == Role::Signals && ENDS.load(SeqCst) {
            engine.set_own(me, Kind::Ending);
            bare_thread::end();
        }
        let earliest = timer_table::table(&engine).1.earliest(role);
        if engine.park(me, seq, earliest.ns(), Signals::Ignore, false, None) != Reason::TimedOut {
            continue;
        }
        // Where the program's last thread has ended by an instruction of its own, nobody has told.
        rounds = rounds.wrapping_add(1);
        if role == Role::Signals
            && rounds % 64 == 1
            && !numbers::nested()
            && process::only(engine.pid, &[session::gettid()])
        {
            engine.set_own(me, Kind::Ending);
            bare_thread::end();
        }
        // In frozen mode one at a time: the next when everybody is at rest again.
        while let Some(function) = expire(&engine, role) {
            if let Some((function, attributes, value)) = function {
                call(function, attributes, value);
            }
            if engine.frozen() {
                break;
            }
        }
    }
}

/// Lets the next timer that is due expire, and tells what function is to be called; `None` if none
/// is due.
fn expire(engine: &Engine, role: Role) -> Option<Option<(usize, usize, usize)>> {
    let (_locked, table) = timer_table::table(engine);
    let at = table.expire(role, SessionClocks(engine).now())?;
    let timer = table.timer(at);
    Some(match timer.notify {
        Notify::Function(function, attributes) => Some((function, attributes, timer.value)),
        _ => None,
    })
}

/// What the thread that starts others has for them, at least.
const STACK: usize = 64 << 10;

/// What the thread that sends signals runs on.
static SIGNALS: BareThread = BareThread::new();
/// Its slot, while it is being started.
static SLOT: AtomicU32 = AtomicU32::new(0);

fn start_signals(engine: &Engine) -> bool {
    let parent = tls().slot.get().checked_sub(1).map_or(0, |slot| slot as usize);
    let page = engine.page;
    // Before all that sleep until the same instant and began to in the same instant: who sets a
    // timer and then sleeps is interrupted by it.
    let birth = page.birth_of_child(parent) >> 16;
    // Busy from before the caller goes on.
    let Some(slot) = page.claim(Kind::New, engine.pid, 0, birth) else { return false };
    SLOT.store(slot as u32, SeqCst);
    // SAFETY: `start` lets nobody start a second.
    let started = unsafe { SIGNALS.start(true, signals) };
    if !started {
        page.release(slot);
    }
    started
}

extern "C" fn signals() -> ! {
    bare_thread::name(c"flux-timers");
    if let Some(engine) = session::engine() {
        let me = SLOT.load(SeqCst) as usize;
        let slot = &engine.page.slots[me];
        slot.tid.store(numbers::my_thread(), SeqCst);
        numbers::note(me);
        engine.set_own(me, Kind::Busy);
        serve(engine, me, Role::Signals)
    }
    // Not reached: who has started this thread is in a session.
    bare_thread::end()
}

fn start_functions() -> bool {
    let mut thread: pthread_t = 0;
    with_attributes(|attr| {
        // SAFETY: an initialised object.
        unsafe {
            block_all(attr);
            libc::pthread_attr_setstacksize(attr, STACK.max(libc::PTHREAD_STACK_MIN));
            threads::create(&mut thread, attr, functions, std::ptr::null_mut()) == 0
        }
    })
}

unsafe extern "C-unwind" fn functions(_: *mut c_void) -> *mut c_void {
    let me = tls().slot.get().checked_sub(1);
    if let (Some(engine), Some(me)) = (session::engine(), me) {
        serve(engine, me as usize, Role::Functions)
    }
    THREADS[Role::Functions as usize].store(0, SeqCst);
    std::ptr::null_mut()
}

/// The thread of these attributes begins with all signals blocked but libc's own, which libc leaves
/// out.
///
/// # Safety
/// An initialised object.
unsafe fn block_all(attr: *mut pthread_attr_t) {
    // SAFETY: a set of our own.
    unsafe {
        let mut all: sigset_t = std::mem::zeroed();
        libc::sigfillset(&mut all);
        next!(pthread_attr_setsigmask_np: fn(*mut pthread_attr_t, *const sigset_t) -> c_int)(
            attr, &all,
        );
    }
}

/// Attributes of a detached thread, while `body` runs.
fn with_attributes<R>(body: impl FnOnce(*mut pthread_attr_t) -> R) -> R {
    // SAFETY: an object of our own, initialised and destroyed.
    unsafe {
        let mut attr: pthread_attr_t = std::mem::zeroed();
        libc::pthread_attr_init(&mut attr);
        libc::pthread_attr_setdetachstate(&mut attr, libc::PTHREAD_CREATE_DETACHED);
        let answer = body(&mut attr);
        libc::pthread_attr_destroy(&mut attr);
        answer
    }
}

/// What of the caller's attributes is kept for the threads of a timer: the size of the stack. 0
/// stands for none given.
///
/// # Safety
/// `attr` is null or initialised.
pub unsafe fn attributes(attr: *const pthread_attr_t) -> usize {
    let mut size = 0;
    if !attr.is_null() {
        // SAFETY: initialised, by this function's contract.
        unsafe { libc::pthread_attr_getstacksize(attr, &mut size) };
    }
    size
}

/// Starts a thread that calls `function` with `value`, all signals blocked, as glibc has it.
fn call(function: usize, stack: usize, value: usize) {
    type Start = unsafe extern "C-unwind" fn(*mut c_void) -> *mut c_void;
    let mut thread: pthread_t = 0;
    with_attributes(|attr| {
        // SAFETY: an initialised object. The function takes a `union sigval`, which is passed like
        // the pointer in it, and what it leaves in the register of a result is nobody's: the thread
        // is detached.
        unsafe {
            block_all(attr);
            if stack != 0 {
                libc::pthread_attr_setstacksize(attr, stack);
            }
            threads::create(
                &mut thread,
                attr,
                std::mem::transmute::<usize, Start>(function),
                value as *mut c_void,
            )
        }
    });
}
