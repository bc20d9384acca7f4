//! The keeper: the one thread that looks at kernel waits. It owns every look that did not end in a
//! jump.
//!
//! The keeper's word says whether it wants to be kicked. The word becomes [`ATTENTIVE`] *before*
//! the keeper looks, and the keeper sleeps only while the word is unchanged. So a thread that
//! blocks after it was seen busy finds the word attentive and kicks, or the keeper saw it blocked.
//! After a look that failed on a thread still on its way to sleep, the keeper backs off. Nobody
//! needs to kick it then, since it looks again by itself. The back-off bounds the cost for a
//! program that blocks and wakes all the time.
//!
//! In elapsed mode the keeper also ends waits whose deadline comes by real time while other threads
//! compute, if a jump has brought that deadline nearer than the waiter knows
//! ([`crate::schedule::real_timeout`]).

use crate::keeper::spin_suspects::SpinSuspects;
use crate::patience::{
    BACKOFF_MAX, BACKOFF_MIN, HEARTBEAT, HOLD_LOOK, PATROL_MAX, PATROL_MIN, PATROL_MOVES, WATCH,
};
use crate::procfs::{Path, state_letter};
use crate::region::keeper_word::{ATTENTIVE, BACKOFF};
use crate::region::layout::{ClockMode, Page};
use crate::region::lock::KEEPER;
use crate::region::state::Kind;
use crate::region::tracer_word::owned;
use crate::schedule::busy::Busy;
use crate::schedule::decide::Outcome;
use crate::schedule::engine::Engine;
use crate::schedule::frozen_progress::FrozenProgress;
use crate::schedule::look::Look;
use crate::sync::SeqCst;
use crate::sys::{self, Timespec};
use posix::time::{NEVER, RealSpan};

/// What the keeper tells the look between rounds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Round {
    /// A survey is about to begin.
    Begins,
    /// The same thread has been busy over two patrols, and nothing else has happened. The look may
    /// look closer at it.
    Stalled,
    /// Things move.
    Moves,
}

/// What the keeper reports to its caller.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// All are blocked and nobody has a deadline. The session moves only from outside.
    Rest,
    /// All were blocked, and the clock has moved.
    Jump,
    /// A thread runs, or may run.
    Busy(Busy),
    /// Frozen mode, once: the thread of this slot computes so long that the clock was moved, or an
    /// equal was woken, although it runs. From here on the run is not repeatable.
    Rescue(usize),
}

/// The keeper's loop. `round` tells the look what has happened (a look may look closer at busy
/// threads after [`Round::Stalled`]). `event` hears the result of every look, and ends the loop
/// with `false`.
pub fn run<L: Look>(
    engine: Engine,
    look: &mut L,
    mut round: impl FnMut(&mut L, Round),
    mut event: impl FnMut(Event) -> bool,
) {
    let page = engine.page;
    let mut backoff = BACKOFF_MIN;
    let mut patrol = PATROL_MIN;
    let mut last_busy = None;
    let mut progress = FrozenProgress::default();
    let mut suspects = SpinSuspects::default();
    loop {
        page.header.keeper.store(ATTENTIVE, SeqCst);
        // Until the keeper knows how long it will sleep, any deadline that comes by real time is
        // worth a kick.
        page.header.keeper_wakes.store(NEVER, SeqCst);
        let unhooked = look.end_unhooked(page, engine.now());
        let next = if page.mode() == ClockMode::Elapsed {
            engine.expire_by_real_time(KEEPER).unwrap_or_else(|| engine.now()).min(unhooked)
        } else {
            NEVER
        };
        round(look, Round::Begins);
        let outcome = engine.settle(KEEPER, look);
        if let Outcome::NotIdle(busy) = outcome
            && busy.slot().is_some()
            && let Some(file) = look.state_file()
        {
            // Most threads make the state busy by themselves, before this thread has seen them.
            page.keeper_goes_busy(file);
        }
        let sleep = match outcome {
            Outcome::Mine => {
                (backoff, patrol) = (BACKOFF_MIN, PATROL_MIN);
                progress.moves(&engine);
                if !event(Event::Jump) {
                    return;
                }
                continue;
            }
            Outcome::Woke | Outcome::Fired => {
                (backoff, patrol) = (BACKOFF_MIN, PATROL_MIN);
                progress.moves(&engine);
                if !event(Event::Jump) {
                    return;
                }
                PATROL_MIN
            }
            Outcome::NoDeadline | Outcome::NotIdle(Busy::Held) => {
                (backoff, patrol) = (BACKOFF_MIN, PATROL_MIN);
                progress.moves(&engine);
                if !event(Event::Rest) {
                    return;
                }
                if look.watches() { WATCH } else { HEARTBEAT }
            }
            Outcome::NotIdle(
                busy @ (Busy::Runs(slot)
                | Busy::SaysSo(slot)
                | Busy::Awake(slot)
                | Busy::AsksAgain(slot)),
            ) => {
                if !event(Event::Busy(busy)) {
                    return;
                }
                let seen = page.slots[slot].state.load();
                let forced = matches!(busy, Busy::SaysSo(_));
                if seen.busy() || forced {
                    if page.mode() == ClockMode::Frozen
                        && progress.stands(&engine, look, slot, (forced, false))
                        && !event(Event::Rescue(slot))
                    {
                        return;
                    }
                    let same = last_busy == Some((slot, seen, page.header.jumps.load(SeqCst)));
                    last_busy = Some((slot, seen, page.header.jumps.load(SeqCst)));
                    round(look, if same { Round::Stalled } else { Round::Moves });
                    if page.real() && !same {
                        // No jump can be late here, so rest may be reported a little later.
                        // Programs whose threads hand over to each other all the time then do not
                        // wake this thread each time.
                        back_off(page, &mut backoff);
                        continue;
                    }
                    let longest = if same { PATROL_MAX } else { PATROL_MOVES };
                    let sleep = patrol.min(longest);
                    patrol = sleep.times(2).min(longest);
                    sleep
                } else {
                    let traced =
                        seen.kind() == Kind::Foreign && owned(page.slots[slot].tracer.load(SeqCst));
                    if traced && let Some(burnt) = look.burnt(page, slot) {
                        suspects.runs(&engine, slot, burnt);
                    }
                    if page.mode() == ClockMode::Frozen
                        && progress.stands(&engine, look, slot, (false, true))
                        && !event(Event::Rescue(slot))
                    {
                        return;
                    }
                    back_off(page, &mut backoff);
                    continue;
                }
            }
            Outcome::NotIdle(Busy::Changed) => {
                // The change is done: survey again at once.
                backoff = BACKOFF_MIN;
                if !event(Event::Busy(Busy::Changed)) {
                    return;
                }
                continue;
            }
            Outcome::NotIdle(busy @ Busy::InFlight(_)) => {
                progress.moves(&engine);
                if !event(Event::Busy(busy)) {
                    return;
                }
                back_off(page, &mut backoff);
                continue;
            }
            Outcome::NotIdle(busy @ Busy::Holds(_)) => {
                (backoff, patrol) = (BACKOFF_MIN, PATROL_MIN);
                progress.moves(&engine);
                if !event(Event::Busy(busy)) {
                    return;
                }
                let until_due = RealSpan::from_ns(next.saturating_sub(engine.now()));
                look_later(page, HOLD_LOOK.min(until_due));
                continue;
            }
            Outcome::NotIdle(busy) => {
                if !event(Event::Busy(busy)) {
                    return;
                }
                free_lock(&engine);
                back_off(page, &mut backoff);
                continue;
            }
        };
        let now = (engine.real_now)();
        let until_due = next.saturating_sub(page.now(|| now));
        wait(page, now, sleep.min(RealSpan::from_ns(until_due)));
    }
}

/// Sleeps until kicked, for `sleep` at most.
fn wait(page: &Page, now: u64, sleep: RealSpan) {
    page.header.keeper_wakes.store(now.saturating_add(sleep.ns()), SeqCst);
    sys::futex_wait(&page.header.keeper, ATTENTIVE, Some(&Timespec::of(sleep)), false);
}

/// Sleeps without being kicked, and twice as long the next time.
fn back_off(page: &Page, backoff: &mut RealSpan) {
    page.header.keeper.store(BACKOFF, SeqCst);
    // In the model a time-out never comes, and nobody kicks here.
    #[cfg(loom)]
    crate::sync::spin_hint();
    #[cfg(not(loom))]
    sys::futex_wait(&page.header.keeper, BACKOFF, Some(&Timespec::of(*backoff)), false);
    *backoff = backoff.times(2).min(BACKOFF_MAX);
}

/// Sleeps for `sleep` without being kicked by those who block. Who gives up a hold wakes the keeper
/// all the same, and if that was since the last look, the keeper does not sleep.
fn look_later(page: &Page, sleep: RealSpan) {
    let word = &page.header.keeper;
    if word.compare_exchange(ATTENTIVE, BACKOFF, SeqCst, SeqCst).is_ok() {
        sys::futex_wait(word, BACKOFF, Some(&Timespec::of(sleep)), false);
    }
}

/// Takes the lock from a holder that is dead or stopped, and releases it. Its work is done again:
/// the heap is rebuilt in the other arena, and the old holder cannot move the clock (see
/// [`crate::region::lock`]).
fn free_lock(engine: &Engine) {
    let page = engine.page;
    let Some(token) = page.header.clock.holder() else { return };
    // A former keeper has died with the lock.
    let died = || token.owner() == KEEPER;
    let halted =
        || token.owner() < crate::region::sizes::SLOTS && holder_cannot_go_on(page, token.owner());
    if !died() && !halted() {
        return;
    }
    if let Some(held) = engine.take_over(token, KEEPER, (engine.real_now)()) {
        page.drain_mail(held.arena);
        engine.unlock(held);
    }
}

/// Is the thread of slot `index` dead, stopped, or in a handler that waits?
/// `/proc/PID/task/TID/stat` tells: no thread sleeps while it holds the lock.
fn holder_cannot_go_on(page: &Page, index: usize) -> bool {
    let slot = &page.slots[index];
    let (pid, tid) = (slot.pid.load(SeqCst), slot.tid.load(SeqCst));
    let mut text = [0u8; 128];
    let Ok(stat) = Path::thread(pid, tid, "stat").read(&mut text) else { return true };
    matches!(state_letter(stat), Some(b'S' | b'T' | b'Z' | b'X') | None)
}
