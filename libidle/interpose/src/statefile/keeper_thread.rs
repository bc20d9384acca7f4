//! The thread that finds out whether the tree is at rest.
//!
//! Each process that has ever waited has one, and each that begins while nobody keeps, in case that
//! its first wait is one that no hook sees: a bare thread ([`crate::shim::bare_thread`]). One of
//! them all is the keeper ([`engine::keeper::rounds`]); the others sleep until the kernel says that
//! it has died ([`engine::keeper::liveness`]). So whatever process ends, by whatever means: either
//! somebody still runs, who will start a helper when it waits, or somebody waits, who has one.
//!
//! It has descriptors of its own, so that the program sees none of those that it opens, and cannot
//! close them. Of the program's it keeps the state file alone: no pipe stays open because of it.

use crate::patience::MOMENT;
use crate::shim::bare_thread::{self, BareThread};
use crate::shim::library::THREAD_NEEDED;
use crate::shim::reach;
use crate::shim::session;
use crate::shim::vdso;
use engine::Engine;
use engine::arch::syscall::syscall6;
use engine::keeper::liveness::{self, Record};
use engine::keeper::rounds::{self, Event, Round};
use engine::statefile::file::{self, StateFile};
use engine::sys::{self, Timespec};
use look::{ProcLook, Whose, process};
use std::cell::UnsafeCell;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::atomic::{AtomicBool, AtomicU32};

/// It has closed what it does not need; a futex.
static READY: AtomicU32 = AtomicU32::new(0);

/// It is to end.
static ENDS: AtomicBool = AtomicBool::new(false);

static THREAD: BareThread = BareThread::new();

struct Shared(UnsafeCell<Record>);

// SAFETY: touched by the helper alone, of which a process has one.
unsafe impl Sync for Shared {}

static RECORD: Shared = Shared(UnsafeCell::new(Record::new()));

/// This process is one of a tree, and has no helper yet.
pub fn need() {
    THREAD.forget();
    THREAD_NEEDED.store(true, SeqCst);
}

/// Its number; 0 when there is none.
pub fn tid() -> u32 {
    THREAD.tid()
}

/// Ends it. Returns when it is gone, however long that takes: no thread may be left behind with the
/// credentials that the caller's next call gives up. True if the process needs another when it
/// waits next.
pub fn stop() -> bool {
    let Some(engine) = session::own_engine().filter(|engine| engine.page.real()) else {
        return false;
    };
    if THREAD_NEEDED.swap(false, SeqCst) {
        return true;
    }
    ENDS.store(true, SeqCst);
    // It is told again and again, because it may have looked just before it fell asleep.
    loop {
        liveness::call(engine.page);
        engine.kick_keeper();
        if THREAD.gone(engine.pid) {
            break;
        }
    }
    ENDS.store(false, SeqCst);
    true
}

/// This process needs none.
pub fn none() {
    THREAD_NEEDED.store(false, SeqCst);
}

/// Starts it, once; false if the kernel refuses.
#[cold]
pub fn start(engine: &Engine) -> bool {
    // A child of vfork(2) has the memory of its parent, and shall not start one in its name.
    if engine.pid != session::getpid()
        || file::descriptor() < 0
        || !THREAD_NEEDED.swap(false, SeqCst)
    {
        return true;
    }
    READY.store(0, SeqCst);
    // SAFETY: one at a time: `THREAD_NEEDED` is set again in another process only.
    let started = unsafe { THREAD.start(false, run) };
    while started && READY.load(SeqCst) == 0 {
        sys::futex_wait(&READY, 0, Some(&Timespec::of(MOMENT)), true);
    }
    started
}

/// To the program's standard error, which this thread has not open.
fn say(text: &str) {
    sys::with_descriptor(session::process(), libc::STDERR_FILENO, |fd| {
        file::say_to(fd, text);
        true
    });
}

/// Leaves `fd` open alone.
fn close_others(fd: i32) {
    let close = |first: u32, last: u32| {
        // SAFETY: the descriptors are this thread's own.
        unsafe { syscall6(libc::SYS_close_range, first as usize, last as usize, 0, 0, 0, 0) };
    };
    close(0, (fd as u32).saturating_sub(1));
    close(fd as u32 + 1, u32::MAX);
}

extern "C" fn run() -> ! {
    let fd = file::descriptor();
    close_others(fd);
    READY.store(1, SeqCst);
    sys::futex_wake(&READY, 1, true);
    bare_thread::name(c"libidle");
    // SAFETY: a plain prctl: short sleeps are not to be rounded up by 50 µs.
    unsafe { syscall6(libc::SYS_prctl, libc::PR_SET_TIMERSLACK as usize, 1, 0, 0, 0, 0) };
    let Some(page) = session::page() else { bare_thread::end() };
    let engine = Engine {
        page,
        pid: session::getpid(),
        real_now: vdso::monotonic,
        process: session::process,
        reach: &reach::Member,
    };
    // SAFETY: see `Shared`; this thread ends with the process.
    unsafe { liveness::enlist(page, RECORD.0.get()) };
    let (pid, me) = (engine.pid, session::gettid());
    let over = || ENDS.load(SeqCst) || process::only(pid, &[me]);
    if !liveness::succeed(page, me, || !over()) {
        bare_thread::end()
    }
    let file = StateFile { fd, say };
    let Some(mut look) = ProcLook::new(engine, Whose::Slots, Some(file), |_| ()) else {
        say("no memory; its state cannot be seen");
        bare_thread::end()
    };
    let (mut rounds, mut resting) = (0u32, false);
    let rests = std::cell::Cell::new(false);
    // Where the last thread has ended by a system call of its own (exit(2), not exit_group(2)),
    // this one must not keep the process alive.
    let alone = std::cell::Cell::new(false);
    rounds::run(
        engine,
        &mut look,
        |look, round| match round {
            Round::Begins => {
                // At rest nothing calls for a look at parked threads but an outsider's signal.
                resting = rests.replace(false);
                rounds = rounds.wrapping_add(1);
                look.begin(resting && rounds.is_multiple_of(16));
                alone.set(rounds.is_multiple_of(16) && process::only(pid, &[me]));
            }
            Round::Stalled => look.stalled(true),
            Round::Moves => look.stalled(false),
        },
        |event| {
            rests.set(event == Event::Rest);
            !ENDS.load(SeqCst) && !alone.get()
        },
    );
    bare_thread::end()
}
