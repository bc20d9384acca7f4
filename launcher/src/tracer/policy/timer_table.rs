//! All timers of traced processes that end in a signal, and which of them expires next.

use crate::tracer::ptrace::thread_status::in_set;
use libc::pid_t;
use posix::clock::Shift;
use posix::time::{Instant, Span};
use posix::timer::Expired;
use std::collections::{BTreeMap, BTreeSet};

/// Number of ITIMER_REAL: no timer of timer_create(2) has it.
pub const ITIMER: i32 = -2;

/// Of one that is not set.
const STOPPED: Expired = Expired { first: Instant::NEVER, interval: Span::ZERO };

/// Whom an expiration tells.
#[derive(Clone, Copy)]
pub enum Notify {
    /// Nobody (`SIGEV_NONE`).
    Nobody,
    /// The process.
    Process(i32),
    /// A thread of it, by its number.
    Thread(i32, pid_t),
}

/// A timer of a traced process.
pub struct Timer {
    /// Its number in its process.
    pub id: i32,
    /// The clock that it was made for.
    pub clock: i32,
    /// What it signals.
    pub notify: Notify,
    /// `sigev_value`.
    pub value: u64,
    /// The next expiration, and those after it.
    pub expired: Expired,
    /// The how many-eth setting of any timer it was: the earlier one expires first.
    pub turn: u64,
    /// Set to an instant of a clock that can be set.
    pub settable: bool,
    /// Its last signal may still be pending.
    pub sent: bool,
    /// Overruns of that signal, and of the one that was taken last.
    pub overruns: (i32, i32),
}

impl Timer {
    /// One that is not set.
    pub fn new(id: i32, clock: i32, notify: Notify, value: u64) -> Timer {
        Timer {
            id,
            clock,
            notify,
            value,
            expired: STOPPED,
            turn: 0,
            settable: false,
            sent: false,
            overruns: (0, 0),
        }
    }

    /// ITIMER_REAL, which survives exec(2): its next expiration and interval.
    pub fn alarm(expired: Expired) -> Timer {
        let notify = Notify::Process(libc::SIGALRM);
        Timer { expired, ..Timer::new(ITIMER, libc::CLOCK_MONOTONIC, notify, 0) }
    }

    /// What is left until it expires next; zero if it does not.
    pub fn left(&self, now: Instant) -> Span {
        self.expired.left(now, matches!(self.notify, Notify::Nobody))
    }

    /// Its signal is being taken, at `now`: the expirations by then that had no signal are
    /// overruns.
    pub fn overrun(&mut self, now: Instant) {
        let expired = self.expired;
        if !expired.interval.is_zero() && expired.first <= now {
            let more = expired.overrun(now).saturating_add(1);
            self.overruns.0 = self.overruns.0.saturating_add(more);
            self.expired.first = expired.next(now);
        }
    }

    /// Is its signal pending, for its thread or for `process`?
    pub fn pending(&self, process: pid_t) -> bool {
        match self.notify {
            Notify::Process(number) => in_set(process, "ShdPnd:", number),
            Notify::Thread(number, tid) => in_set(tid, "SigPnd:", number),
            Notify::Nobody => false,
        }
    }

    /// When somebody is to be told of it next.
    fn due(&self) -> Option<Instant> {
        let due = self.expired.first;
        (!due.is_never() && !matches!(self.notify, Notify::Nobody)).then_some(due)
    }
}

/// A process and the number of one of its timers.
type Whose = (pid_t, i32);

/// The timers.
#[derive(Default)]
pub struct TimerTable {
    all: BTreeMap<Whose, Timer>,
    /// Those that will tell somebody: by deadline, then by turn.
    queue: BTreeSet<(Instant, u64, Whose)>,
    turns: u64,
}

impl TimerTable {
    /// Timer `id` of the process.
    pub fn get(&self, process: pid_t, id: i32) -> Option<&Timer> {
        self.all.get(&(process, id))
    }

    /// Changes timer `id` of the process, if there is one.
    pub fn change<R>(
        &mut self,
        process: pid_t,
        id: i32,
        change: impl FnOnce(&mut Timer) -> R,
    ) -> Option<R> {
        let whose = (process, id);
        let timer = self.all.get_mut(&whose)?;
        let entry = |timer: &Timer| timer.due().map(|due| (due, timer.turn, whose));
        let before = entry(timer);
        let done = change(timer);
        let after = entry(timer);
        if before != after {
            if let Some(entry) = before {
                self.queue.remove(&entry);
            }
            self.queue.extend(after);
        }
        Some(done)
    }

    /// The process has one more.
    pub fn add(&mut self, process: pid_t, timer: Timer) {
        let id = timer.id;
        let (expired, unset) = (timer.expired, Timer { expired: STOPPED, ..timer });
        self.remove(process, id);
        self.all.insert((process, id), unset);
        self.change(process, id, |timer| timer.expired = expired);
    }

    /// Timer `id` of the process, which has it no more.
    pub fn remove(&mut self, process: pid_t, id: i32) -> Option<Timer> {
        let timer = self.all.remove(&(process, id))?;
        if let Some(due) = timer.due() {
            self.queue.remove(&(due, timer.turn, (process, id)));
        }
        Some(timer)
    }

    /// The process has none any more.
    pub fn forget(&mut self, process: pid_t) {
        let ids: Vec<i32> =
            self.all.range(TimerTable::of(process)).map(|(&(_, id), _)| id).collect();
        for id in ids {
            self.remove(process, id);
        }
    }

    /// Those of the process that have told somebody by signal `number`.
    pub fn told_by(&self, process: pid_t, number: i32) -> Vec<i32> {
        let told = |timer: &Timer| {
            let by = match timer.notify {
                Notify::Process(by) | Notify::Thread(by, _) => by == number,
                Notify::Nobody => false,
            };
            by && timer.sent
        };
        self.all
            .range(TimerTable::of(process))
            .filter(|(_, timer)| told(timer))
            .map(|(&(_, id), _)| id)
            .collect()
    }

    /// Has the process any?
    pub fn has(&self, process: pid_t) -> bool {
        self.all.range(TimerTable::of(process)).next().is_some()
    }

    fn of(process: pid_t) -> std::ops::RangeInclusive<Whose> {
        (process, i32::MIN)..=(process, i32::MAX)
    }

    /// Counts settings.
    pub fn next_turn(&mut self) -> u64 {
        self.turns += 1;
        self.turns
    }

    /// The earliest deadline that somebody is to be told of.
    pub fn earliest(&self) -> Instant {
        self.queue.first().map_or(Instant::NEVER, |&(due, ..)| due)
    }

    /// The timer that expires first, if it is due by `now`.
    pub fn due(&self, now: Instant) -> Option<Whose> {
        self.queue.first().filter(|&&(due, ..)| due <= now).map(|&(.., whose)| whose)
    }

    /// A clock was set ahead: timers for an instant of it move.
    pub fn clock_was_set(&mut self, ahead: Shift) {
        let settable = self.all.iter().filter(|(_, timer)| timer.settable);
        let whose: Vec<Whose> = settable.map(|(&whose, _)| whose).collect();
        for (process, id) in whose {
            self.change(process, id, |timer| {
                timer.expired.first = ahead.moves(timer.expired.first);
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(timers: &mut TimerTable, process: pid_t, id: i32, deadline: u64, notify: Notify) {
        let (turn, first) = (timers.next_turn(), Instant::from_ns(deadline));
        let expired = Expired { first, ..STOPPED };
        timers.add(
            process,
            Timer { expired, turn, ..Timer::new(id, libc::CLOCK_MONOTONIC, notify, 0) },
        );
    }

    #[test]
    fn the_earliest_first_and_then_the_one_that_was_set_first() {
        let mut timers = TimerTable::default();
        let tells = Notify::Process(libc::SIGALRM);
        for (process, id, deadline) in [(7, 1, 50), (7, 2, 30), (8, 1, 30), (8, 2, 20), (6, 1, 30)]
        {
            set(&mut timers, process, id, deadline, tells);
        }
        set(&mut timers, 6, 2, 10, Notify::Nobody);
        let mut order = vec![];
        while let Some((process, id)) = timers.due(Instant::from_ns(40)) {
            order.push((process, id));
            timers.change(process, id, |timer| timer.expired = STOPPED);
        }
        assert_eq!(order, [(8, 2), (7, 2), (8, 1), (6, 1)]);
        assert_eq!(timers.earliest().ns(), 50);
    }

    #[test]
    fn what_is_gone_is_in_no_queue() {
        let mut timers = TimerTable::default();
        for (process, id) in [(7, ITIMER), (7, 3), (8, 0)] {
            set(&mut timers, process, id, 10 + process as u64, Notify::Thread(40, 9));
        }
        timers.forget(7);
        assert!(!timers.has(7) && timers.has(8));
        assert_eq!(timers.earliest().ns(), 18);
        set(&mut timers, 8, 0, 5, Notify::Process(40));
        assert_eq!(timers.earliest().ns(), 5);
        assert!(timers.remove(8, 0).is_some());
        assert!(timers.earliest().is_never());
    }

    #[test]
    fn a_clock_that_is_set_moves_what_is_for_an_instant_of_it() {
        let mut timers = TimerTable::default();
        for id in [1, 2] {
            set(&mut timers, 7, id, 100, Notify::Process(libc::SIGALRM));
        }
        timers.change(7, 2, |timer| timer.settable = true);
        timers.clock_was_set(Shift(60));
        assert_eq!(timers.due(Instant::from_ns(99)), Some((7, 2)));
        timers.clock_was_set(Shift(-500));
        assert_eq!(timers.due(Instant::from_ns(600)), Some((7, 1)));
    }
}
