//! The keeper's look at all threads of a session, or of a process tree: which of them really sleep?
//!
//! The look runs in the launcher and, in libidle.so, on a thread inside the program. So it
//! allocates nothing and calls no libc. It keeps what it has to remember in memory that it maps
//! itself: a note for each slot.

mod calls;
mod cgroup;
mod family;
mod in_flight;
mod named_holds;
mod notes;
mod opened;
mod patience;
pub mod process;
mod reap;
mod sock_diag;
mod survey;
mod tcp;
mod terminals;
#[cfg(test)]
mod tests;
pub mod thread;
mod traced;

use crate::patience::LINGERING;
use engine::arch::syscall::syscall6;
use engine::region::forced::Forced;
use engine::region::holds::TERMINALS;
use engine::region::layout::Page;
use engine::region::state::State;
use engine::region::tracer_word::{NONE, owned};
use engine::schedule::look::Found;
use engine::statefile::file::StateFile;
use engine::sys;
use engine::{Engine, Kind, WaitKind};
use notes::{Note, Notes, Seen};
use posix::time::NEVER;
use std::sync::atomic::Ordering::SeqCst;
use thread::Thread;

/// Number of threads whose files stay open, three files each, if the limit allows so many.
const OPEN: u64 = 2048;
/// Number of descriptors left for everything else.
const SPARE: u64 = 64;

/// Which processes the look covers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Whose {
    /// The descendants of the engine's own process, the launcher.
    Descendants,
    /// All processes with a slot: a tree of processes in one PID namespace, some of which may have
    /// other parents by now.
    Slots,
}

/// The look through `/proc`.
pub struct ProcLook {
    engine: Engine,
    whose: Whose,
    file: Option<StateFile>,
    /// Hears of each process that never joined.
    strangers: fn(u32),
    notes: Notes,
    open: usize,
    most: usize,
    survey: u64,
    /// The thread that looks.
    me: u32,
    patient: bool,
    parked_too: bool,
    watches: bool,
    /// A thread that rechecks periodically is asleep.
    recheckers: bool,
    /// What [`Page::words`] was when all were first found at rest. The notes then have what that
    /// survey found.
    rested: Option<u32>,
    signals: u64,
    terminals: terminals::Terminals,
    flights: in_flight::Flights,
    /// The region's file, for the locks of named holds; -1 where there are none.
    region: i32,
}

impl ProcLook {
    /// A look for `engine`'s threads; `None` if there is no memory. `file` is the state file if
    /// there is one. `strangers` hears of each process that never joined.
    pub fn new(
        engine: Engine,
        whose: Whose,
        file: Option<StateFile>,
        strangers: fn(u32),
    ) -> Option<ProcLook> {
        let notes = Notes::new()?;
        let limit = sys::soft_limit(libc::RLIMIT_NOFILE).unwrap_or(0);
        Some(ProcLook {
            engine,
            whose,
            file,
            strangers,
            notes,
            open: 0,
            most: OPEN.min(limit.saturating_sub(SPARE) / 3).max(1) as usize,
            survey: 0,
            // SAFETY: no arguments.
            me: unsafe { syscall6(libc::SYS_gettid, 0, 0, 0, 0, 0, 0) } as u32,
            patient: false,
            parked_too: false,
            watches: false,
            recheckers: false,
            rested: None,
            signals: 0,
            terminals: terminals::Terminals::default(),
            flights: in_flight::Flights::default(),
            region: -1,
        })
    }

    /// The calling thread is the one that looks from now on, and not the one that made the look.
    pub fn hand_over(&mut self) {
        // SAFETY: no arguments.
        self.me = unsafe { syscall6(libc::SYS_gettid, 0, 0, 0, 0, 0, 0) } as u32;
    }

    /// The region's file is open as `fd`, for as long as this process lives.
    pub fn of_region(mut self, fd: i32) -> ProcLook {
        self.region = fd;
        self
    }

    fn note(&mut self, index: usize) -> &mut Note {
        self.notes.get(index)
    }

    /// A survey begins. After a signal was sent, while there are terminals that may send some, and
    /// when `thorough`, the look includes parked threads.
    pub fn begin(&mut self, thorough: bool) {
        let h = &self.engine.page.header;
        self.survey += 1;
        (self.watches, self.recheckers) = (false, false);
        self.flights.begin();
        self.signals = h.signals_sent.load(SeqCst);
        // A key, or a terminal that is closed or gets another size, is a signal that nobody counts.
        let terminals = h.hold.load(SeqCst) & TERMINALS != 0;
        self.parked_too = thorough || terminals || self.signals != h.signals_seen.load(SeqCst);
        if thorough && self.engine.page.header.idle.forced.load(SeqCst) != 0 {
            self.look_for_dead();
        }
        if self.parked_too {
            self.engine.survey_parked();
        }
    }

    /// The survey does not look at forced-idle threads, so nobody would notice that one is dead.
    fn look_for_dead(&mut self) {
        let page = self.engine.page;
        for index in 0..page.high() {
            let (seen, pid) = (page.slots[index].state.load(), page.slots[index].pid.load(SeqCst));
            if page.forced(index) == Some(Forced::Idle) && pid != 0 && process::dead(pid) {
                self.reap(page, index, seen, false);
            }
        }
    }

    /// Nothing has moved for a while: the next survey may look closer at busy threads.
    pub fn stalled(&mut self, stalled: bool) {
        self.patient = stalled;
    }

    fn look(&mut self, page: &Page, index: usize, seen: State) -> Thread {
        let slot = &page.slots[index];
        let (pid, tid) = (slot.pid.load(SeqCst), slot.tid.load(SeqCst));
        match (pid, tid) {
            (1.., 1..) if slot.tracer.load(SeqCst) != NONE => self.traced(index, pid, tid, None),
            (0, _) => self.unplaced(page, index, seen),
            (_, 0) if seen.kind() == Kind::Foreign || self.patient => self.process(index, pid, 0),
            (_, 0) if process::dead(pid) => Thread::Gone,
            (_, 0) => Thread::Running,
            _ => self.thread(index, pid, tid, None),
        }
    }

    /// For how long the look has found slot `index` in the same state with the same run count, real
    /// ns.
    fn since(&mut self, index: usize, seen: State, runs: u64) -> u64 {
        let now = (self.engine.real_now)();
        let note = self.note(index);
        match note.lingering {
            Some((state, count, since)) if (state, count) == (seen, runs) => {
                now.saturating_sub(since)
            }
            _ => {
                note.lingering = Some((seen, runs, now));
                0
            }
        }
    }

    /// A thread that is busy by its state word. The look looks at it only when nothing moves. It
    /// may have died or been stopped, or its waker may have died before the wake-up, or it may
    /// sleep in a call that no hook saw.
    fn busy(&mut self, page: &Page, index: usize, seen: State) -> Found {
        // The tracer takes care of what a traced thread was promised.
        if !(self.patient || self.is_stale(index, seen))
            || owned(page.slots[index].tracer.load(SeqCst))
        {
            return Found::Running;
        }
        match self.look(page, index, seen) {
            Thread::Gone | Thread::Zombie => self.reap(page, index, seen, false),
            Thread::Stopped(runs) => self.asleep(index, seen, runs),
            // The thread waits for the tracer's answer, or the tracer is about to take it over.
            Thread::Asleep(_) if page.slots[index].tracer.load(SeqCst) != NONE => Found::Running,
            // A decider has ended a timed wait, and the thread has not noticed yet: it sleeps on
            // until its wake fd or its polling wait ends. The call that it sleeps in is no wait of
            // its own.
            Thread::Asleep(runs)
                if page.slots[index].deadline.load(SeqCst) == NEVER
                    && self.strays(index, seen, runs) =>
            {
                if self.engine.watch(index, seen) {
                    (self.note(index).stray, self.note(index).strays) = (None, true);
                    if seen.kind() == Kind::New {
                        self.tell(index, page.slots[index].pid.load(SeqCst));
                    }
                }
                Found::Changed
            }
            // It was promised a wake-up, and cannot run before its cgroup is thawed.
            Thread::Asleep(runs) if self.is_frozen(index) => self.asleep(index, seen, runs),
            Thread::Asleep(_) => {
                // By now the thread may sleep in its next wait, which is as it should be.
                if page.slots[index].state.load() == seen {
                    self.engine.deliver_again(index);
                }
                Found::Running
            }
            Thread::Running => Found::Running,
        }
    }

    /// The thread is asleep, though it is busy by its word `seen`, and was so at the last patient
    /// look: then that look has delivered once more what it may have been promised, and the thread
    /// has woken from the wait of that promise, if there was one. By a frozen clock it may have run
    /// since: it makes short waits, one after the other, because time does not come for it.
    fn strays(&mut self, index: usize, seen: State, runs: u64) -> bool {
        let frozen = self.engine.frozen();
        let before = self.note(index).stray.replace((seen, runs));
        before.is_some_and(|(state, count)| state == seen && (frozen || count == runs))
    }

    /// Is the thread of slot `index` in a frozen cgroup?
    fn is_frozen(&self, index: usize) -> bool {
        let slot = &self.engine.page.slots[index];
        cgroup::is_frozen(slot.pid.load(SeqCst), slot.tid.load(SeqCst))
    }

    /// Reports that a process that never joined the session is part of it now.
    fn tell(&mut self, index: usize, pid: u32) {
        if std::mem::replace(&mut self.note(index).told, pid) != pid {
            (self.strangers)(pid);
        }
    }

    /// A thread or process in its last steps. It counts as running until it is gone. But what it
    /// still writes (stdio's buffers) may have to wait for a reader.
    fn lingers(&mut self, page: &Page, index: usize, seen: State) -> Found {
        match self.look(page, index, seen) {
            Thread::Stopped(runs) => self.asleep(index, seen, runs),
            Thread::Asleep(runs) if self.since(index, seen, runs) >= LINGERING.ns() => {
                self.asleep(index, seen, runs)
            }
            _ => Found::Running,
        }
    }

    /// All are at rest: have the threads that recheck periodically done so since? Then they have
    /// run, and nobody else has.
    fn rechecked(&mut self, page: &Page) -> bool {
        if !self.recheckers {
            self.rested = None;
            return true;
        }
        let (words, high) = (page.words(), page.high());
        let rechecks = |index: usize| page.slots[index].rechecks();
        // The words have not changed: a thread that was in a wait of a hook is still in the same
        // one, however often it has woken there.
        let in_hook = |seen: Seen| seen.is_some_and(|(state, _)| state.waits());
        let rests = self.rested == Some(words)
            && (0..high).all(|index| {
                let (now, was) = (self.seen(index), self.note(index).rest);
                now == was || in_hook(now) && in_hook(was)
            });
        if !rests {
            for index in 0..high {
                self.note(index).rest = self.seen(index);
            }
            self.rested = Some(words);
            return false;
        }
        let mut waits = |index: usize| {
            rechecks(index)
                && self.seen(index).is_some()
                && self.seen(index) == self.note(index).rest
        };
        let done = !(0..high).any(&mut waits);
        if done {
            self.rested = None;
        }
        done
    }

    /// What the current survey has found of slot `index`, if its thread is asleep.
    fn seen(&mut self, index: usize) -> Seen {
        let survey = self.survey;
        self.note(index).seen.filter(|seen| seen.2 == survey).map(|(state, runs, _)| (state, runs))
    }

    fn asleep(&mut self, index: usize, seen: State, runs: u64) -> Found {
        self.watches |= seen.kind() == Kind::Foreign;
        let slot = &self.engine.page.slots[index];
        self.recheckers |= slot.rechecks();
        self.calls_unseen(index, seen);
        self.flights.lingers |= slot.is_for(WaitKind::Lingers) || self.closes(index, seen, runs);
        let survey = self.survey;
        self.note(index).seen = Some((seen, runs, survey));
        Found::Asleep
    }
}
