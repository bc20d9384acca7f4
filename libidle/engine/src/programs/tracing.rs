//! How the session's threads ask the launcher's tracer to trace a program: by a word in the slot,
//! and by a word that the tracer sleeps on.
//!
//! A thread is about to execute a program that cannot load the library. It asks the tracer to trace
//! it first: the program's first instructions would otherwise run without the session. The thread
//! asks through its slot and sleeps until the answer. If the launcher is dead, or has found out
//! that nobody can be traced, the answer is no, and the session, or the program, goes on in real
//! time. The answer is also no after [`ANSWERS`] waits. That is long, because a busy machine takes
//! its time to start the tracer.
//!
//! No request and no expired wait is lost. The thread that has one stores it and then counts up the
//! tracer's word. The tracer reads the word, looks for all there is to do, and sleeps only while
//! the word is what it has read.

use crate::arch::numbers as nr;
use crate::patience::{ANSWER, ANSWERS};
use crate::programs::elf::Program;
use crate::region::tracer_word::{ASKS, GIVES_BACK, GRANTED, NONE, Trace};
use crate::schedule::engine::Engine;
use crate::sync::SeqCst;
use crate::sys::{self, Timespec};

/// prctl(2): a process, and its descendants, may trace the caller.
const PR_SET_PTRACER: usize = 0x5961_6d61;

impl Engine {
    /// Must the tracer trace a program of this kind from its first instruction on?
    pub fn to_be_traced(&self, program: Program) -> bool {
        match self.page.trace() {
            Trace::None => false,
            Trace::Auto => program.cannot_load(),
            Trace::All => program != Program::Foreign,
        }
    }

    /// Asks the tracer to trace slot `me`'s thread, if `program` needs it. True if the tracer does;
    /// then [`Engine::give_back`] follows if the program was not executed.
    #[inline]
    pub fn ask_for(&self, me: usize, request: u32, program: Option<Program>) -> bool {
        // A thread that asks here under `--trace=all` is traced already, and so is the program that
        // it executes. But the tracer has to know the slot of a program that does not know its slot
        // itself.
        let needs = |program: Program| program.cannot_load() && self.page.trace() != Trace::None;
        program.is_some_and(needs) && self.ask_tracer(me, request)
    }

    /// The calling process, with one thread or as good as that, is about to execute a program; slot
    /// `me` will be the program's. True if the tracer traces it now.
    pub fn ask_for_program(&self, me: usize, pid: u32) -> bool {
        self.page.slots[me].pid.store(pid, SeqCst);
        self.ask_tracer(me, ASKS)
    }

    /// Makes `request` of the tracer, on behalf of slot `me`, whose numbers are the calling
    /// thread's. True if the tracer grants it. The thread is busy meanwhile.
    pub fn ask_tracer(&self, me: usize, request: u32) -> bool {
        let word = &self.page.slots[me].tracer;
        // Yama's default lets only ancestors trace; the tracer is a child of the launcher. Others
        // answer EINVAL.
        let launcher = self.page.header.launcher.load(SeqCst) as usize;
        // SAFETY: plain numbers.
        unsafe { crate::arch::syscall::syscall6(nr::PRCTL, PR_SET_PTRACER, launcher, 0, 0, 0, 0) };
        word.store(request, SeqCst);
        self.page.header.tracer_asked.fetch_add(1, SeqCst);
        if !self.page.wake_tracer() {
            // The tracer may be about to look. Or nobody has needed a tracer yet: then the keeper
            // starts it.
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

    /// The thread does not need the tracer after all. Returns when the tracer has let it go.
    pub fn give_back(&self, me: usize) {
        let word = &self.page.slots[me].tracer;
        if word.compare_exchange(GRANTED, GIVES_BACK, SeqCst, SeqCst).is_ok() {
            self.page.header.tracer_asked.fetch_add(1, SeqCst);
            self.page.wake_tracer();
            self.answered(me, GIVES_BACK);
            word.store(NONE, SeqCst);
        }
    }

    fn answered(&self, me: usize, request: u32) -> bool {
        let word = &self.page.slots[me].tracer;
        let slice = Timespec::of(ANSWER);
        let hopeless =
            || self.page.abandoned() || request != GIVES_BACK && self.page.trace() == Trace::None;
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
}
