//! Loops that ask again and again for something that a sleeping thread will do: by the clock,
//! `sched_yield`, a non-blocking read, a try to lock, `waitpid(WNOHANG)`, `poll` with time-out
//! zero. Natively they burn the processor until the time has come. Here nobody sleeps as long as
//! they run, so time would not move for their sake.
//!
//! What tells such a loop from a computation is that its calls find nothing, follow each other at
//! once, and nothing else happens between them. A *look* is a reading of the clock; a call that
//! found nothing counts as `FOUND_NOTHING` looks, because it takes longer, and a name that is not
//! there as `NOT_THERE`. `ITERATION` looks are a *poll iteration*, which is *pure* if no call
//! got anything done and no wait was made meanwhile. With a clock that runs, the processor time
//! spent must also be no more than `SLOW` a look, and [`SPIN`] in all.
//!
//! Who gives way to others on a busy machine would take minutes for that: each time lasts for as
//! long as the others like. So a thread to which that has happened ([`GAVE_WAY`]) gives way no more
//! until it does something else: a loop that asks a fixed number of times before it sleeps is soon
//! through, as it would be on an idle machine, and does not back off; one that waits for an instant
//! has soon spent its time.
//!
//! A thread that spins backs off ([`engine::schedule::back_off`]) at the end of each further
//! iteration, and gives way by no other means: on a busy machine a sched_yield lasts for
//! milliseconds. A back-off takes a microsecond or a few. It only counts as blocked while nothing
//! has changed in the session since the iteration before it began, for the thread would have seen
//! that at once. If nobody in the session waits for an instant, the loop goes on by the real clock;
//! a frozen one has no other way on.
//!
//! *Instants that have come*. `poll` with time-out zero, and then "is it later than when I began?":
//! natively it is, by some nanoseconds. Many libraries wait like that, with time-outs of zero too
//! (Python's multiprocessing does), and with a frozen clock it would be a loop without end. So
//! whoever has found nothing and read the clock `ROUNDS` times in turn, equally often each time,
//! sees it move on by a microsecond ([`engine::Engine::pass_instant`]): once, until it reads the
//! clock in some other way. All at one instant, and with nothing got done between: who waits four
//! times until a time-out, or meets four ends of files that it has just opened, asks for nothing.

use crate::patience::{GAVE_WAY, SPIN, SPIN_SLOW};
use crate::shim::entry::{What, enter};
use crate::shim::polling_wait::Silenced;
use crate::shim::session;
use crate::shim::thread_usage::{processor_time, slept};
use crate::shim::tls::{Tls, tls};
use crate::shim::vdso;
use engine::patience::LONGEST_NAP;
use engine::region::slot::Slot;
use engine::schedule::back_off::{self, FROZEN_STEP, STEP};
use engine::sys::{self, Timespec};
use engine::{Kind, Reason};
use posix::time::NEVER;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};

/// See *Instants that have come*.
const ROUNDS: u16 = 4;
/// Looks in an iteration.
const ITERATION: u32 = 1024;
/// What a call that found nothing counts for.
const FOUND_NOTHING: u32 = 50;
/// What a name that is not there counts for: programs look for many, and ask for one again and
/// again seldom.
const NOT_THERE: u32 = 8;
/// A loop that takes longer for a look than so many readings of the real clock do does something
/// else besides. No time: a reading takes 25 ns on a processor, and a microsecond under valgrind.
const SLOW: u64 = 16;
/// What [`SLOW`] readings take at least, processor ns: a hook does more than read the clock.
const SLOW_LEAST: u64 = 400;
/// The same as [`SPIN`] with a frozen clock: not in time, which would differ from run to run, but
/// in iterations at one instant in which the thread has not slept, of which the last one is pure:
/// millions of clock reads, or 50 000 calls. Threads that hand work to each other by waits with
/// time-outs read the clock as often, and no time may pass for it. Nor may it for those that do so
/// by locks which happen to be free each time, and read the clock a million times for it.
const FROZEN_PATIENCE: u32 = 2500;
/// Of a slow loop, or one that gets things done between its looks, as many iterations are enough
/// when [`SPIN_SLOW`] has been spent.
const FEW: u32 = 20;

/// The clock was read.
#[inline(always)]
pub fn look() {
    count(tls(), 1);
}

/// A call found nothing.
#[inline]
pub fn futile() {
    let tls = tls();
    round(tls);
    count(tls, FOUND_NOTHING);
    tls.round_began.set(tls.looks.get());
}

/// A call found that what it was to wait for has changed already: for a loop that is nothing, but
/// somebody else has got on.
#[inline]
pub fn too_late() {
    let tls = tls();
    tls.rounds.set(0);
    count(tls, FOUND_NOTHING);
    tls.round_began.set(tls.looks.get());
}

/// A call has found nothing: how often has the clock been read since the last one that did?
#[inline]
fn round(tls: &Tls) {
    // Where an iteration has ended in between nobody can tell.
    let Some(reads) = tls.looks.get().checked_sub(tls.round_began.get()).map(|reads| reads as u16)
    else {
        return;
    };
    let jumps = session::page().map_or(0, |page| page.header.jumps.load(Relaxed) as u32);
    let as_before =
        (reads, jumps) == (tls.round_reads.replace(reads), tls.round_jumps.replace(jumps));
    if reads == 0 || !as_before {
        return tls.rounds.set(0);
    }
    let rounds = tls.rounds.get().saturating_add(1);
    if rounds != ROUNDS || instant_passes() {
        tls.rounds.set(rounds);
    }
}

/// False if that is to be tried again in the next round.
#[cold]
fn instant_passes() -> bool {
    enter().is_none_or(|entry| !entry.engine.frozen() || entry.engine.pass_instant(entry.me))
}

/// A call got something done.
#[inline]
pub fn progress() {
    let tls = tls();
    tls.progress.set(true);
    tls.rounds.set(0);
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
    if tls.spin_words.get() != 0 || tls.hurries.get() {
        return;
    }
    let began = vdso::monotonic();
    call();
    tls.hurries.set(vdso::monotonic() - began >= GAVE_WAY.ns() && session::page().is_some());
}

#[inline(always)]
fn count(tls: &Tls, looks: u32) {
    let looks = tls.looks.get() + looks;
    tls.looks.set(looks);
    if looks >= ITERATION {
        iteration_over(tls);
    }
}

/// A poll iteration is over.
#[cold]
fn iteration_over(tls: &Tls) {
    tls.looks.set(0);
    let pure = !tls.progress.replace(false);
    if !pure {
        tls.hurries.set(false);
    }
    let Some(engine) = session::engine().filter(|engine| !engine.page.real()) else { return };
    let Some(slot) = engine.page.slots.get(tls.slot.get().wrapping_sub(1) as usize) else { return };
    let jumps = || engine.page.header.jumps.load(Relaxed) as u32;
    let spins = if engine.frozen() { stands(jumps(), tls, pure) } else { burns(tls, pure) };
    if !spins {
        if slot.thread().spin.load(Relaxed) != 0 || tls.spin_words.get() != 0 {
            over(slot);
        }
        return;
    }
    if tls.spin_words.get() != 0 {
        if !back_off_once(tls) {
            // Something has happened, if only the time of another: it is from there that the loop
            // asks for nothing.
            tls.spin_back_offs.set(0);
        }
        tls.progress.set(false);
        if engine.frozen() {
            marks(jumps(), tls, slept());
        }
    }
    // Says that this thread spins; then what the others do while it asks once more.
    slot.thread().spin.store(1, SeqCst);
    let words = engine.page.words();
    slot.thread().spin.store(words, SeqCst);
    tls.spin_words.set(words);
}

/// Does the thread spin, now that another iteration is over? With a clock that runs: by the
/// processor time it has spent.
fn burns(tls: &Tls, pure: bool) -> bool {
    tls.iterations.set(tls.iterations.get() + 1);
    let spent = burnt(tls);
    if !pure || spent > tls.iterations.get() as u64 * ITERATION as u64 * slow() {
        begins(tls);
        return false;
    }
    spent >= SPIN.ns()
}

/// The same with a frozen clock: by how much it has asked since somebody else has moved the clock.
fn stands(jumps: u32, tls: &Tls, pure: bool) -> bool {
    let iterations = tls.iterations.get().saturating_add(1);
    tls.iterations.set(iterations);
    let others = tls.spin_mark.get() != jumps;
    if iterations < FEW && !others {
        return false;
    }
    let slept = slept();
    if others || slept != tls.spin_slept.get() {
        begins(tls);
        marks(jumps, tls, slept);
        return false;
    }
    pure && iterations >= FROZEN_PATIENCE || burnt(tls) >= SPIN_SLOW.ns()
}

/// How long a look may take, ns: measured once. The shortest of a few tries counts, for the thread
/// may lose the processor in one.
fn slow() -> u64 {
    #[unsafe(link_section = ".data.interpose")]
    static MEASURED: AtomicU64 = AtomicU64::new(0);
    let readings = |_| {
        let began = vdso::monotonic();
        (0..SLOW).for_each(|_| _ = vdso::monotonic());
        vdso::monotonic() - began
    };
    if MEASURED.load(Relaxed) == 0 {
        MEASURED.store((0..4).map(readings).min().unwrap_or(0).max(SLOW_LEAST), Relaxed);
    }
    MEASURED.load(Relaxed)
}

/// The next iteration is the first in a row.
fn begins(tls: &Tls) {
    tls.hurries.set(false);
    tls.iterations.set(0);
    tls.spin_back_offs.set(0);
    tls.spin_burnt.set(processor_time());
}

/// With a frozen clock: from here on somebody else moves the clock, or the thread sleeps.
fn marks(jumps: u32, tls: &Tls, slept: u32) {
    tls.spin_mark.set(jumps);
    tls.spin_slept.set(slept);
}

/// Processor time spent on the iterations in a row, ns.
fn burnt(tls: &Tls) -> u64 {
    processor_time().saturating_sub(tls.spin_burnt.get())
}

/// One back-off; false if time has moved on meanwhile for the sake of somebody else.
fn back_off_once(tls: &Tls) -> bool {
    let Some(entry) = enter() else { return false };
    let engine = &entry.engine;
    let frozen = engine.frozen();
    let now = engine.now();
    let shortest = if frozen { frozen_step(tls) } else { STEP };
    let back_offs = tls.spin_back_offs.get() + 1;
    let step = back_off::step(back_offs, shortest);
    if frozen && engine.page.abandoned() {
        // Nobody jumps any more.
        engine.creep(entry.me, step);
        tls.spin_back_offs.set(back_offs);
        return true;
    }
    let Some((_, due)) = engine.next_waiter(entry.me).filter(|&(_, due)| frozen || due != NEVER)
    else {
        return true;
    };
    // Not past the next deadline: who is woken then may do what this thread waits for.
    let until = now.saturating_add(step).min(due);
    let _silenced = Silenced::new(&entry, 0);
    let words = tls.spin_words.get();
    let jumps = engine.page.header.jumps.load(Relaxed);
    let wait = if due > now {
        entry.kernel_wait_until(What::Spin, until, || engine.page.words() == words)
    } else {
        // Somebody is due at this very instant, and will be woken.
        Some(entry.kernel_wait(What::Spin))
    };
    let came = match wait {
        None => true,
        Some(wait) => {
            let word = &entry.slot().state;
            let state = word.load();
            if state.kind() == Kind::Kernel {
                let longest = Timespec::of(LONGEST_NAP);
                sys::futex_wait(&word.0, state.0, Some(&longest), false);
            }
            wait.end() == Reason::TimedOut
        }
    };
    let alone = came && until < due;
    if alone {
        engine.count_creep();
        tls.spin_back_offs.set(back_offs);
    }
    alone || engine.page.header.jumps.load(Relaxed) == jumps
}

/// The shortest step of a frozen clock. A slow loop need not wait for an instant for longer than by
/// a clock that runs.
fn frozen_step(tls: &Tls) -> u64 {
    let iteration = burnt(tls) / tls.iterations.get().max(1) as u64;
    if iteration > ITERATION as u64 * slow() { iteration } else { FROZEN_STEP }
}

/// The slot's thread is about to do something else than to ask again.
#[cold]
fn over(slot: &Slot) {
    slot.thread().spin.store(0, SeqCst);
    tls().spin_words.set(0);
}
