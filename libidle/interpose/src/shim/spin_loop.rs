//! Loops that ask again and again for something that a sleeping thread will do: by the clock,
//! `sched_yield`, a non-blocking read, a try to lock, `waitpid(WNOHANG)`, `poll` with time-out
//! zero. Natively they burn the processor until the time has come. Here nobody sleeps as long as
//! they run, so time would not move for their sake.
//!
//! What tells such a loop from a computation is that its calls find nothing, follow each other at
//! once, and nothing else happens between them. [`posix::spin_rule`] has the rules; here is counted
//! what they ask for.
//!
//! A thread that spins backs off at the end of each further iteration, and gives way by no other
//! means: on a busy machine a sched_yield lasts for milliseconds. A back-off takes a microsecond or
//! a few. It only counts as blocked while nothing has changed in the session since the iteration
//! before it began, for the thread would have seen that at once. If nobody in the session waits for
//! an instant, the loop goes on by the real clock; a frozen one has no other way on.

use crate::patience::GAVE_WAY;
use crate::shim::entry::{WaitKind, enter};
use crate::shim::polling_wait::Silenced;
use crate::shim::session;
use crate::shim::thread_usage::{processor_time, slept};
use crate::shim::tls::{Tls, tls};
use crate::shim::vdso;
use engine::patience::LONGEST_BACK_OFF;
use engine::region::slot::Slot;
use engine::sys::{self, Timespec};
use engine::{Kind, Page, Reason};
use posix::spin_rule::{FOUND_NOTHING, NOT_THERE, SLOW, SLOW_LEAST, Seen};
use posix::time::{Cpu, CpuSpan, NEVER};
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};

/// The clock was read.
#[inline(always)]
pub fn look() {
    count(tls(), 1);
}

/// A call found nothing.
#[inline]
pub fn futile() {
    let tls = tls();
    let jumps = session::page().map_or(0, jumps);
    if tls.asker.found_nothing(jumps) && !instant_passes() {
        tls.asker.once_more();
    }
    count(tls, FOUND_NOTHING);
    tls.asker.round_over();
}

/// A call found that what it was to wait for has changed already: for a loop that is nothing, but
/// somebody else has got on.
#[inline]
pub fn too_late() {
    let tls = tls();
    tls.asker.too_late();
    count(tls, FOUND_NOTHING);
    tls.asker.round_over();
}

/// False if that is to be tried again in the next round.
#[cold]
fn instant_passes() -> bool {
    enter().is_none_or(|entry| !entry.engine.frozen() || entry.engine.pass_instant(entry.me))
}

/// A call got something done.
#[inline]
pub fn progress() {
    tls().asker.got_done();
}

/// Answers of which only those above zero are something: counts of descriptors, bytes, a child.
#[inline]
pub fn positive(answer: i64) {
    if answer > 0 { progress() } else { futile() }
}

/// Answers that are negative when nothing was got.
#[inline]
pub fn success(answer: i64) {
    if answer >= 0 { progress() } else { futile() }
}

/// Error numbers: 0 when it was got.
#[inline]
pub fn number(answer: i64) {
    if answer == 0 { progress() } else { futile() }
}

/// Questions about names: a negative answer is nothing, and others get nothing done either.
#[inline]
pub fn question(answer: i64) {
    if answer < 0 {
        count(tls(), NOT_THERE);
    }
}

/// Names that are opened.
#[inline]
pub fn found(answer: i64) {
    if answer >= 0 { progress() } else { question(answer) }
}

/// Gives the processor away by `call`. Not if the thread spins: it backs off. Nor if it has done so
/// for [`GAVE_WAY`].
#[inline]
pub fn give_way(call: impl FnOnce()) {
    let tls = tls();
    count(tls, FOUND_NOTHING);
    if tls.spin_words.get() != 0 || !tls.asker.gives_way() {
        return;
    }
    let began = vdso::monotonic();
    call();
    let long = vdso::monotonic() - began >= GAVE_WAY.ns();
    tls.asker.gave_way(long && session::page().is_some());
}

#[inline(always)]
fn count(tls: &Tls, looks: u32) {
    if tls.asker.looks(looks) {
        iteration(tls);
    }
}

fn jumps(page: &Page) -> u32 {
    page.jumps_for_waits() as u32
}

/// The calling thread, as the rules ask about it.
struct Own<'a>(&'a Page);

impl Seen for Own<'_> {
    fn jumps(&self) -> u32 {
        jumps(self.0)
    }

    fn burnt(&self) -> Cpu {
        Cpu::from_ns(processor_time())
    }

    fn slept(&self) -> u32 {
        slept()
    }

    /// Measured once. The shortest of a few tries counts, for the thread may lose the processor in
    /// one.
    fn slow(&self) -> CpuSpan {
        #[unsafe(link_section = ".data.interpose")]
        static MEASURED: AtomicU64 = AtomicU64::new(0);
        let readings = |_| {
            let began = vdso::monotonic();
            (0..SLOW).for_each(|_| _ = vdso::monotonic());
            vdso::monotonic() - began
        };
        if MEASURED.load(Relaxed) == 0 {
            let least = (0..4).map(readings).min().unwrap_or(0);
            MEASURED.store(least.max(SLOW_LEAST.ns()), Relaxed);
        }
        CpuSpan::from_ns(MEASURED.load(Relaxed))
    }
}

/// A poll iteration is over.
#[cold]
fn iteration(tls: &Tls) {
    let pure = tls.asker.iteration_over();
    let Some(engine) = session::engine().filter(|engine| !engine.page.real()) else { return };
    let Some(slot) = engine.page.slots.get(tls.slot.get().wrapping_sub(1) as usize) else { return };
    let (frozen, own) = (engine.frozen(), Own(engine.page));
    if !tls.asker.spins(pure, frozen, &own) {
        if slot.thread().spin.load(Relaxed) != 0 || tls.spin_words.get() != 0 {
            over(slot);
        }
        return;
    }
    if tls.spin_words.get() != 0 {
        let others = !back_off(tls);
        tls.asker.backed_off(others, frozen, &own);
    }
    // Says that this thread spins; then what the others do while it asks once more.
    slot.thread().spin.store(1, SeqCst);
    let words = engine.page.words();
    slot.thread().spin.store(words, SeqCst);
    tls.spin_words.set(words);
}

/// One back-off; false if time has moved on meanwhile for the sake of somebody else.
fn back_off(tls: &Tls) -> bool {
    let Some(entry) = enter() else { return false };
    let engine = &entry.engine;
    let frozen = engine.frozen();
    let now = engine.now();
    let step = tls.asker.step(frozen, &Own(engine.page));
    if frozen && engine.page.abandoned() {
        // Nobody jumps any more.
        engine.creep(entry.me, step.ns());
        tls.asker.moved();
        return true;
    }
    let Some(due) = engine.next_sleeper(entry.me).filter(|&due| frozen || due != NEVER) else {
        return true;
    };
    // Not past the next deadline: who is woken then may do what this thread waits for.
    let until = now.saturating_add(step.ns()).min(due);
    let _silenced = Silenced::new(&entry, 0);
    let words = tls.spin_words.get();
    let jumps = engine.page.jumps_for_waits();
    let wait = if due > now {
        entry.kernel_wait_until(WaitKind::Spin, until, || engine.page.words() == words)
    } else {
        // Somebody is due at this very instant, and will be woken.
        Some(entry.kernel_wait(WaitKind::Spin))
    };
    let came = match wait {
        None => true,
        Some(wait) => {
            let word = &entry.slot().state;
            let state = word.load();
            if state.kind() == Kind::Kernel {
                let longest = Timespec::of(LONGEST_BACK_OFF);
                sys::futex_wait(&word.0, state.0, Some(&longest), false);
            }
            wait.end() == Reason::TimedOut
        }
    };
    let alone = came && until < due;
    if alone {
        engine.count_creep();
        tls.asker.moved();
    }
    alone || engine.page.jumps_for_waits() == jumps
}

/// The slot's thread is about to do something else than to ask again.
#[cold]
fn over(slot: &Slot) {
    slot.thread().spin.store(0, SeqCst);
    tls().spin_words.set(0);
}
