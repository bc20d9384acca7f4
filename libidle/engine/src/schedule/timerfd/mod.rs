//! Timer descriptors, timerfd_create(2): deadlines without a thread.
//!
//! The descriptor stays the kernel's, so the kernel waits for it, passes, duplicates and closes it.
//! The kernel's timer is never armed. A slot of kind `Timer` keeps its deadline in the queue of all
//! others, and the decider that moves the clock there *ticks* it: `TFD_IOC_SET_TICKS` makes the
//! descriptor readable and wakes its waiters before the call returns. So a waiter already runs, and
//! the exact look sees that, when the clock's lock is free again.
//!
//! The interval of the kernel's timer names the slot. So any process that has the open file,
//! however it got it, finds the slot with one `timerfd_gettime(2)`.
//!
//! As in the kernel, a timer that has expired and was not read has no next deadline. The reader
//! counts the expirations and sets the next deadline.
//!
//! Ownership: only the holder of the slot's own lock writes the fields. Any process may take that
//! lock. The holder keeps it for a few system calls at most, with all signals blocked. Others take
//! it only from a holder that is dead: see [`lock`].

mod kernel;
pub mod lock;
mod locked;

pub use locked::Locked;

use crate::arch::numbers as nr;
use crate::arch::syscall::syscall6;
use crate::region::layout::Page;
use crate::region::sizes::SLOTS;
use crate::region::state::Kind;
use crate::schedule::engine::Engine;
use crate::sync::{Relaxed, SeqCst};
use kernel::{Setting, arm};
use posix::clock::Shift;
use posix::time::Instant;

/// Seconds of an interval that names a slot: more than any program asks for, and still in the
/// kernel's range.
const NAMES: i64 = 4_000_000_000;
/// Generations of a slot's names; they are the nanoseconds of the interval.
const GENERATIONS: u32 = 1_000_000_000;

/// Set to an instant of a clock that `clock_settime(2)` can set.
pub const ABSOLUTE: u32 = 1;
/// `TFD_TIMER_CANCEL_ON_SET`.
pub const CANCEL_ON_SET: u32 = 2;
/// The clock was set meanwhile; the next read reports it.
pub const CANCELED: u32 = 4;
/// Due, and the decider found no process with the descriptor: the launcher looks for one.
pub const LOST: u32 = 8;
/// Other processes or descriptors may have the timer too, so nobody knows when it is closed.
pub const SHARED: u32 = 16;

impl Page {
    /// Takes a slot for a timer descriptor of process `pid` on clock `clock`, disarmed.
    pub fn claim_timer(&self, pid: u32, fd: i32, clock: i32, birth: u64) -> Option<usize> {
        // Not placed until the other fields are filled in.
        let index = self.claim(Kind::Timer, 0, 0, birth)?;
        let slot = &self.slots[index];
        slot.timer().interval.store(0, Relaxed);
        slot.timer().expired.store(0, Relaxed);
        slot.timer().clock.store(clock as u32, Relaxed);
        slot.timer().fd.store(fd, Relaxed);
        let generation = (self.header.timers.fetch_add(1, SeqCst) + 1) % GENERATIONS;
        slot.timer().generation.store(generation, SeqCst);
        slot.pid.store(pid, SeqCst);
        Some(index)
    }
}

impl Engine {
    /// The slot that descriptor `fd` of this process names; `None` if the timer names no slot. The
    /// error is the kernel's, negated: EBADF, or EINVAL if the descriptor is no timer.
    pub fn timer_of(&self, fd: i32) -> Result<Option<usize>, isize> {
        let mut now = Setting { interval: (0, 0), value: (0, 0) };
        // SAFETY: a valid out-parameter.
        let failed = unsafe {
            syscall6(nr::TIMERFD_GETTIME, fd as usize, &raw mut now as usize, 0, 0, 0, 0)
        };
        if failed < 0 { Err(failed) } else { Ok(self.named(now.interval.0, now.interval.1)) }
    }

    /// The slot that an interval of `sec` and `nsec` names.
    pub fn named(&self, sec: i64, nsec: i64) -> Option<usize> {
        let index = usize::try_from(sec - NAMES).ok().filter(|&i| i < SLOTS)?;
        let slot = &self.page.slots[index];
        (slot.state.load().kind() == Kind::Timer
            && slot.timer().generation.load(SeqCst) as i64 == nsec)
            .then_some(index)
    }

    /// Writes the name of slot `index` into the kernel's timer, and clears what the kernel has
    /// counted.
    pub fn name_timer(&self, fd: i32, index: usize) -> Result<(), isize> {
        let generation = self.page.slots[index].timer().generation.load(SeqCst);
        arm(fd, Setting { interval: (NAMES + index as i64, generation as i64), value: (0, 0) })
    }

    /// The clock has come to timer `index`. False if that can have woken no thread: the timer was
    /// set anew, or is being set and will be posted again, or only the keeper can reach it.
    pub(crate) fn fire(&self, index: usize, now: u64, keeper: bool) -> bool {
        let slot = &self.page.slots[index];
        // The process's own number for the thread's, which would cost a system call: the thread
        // dies with its process, or in an exec.
        let Some(locked) = self.try_lock_timer(index, self.pid) else { return false };
        if slot.state.load().kind() != Kind::Timer {
            return false;
        }
        let fired = locked.expire(now, keeper);
        let refused = !fired && slot.deadline.load(SeqCst) <= now;
        drop(locked);
        if refused {
            self.kick_keeper();
        }
        fired
    }

    /// Expires the timer now if it is due, as the kernel does in `timerfd_settime(2)` with a time
    /// that has passed.
    pub fn fire_if_due(&self, locked: &Locked) {
        if locked.slot().deadline.load(SeqCst) <= self.now() && !locked.expire(self.now(), false) {
            self.kick_keeper();
        }
    }

    /// `CLOCK_REALTIME` was set. Moves the timers for an instant of it, and cancels those that
    /// asked for it.
    pub fn clock_was_set(&self, ahead: Shift, tid: u32) {
        for index in 0..self.page.high() {
            let slot = &self.page.slots[index];
            let flags = &slot.timer().flags;
            if slot.state.load().kind() != Kind::Timer || flags.load(SeqCst) & ABSOLUTE == 0 {
                continue;
            }
            let locked = self.lock_timer(index, tid);
            let deadline = Instant::from_ns(slot.deadline.load(SeqCst));
            if !deadline.is_never() {
                slot.deadline.store(ahead.moves(deadline).ns(), SeqCst);
                self.fire_if_due(&locked);
            }
            if flags.load(SeqCst) & CANCEL_ON_SET != 0 {
                flags.fetch_or(CANCELED, SeqCst);
                locked.tick();
            }
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::region::layout::ClockMode;
    use crate::schedule::timerfd::kernel::tests::{ticks, timer};

    fn engine() -> Engine {
        Engine {
            page: Box::leak(Page::boxed()),
            pid: std::process::id(),
            real_now: || 1,
            process: std::process::id,
            reach: &crate::schedule::reach::Everything,
        }
    }

    #[test]
    fn a_descriptor_leads_to_its_slot_while_that_is_its_own() {
        let engine = engine();
        let fd = timer();
        assert_eq!(engine.timer_of(fd), Ok(None));
        let index = engine.page.claim_timer(engine.pid, fd, 1, 7).unwrap();
        engine.name_timer(fd, index).unwrap();
        assert_eq!(engine.timer_of(fd), Ok(Some(index)));
        engine.page.release(index);
        assert_eq!(engine.page.claim_timer(engine.pid, fd, 1, 7), Some(index));
        assert_eq!(engine.timer_of(fd), Ok(None));
        assert_eq!(engine.timer_of(-1), Err(-9));
    }

    #[test]
    fn unread_expirations_are_counted_and_cost_nothing() {
        let engine = engine();
        engine.page.header.mode.store(ClockMode::Frozen as u32, SeqCst);
        let fd = timer();
        let index = engine.page.claim_timer(engine.pid, fd, 1, 7).unwrap();
        engine.name_timer(fd, index).unwrap();
        let slot = &engine.page.slots[index];
        let locked = engine.lock_timer(index, engine.pid);
        slot.deadline.store(100, SeqCst);
        slot.timer().interval.store(10, SeqCst);
        drop(locked);
        assert!(!engine.fire(index, 99, true));
        assert!(engine.fire(index, 100, true));
        assert!(!engine.fire(index, 200, true), "not a second time before it is read");
        assert_eq!(ticks(fd), 1);
        let locked = engine.lock_timer(index, engine.pid);
        let now = Instant::from_ns(138);
        assert_eq!(locked.gettime(now), [0, 10, 0, 2]);
        assert_eq!(locked.take_expirations(now), 4);
        assert_eq!(locked.gettime(now), [0, 10, 0, 2]);
        assert_eq!(locked.take_expirations(now), 0);
    }
}
