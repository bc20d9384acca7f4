//! What the session's threads and the launcher's tracer have to tell each other: a word in the
//! slot, and one that the tracer sleeps on.
//!
//! A thread about to execute a program that cannot load the library asks the tracer to come first:
//! the program's first instructions would otherwise run without it. It asks through its slot and
//! sleeps until it is answered. Where the launcher is dead, or has found out that nobody can be
//! traced, the answer is a no: its session, or the program, goes on in real time. So it is after
//! [`ANSWERS`], which is long: a busy machine takes its time to start the tracer.
//!
//! No request and no expired wait is lost: who has one stores it and then counts up the tracer's
//! word; the tracer reads the word, looks for all that there is to do, and sleeps only while the
//! word is what it has read.

use crate::patience::{ANSWER, ANSWERS};
use crate::programs::elf::Program;
use crate::schedule::survey::Engine;
use crate::sync::SeqCst;
use crate::sys::{self, Timespec};

/// Values of [`crate::region::slot::Slot::tracer`]: nobody traces the thread, and it does not ask
/// for it.
pub const NONE: u32 = 0;
/// The thread `pid`/`tid` of the slot is about to execute a program.
pub const ASKS: u32 = 1;
/// The same, but a child that it makes next will execute it.
pub const ASKS_FOR_CHILD: u32 = 2;
/// The tracer has come.
pub const GRANTED: u32 = 3;
/// It will not.
pub const REFUSED: u32 = 4;
/// Nothing was executed after all: the tracer is to go.
pub const GIVES_BACK: u32 = 5;
/// The slot is the tracer's: a thread that it traces, or a wait that it will end.
pub const TRACED: u32 = 6;
/// The same, and the thread is stopped by a signal. Its run count then is in
/// [`crate::region::slot::Slot::key`].
pub const STOPPED: u32 = 7;
/// The slot is the tracer's own: until its deadline no timer expires that the tracer keeps for its
/// tracees.
pub const KEEPS_TIME: u32 = 8;
/// A thread that the tracer has stopped because it asks again and again, for a nap. Its run count
/// then is in [`crate::region::slot::Slot::key`].
pub const NAPS: u32 = 9;
/// Under `--trace=all`, a thread with the library is stopped by a signal: this bit, and the others
/// are its run count then.
pub const PAUSED: u32 = 1 << 31;

/// Does this value say that the slot is the tracer's?
pub fn owned(word: u32) -> bool {
    (TRACED..PAUSED).contains(&word)
}

/// How often a thread had been put on a processor, modulo [`PAUSED`], when a signal stopped it, if
/// this value says that one did.
pub fn paused(word: u32) -> Option<u32> {
    (word & PAUSED != 0).then_some(word & !PAUSED)
}

/// Which programs are traced.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub enum Trace {
    /// None.
    None = 0,
    /// Those that the library cannot speak for.
    Auto = 1,
    /// All.
    All = 2,
}

/// prctl(2): a process, and its descendants, may trace the caller.
const PR_SET_PTRACER: usize = 0x5961_6d61;

impl Engine {
    /// Which programs are to be traced; none any more when the tracer has found out that it is not
    /// allowed to.
    pub fn trace(&self) -> Trace {
        match self.page.header.trace.load(SeqCst) {
            0 => Trace::None,
            1 => Trace::Auto,
            _ => Trace::All,
        }
    }

    /// Is a program of this kind to be traced from its first instruction on?
    pub fn to_be_traced(&self, program: Program) -> bool {
        match self.trace() {
            Trace::None => false,
            Trace::Auto => program.cannot_load(),
            Trace::All => program != Program::Foreign,
        }
    }

    /// Asks the tracer to come on behalf of slot `me`, if `program` needs it. True if it has; then
    /// [`Engine::give_back`] follows in case that the program was not executed.
    #[inline]
    pub fn ask_for(&self, me: usize, request: u32, program: Option<Program>) -> bool {
        // Who asks here under `--trace=all` is traced already, and so is what it executes; but the
        // tracer has to know the slot of a program that does not know it itself.
        let needs = |program: Program| program.cannot_load() && self.trace() != Trace::None;
        program.is_some_and(needs) && self.ask_tracer(me, request)
    }

    /// The calling process, with one thread or as good as that, is about to execute a program; slot
    /// `me` will be the program's. True if the tracer has come.
    pub fn ask_for_program(&self, me: usize, pid: u32) -> bool {
        self.page.slots[me].pid.store(pid, SeqCst);
        self.ask_tracer(me, ASKS)
    }

    /// Asks the tracer for what `request` says, on behalf of slot `me`, whose numbers are the
    /// calling thread's. True if it has come. The thread is busy meanwhile.
    pub fn ask_tracer(&self, me: usize, request: u32) -> bool {
        let word = &self.page.slots[me].tracer;
        // Yama's default lets only ancestors trace; the tracer is a child of the launcher. Others
        // answer EINVAL.
        let launcher = self.page.header.launcher.load(SeqCst) as usize;
        // SAFETY: plain numbers.
        unsafe { sys::syscall6(sys::nr::PRCTL, PR_SET_PTRACER, launcher, 0, 0, 0, 0) };
        word.store(request, SeqCst);
        self.page.header.tracer_asked.fetch_add(1, SeqCst);
        if !self.wake_tracer() {
            // It may be about to look, or nobody has needed it yet: then the keeper has it started.
            self.kick_keeper();
        }
        if !self.answered(me, request) {
            let _ = word.compare_exchange(request, NONE, SeqCst, SeqCst);
        }
        let granted = word.load(SeqCst) == GRANTED;
        if !granted {
            word.store(NONE, SeqCst);
        }
        granted
    }

    /// What was granted was not needed. Returns when the tracer has gone.
    pub fn give_back(&self, me: usize) {
        let word = &self.page.slots[me].tracer;
        if word.compare_exchange(GRANTED, GIVES_BACK, SeqCst, SeqCst).is_ok() {
            self.page.header.tracer_asked.fetch_add(1, SeqCst);
            self.wake_tracer();
            self.answered(me, GIVES_BACK);
            word.store(NONE, SeqCst);
        }
    }

    fn answered(&self, me: usize, request: u32) -> bool {
        let word = &self.page.slots[me].tracer;
        let slice = Timespec::of(ANSWER);
        let hopeless =
            || self.page.abandoned() || request != GIVES_BACK && self.trace() == Trace::None;
        (0..ANSWERS).take_while(|_| !hopeless()).any(|_| {
            let waits = word.load(SeqCst) == request;
            if waits {
                sys::futex_wait(word, request, Some(&slice), false);
            }
            word.load(SeqCst) != request
        })
    }

    /// The tracer's answer to slot `index`, unless it has stopped waiting for one.
    pub fn answer(&self, index: usize, request: u32, answer: u32) -> bool {
        let word = &self.page.slots[index].tracer;
        let in_time = word.compare_exchange(request, answer, SeqCst, SeqCst).is_ok();
        sys::futex_wake(word, 1, false);
        in_time
    }

    /// Makes the tracer look for what there is to do. False if it was not asleep, or there is none.
    pub fn wake_tracer(&self) -> bool {
        let word = &self.page.header.tracer;
        word.fetch_add(1, SeqCst);
        sys::futex_wake(word, 1, false) > 0
    }
}
