//! The questions of a survey to the look.

use crate::ProcLook;
use crate::named_holds;
use crate::process;
use crate::thread::{self, Thread};
use engine::Kind;
use engine::region::layout::Page;
use engine::region::slot::Slot;
use engine::region::state::State;
use engine::region::tracer_word::NONE;
use engine::schedule::busy::Busy;
use engine::schedule::look::{Found, Look};
use engine::statefile::file::StateFile;
use engine::sys;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};

impl Look for ProcLook {
    fn first(&mut self, page: &Page, index: usize, seen: State) -> Found {
        let slot = &page.slots[index];
        match seen.kind() {
            Kind::Busy | Kind::Prep | Kind::New => self.busy(page, index, seen),
            Kind::Ending => {
                let (pid, tid) = (slot.pid.load(SeqCst), slot.tid.load(SeqCst));
                let over = sys::thread_gone(pid, tid) || (pid == tid && process::leader_ended(pid));
                if !over {
                    return self.lingers(page, index, seen);
                }
                sys::task_lock_fence();
                self.reap(page, index, seen, true)
            }
            Kind::Leaving if process::dead(slot.pid.load(SeqCst)) => {
                self.reap(page, index, seen, true)
            }
            Kind::Leaving => self.lingers(page, index, seen),
            Kind::Foreign if !self.children_rest(index, false) => Found::Running,
            _ => match self.look(page, index, seen) {
                Thread::Asleep(runs) | Thread::Stopped(runs) => self.asleep(index, seen, runs),
                Thread::Running => Found::Running,
                Thread::Zombie | Thread::Gone => {
                    // The word may have changed since it was read: then the slot belongs to another
                    // thread by now.
                    if slot.state.load() == seen {
                        self.reap(page, index, seen, false)
                    } else {
                        Found::Changed
                    }
                }
            },
        }
    }

    fn confirm(&mut self, page: &Page, index: usize, now: State) -> bool {
        let Some((then, runs)) = self.seen(index) else { return false };
        if then != now {
            return false;
        }
        if now.kind() == Kind::Foreign && !self.children_rest(index, true) {
            return false;
        }
        let slot = &page.slots[index];
        let (pid, tid) = (slot.pid.load(SeqCst), slot.tid.load(SeqCst));
        let again = match tid {
            0 => self.process(index, pid, 0),
            _ if slot.tracer.load(SeqCst) != NONE => self.traced(index, pid, tid, Some(runs)),
            _ => self.thread(index, pid, tid, Some(runs)),
        };
        matches!(again, Thread::Asleep(n) | Thread::Stopped(n) if n == runs)
    }

    fn parked_too(&self) -> bool {
        self.parked_too
    }

    fn at_rest(&mut self, page: &Page) -> bool {
        if self.parked_too {
            page.header.signals_seen.store(self.signals, Relaxed);
        }
        if page.header.hold.load(SeqCst) != 0 {
            self.settle_flights(page);
        }
        self.rechecked(page)
    }

    fn in_flight(&mut self, page: &Page, holds: u32) -> Result<(), Busy> {
        self.work_in_flight(page, holds)
    }

    fn in_flight_for(&mut self, real: u64) -> u64 {
        self.flights.took(real)
    }

    fn holds_on(&mut self, _: &Page, index: usize) -> bool {
        named_holds::is_locked(self.region, index)
    }

    fn burnt(&mut self, page: &Page, index: usize) -> Option<u64> {
        let slot = &page.slots[index];
        let (pid, tid) = (slot.pid.load(SeqCst), slot.tid.load(SeqCst));
        self.open_files(index, pid, tid).ok()?.burnt().ok()
    }

    fn used(&mut self, page: &Page) -> u64 {
        let leader =
            |slot: &Slot| Some(slot.pid.load(SeqCst)).filter(|&pid| pid == slot.tid.load(SeqCst));
        let threads =
            page.slots[..page.high()].iter().filter(|slot| slot.state.load().kind() != Kind::Free);
        threads.filter_map(leader).filter_map(process::used).sum()
    }

    fn slept(&mut self, page: &Page, index: usize) -> u32 {
        let slot = &page.slots[index];
        thread::slept(slot.pid.load(SeqCst), slot.tid.load(SeqCst)).unwrap_or(0)
    }

    fn ended(&mut self, page: &Page, index: usize) -> bool {
        let seen = page.slots[index].state.load();
        self.patient
            && matches!(self.look(page, index, seen), Thread::Gone | Thread::Zombie)
            && self.reap(page, index, seen, false) == Found::Changed
    }

    fn state_file(&self) -> Option<StateFile> {
        self.file
    }

    fn watches(&self) -> bool {
        self.watches
    }
}
