//! Naps of tracees that spin ([`crate::tracer::spin::spinners`]): when they may take one, what it is, how it
//! ends.
//!
//! A nap counts as blocked only while nobody has done anything since the lap before it began, for
//! the thread may not have seen it. Of those with the library their words tell. A tracee's word
//! tells nothing while it runs and when it falls asleep; so the lap counts only if all other
//! tracees were asleep when it began and have not run when it is over. If they have, the thread
//! naps all the same, so as to leave them the processor, and counts as running.

use crate::session::real_now;
use crate::tracer::event_loop::{Tracer, runs};
use crate::tracer::ptrace::stop::{Failed, Stopped};
use engine::patience::LONGEST_NAP;
use engine::region::tracer_word::{NAPS, STOPPED, TRACED};
use engine::schedule::back_off::{self, FROZEN_STEP, STEP};
use engine::{Kind, Reason, What};
use libc::pid_t;
use look::thread::{Files, Thread as Found};
use posix::time::NEVER;
use std::collections::HashMap;
use std::sync::atomic::Ordering::SeqCst;

/// What no state of the session's words is: [`engine::region::slot::Slot::spin`] of who naps and counts as
/// running.
const VOID: u32 = 2;

/// A nap.
pub struct Nap {
    stopped: Stopped,
    /// It ends at its own deadline and at nobody else's.
    own: bool,
    /// It counts as blocked.
    quiet: bool,
    /// Jumps before.
    jumps: u64,
}

/// What a lap has begun with.
#[derive(Default)]
pub struct Lap {
    /// What the session's words were.
    words: u32,
    /// All other tracees were asleep.
    quiet: bool,
    /// Their files, and what they were found doing.
    others: HashMap<pid_t, (Files, Found)>,
}

impl Tracer {
    /// The tracees whose words do not tell whether they do anything, but for those that ask
    /// themselves, or look after others.
    fn others(&self, tid: pid_t) -> impl Iterator<Item = (pid_t, pid_t)> {
        let quiet = |me: usize| {
            let slot = self.slot(me);
            slot.beats()
                || slot.tracer.load(SeqCst) == STOPPED
                || slot.state.load().kind() != Kind::Foreign
        };
        self.threads.iter().filter_map(move |(&other, thread)| {
            let counts = other != tid && thread.asks.is_none() && !thread.slot.is_none_or(quiet);
            counts.then_some((thread.process, other))
        })
    }

    /// A lap begins.
    fn lap_begins(&self, tid: pid_t, lap: &mut Lap) {
        let mut before = std::mem::take(&mut lap.others);
        lap.quiet = self.others(tid).all(|(process, other)| {
            let open = || Files::open(process as u32, other as u32, real_now).ok();
            let Some(mut files) = before.remove(&other).map(|(files, _)| files).or_else(open)
            else {
                return false;
            };
            let found = files.look(None);
            lap.others.insert(other, (files, found));
            matches!(found, Found::Asleep(_) | Found::Zombie)
        });
    }

    /// Has nobody else done anything since the lap began?
    fn is_quiet(&self, tid: pid_t, lap: &mut Lap) -> bool {
        lap.quiet
            && self.others(tid).all(|(_, other)| {
                let Some((files, found)) = lap.others.get_mut(&other) else { return false };
                let runs = if let Found::Asleep(runs) = found { Some(*runs) } else { None };
                files.look(runs) == *found
            })
    }

    /// The thread of slot `me` spins, and asks once more from here on.
    pub(in crate::tracer) fn next_lap(
        &mut self,
        stopped: Stopped,
        me: usize,
    ) -> Result<(), Failed> {
        let (slot, page, tid) = (&self.engine.page.slots[me], self.engine.page, stopped.tid());
        slot.what.store(What::Spin as u32, SeqCst);
        slot.spin().store(1, SeqCst);
        let words = page.words();
        slot.spin().store(words, SeqCst);
        let Some(mut asks) = self.threads.get_mut(&tid).and_then(|thread| thread.asks.take())
        else {
            return self.go(stopped, 0);
        };
        (asks.asked, asks.other, asks.repeats) = (0, 0, false);
        asks.until = asks.next_look();
        asks.lap.words = words;
        self.lap_begins(tid, &mut asks.lap);
        self.threads.entry(tid).and_modify(|thread| thread.asks = Some(asks));
        self.go(stopped, 0)
    }

    /// A lap is over.
    pub(in crate::tracer) fn lap_over(
        &mut self,
        stopped: Stopped,
        me: usize,
    ) -> Result<(), Failed> {
        let (engine, tid) = (self.engine, stopped.tid());
        let Some(mut asks) = self.threads.get_mut(&tid).and_then(|thread| thread.asks.take())
        else {
            return self.go(stopped, 0);
        };
        let words = asks.lap.words == engine.page.words();
        let quiet = words && self.is_quiet(tid, &mut asks.lap);
        let Some(thread) = self.threads.get_mut(&tid) else { return Ok(()) };
        let asks = thread.asks.insert(asks);
        let next = engine.next_waiter(me).filter(|_| words);
        let Some((_, due)) = next else { return self.next_lap(stopped, me) };
        if due == NEVER && (asks.repeats || !engine.frozen()) {
            // By the real clock.
            return self.let_alone(stopped);
        }
        let now = engine.now();
        let shortest = if engine.frozen() { FROZEN_STEP } else { STEP };
        let step = back_off::step(asks.laps.unwrap_or(0) + asks.weight, shortest);
        // Who is due at this very instant is woken first. A round that repeats does so until
        // somebody is.
        let until = if asks.repeats { due } else { now.saturating_add(step).min(due) }.max(now);
        let slot = &engine.page.slots[me];
        // The registers have been read, so the thread has let go of the processor, and the count is
        // the last one.
        slot.key.store(runs(thread.process, tid), SeqCst);
        let _ = slot.tracer.compare_exchange(TRACED, NAPS, SeqCst, SeqCst);
        asks.until = real_now() + LONGEST_NAP.ns();
        let own = quiet && until < due;
        asks.nap = Some(Nap { stopped, own, quiet, jumps: engine.page.header.jumps.load(SeqCst) });
        if !quiet {
            slot.spin().store(VOID, SeqCst);
        }
        engine.enter_kernel_stopped(me, if quiet { until } else { NEVER });
        if quiet {
            engine.looked_for(me);
        }
        Ok(())
    }

    /// The end of a nap.
    pub(in crate::tracer) fn wake(&mut self, tid: pid_t, me: usize) -> Result<(), Failed> {
        let engine = self.engine;
        let Some(thread) = self.threads.get_mut(&tid) else { return Ok(()) };
        let go = self.processes.get(&thread.process).is_some_and(|process| process.go);
        let Some(asks) = &mut thread.asks else { return Ok(()) };
        let Some(Nap { stopped, own, quiet, jumps }) = asks.nap.take() else { return Ok(()) };
        let slot = &engine.page.slots[me];
        // First of all it is not asleep any more: while it was, time must not pass its deadline.
        let _ = slot.tracer.compare_exchange(NAPS, TRACED, SeqCst, SeqCst);
        slot.deadline.store(NEVER, SeqCst);
        let timed_out = engine.resume(me, Kind::Foreign) == Reason::TimedOut;
        let jumped = engine.page.header.jumps.load(SeqCst) != jumps;
        if own && timed_out || quiet && asks.repeats && jumped {
            engine.count_creep();
        }
        if own && timed_out {
            asks.laps = asks.laps.map(|laps| laps + asks.weight);
        } else if !go && jumped {
            // Something has happened, if only the time of another: it is from there that it asks
            // for nothing. (Of the deadlines in a program in Go some are always its runtime's.)
            asks.laps = Some(0);
        }
        let laps = asks.laps.unwrap_or(0);
        self.has_spun(tid, laps);
        self.next_lap(stopped, me)
    }

    /// Go moves what spins from thread to thread, and stops it to collect garbage.
    pub(in crate::tracer) fn has_spun(&mut self, tid: pid_t, laps: u64) {
        let now = self.engine.now();
        let process =
            self.threads.get(&tid).and_then(|thread| self.processes.get_mut(&thread.process));
        if let Some(process) = process.filter(|process| process.go) {
            process.spun = (now, laps);
        }
    }
}
