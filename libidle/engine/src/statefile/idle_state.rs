//! Rest that others are told of: when all is idle the state file's lock is released, and whoever
//! goes busy takes it first.
//!
//! NOTE [Seen idle]. Nobody outside may ever see the lock free while a thread runs that could act.
//! The keeper, after a survey has found all at rest, sets the word to *settling*, surveys once
//! more, sets it to *releasing*, releases the lock, and sets it to *idle*. A thread that comes out
//! of a wait by itself (the kernel has ended it, or a signal) stores in its slot that it is busy,
//! and then reads the word. All these are sequentially consistent, so either the keeper's second
//! survey sees the thread, or the thread sees the word. In *settling* the thread sets it back to
//! *busy*, and the keeper fails to go on. In *idle* it takes the lock before it returns to the
//! program. So no look is needed at a thread that was promised its wake-up: who promised was busy,
//! and is so until the promise shows in the slot.
//!
//! All threads share one open file description, so several that go busy at once may each take the
//! lock: the second call changes nothing. The first to set the word counts the serial number.

use crate::patience::{HELD_UP, RELEASE, RELEASES};
use crate::region::forced::Forced;
use crate::region::layout::Page;
use crate::region::lock::KEEPER;
use crate::schedule::survey::{Engine, Look, Outcome, Survey};
use crate::statefile::file::{self, StateFile};
use crate::sync::{AtomicU32, AtomicU64, Relaxed, SeqCst};
use crate::sys::{self, Timespec};

/// Somebody runs. All other values only occur where there is a state file.
pub const BUSY: u32 = 0;
/// The keeper surveys once more.
pub const SETTLING: u32 = 1;
/// The keeper is about to release the lock.
pub const RELEASING: u32 = 2;
/// The lock is released.
pub const IDLE: u32 = 3;

/// What the region holds of it.
#[repr(C, align(64))]
pub struct Rest {
    /// [`BUSY`] to [`IDLE`]; also a futex. See NOTE [Seen idle] for who changes it.
    pub word: AtomicU32,
    /// Is there a state file? Whoever made the region, once.
    pub tracked: AtomicU32,
    /// Somebody outside has held the lock for too long; whoever noticed.
    pub impatient: AtomicU32,
    /// Trouble with the file has been reported; whoever noticed.
    pub told: AtomicU32,
    /// Only the first process is tracked; whoever made the region, once.
    pub alone: AtomicU32,
    /// Threads that say themselves what they count as, see [`crate::region::forced`]. They.
    pub forced: AtomicU32,
    /// Busy periods, this one included. Whoever sets the word from idle to busy.
    pub serial: AtomicU64,
    /// Device and inode of the state file: a descriptor that leads to another one is not ours any
    /// more. Whoever made the region.
    pub(crate) file: [AtomicU64; 2],
    _pad: [AtomicU64; 2],
}

impl Rest {
    /// Busy, and nobody is told.
    #[cfg(loom)]
    pub fn new() -> Rest {
        let zero = || AtomicU32::new(0);
        Rest {
            word: zero(),
            tracked: zero(),
            impatient: zero(),
            told: zero(),
            alone: zero(),
            forced: zero(),
            serial: AtomicU64::new(0),
            file: std::array::from_fn(|_| AtomicU64::new(0)),
            _pad: std::array::from_fn(|_| AtomicU64::new(0)),
        }
    }
}

impl Page {
    /// Does anybody want to know of rest without a deadline?
    #[inline]
    pub fn rest_matters(&self) -> bool {
        self.header.want_rest.load(Relaxed) != 0 || self.header.rest.tracked.load(Relaxed) != 0
    }

    /// The state file is `file`, whose serial number was `before`. The program is busy.
    pub fn track(&self, file: StateFile, before: u64) {
        let rest = &self.header.rest;
        file.know(self);
        rest.serial.store(before.saturating_add(1), SeqCst);
        if file.hold(self) {
            file.show(self, before.saturating_add(1));
        }
        rest.tracked.store(1, SeqCst);
    }
}

impl Engine {
    /// The calling thread was in a wait that nobody promised it the end of, and its slot says that
    /// it is busy again. Before it goes on, the state file must say so too.
    #[inline]
    pub fn awake(&self) {
        if self.page.header.rest.word.load(SeqCst) != BUSY {
            self.go_busy(file::mine());
        }
    }

    /// The same at the end of slot `me`'s own wait, which is nothing to the world while its thread
    /// says that it is idle.
    #[inline]
    pub fn awake_as(&self, me: usize) {
        if self.page.header.rest.word.load(SeqCst) != BUSY
            && self.page.forced(me) != Some(Forced::Idle)
        {
            self.go_busy(file::mine());
        }
    }

    /// The slow half of [`Engine::awake`], by a descriptor of the caller's.
    #[cold]
    pub fn go_busy(&self, file: StateFile) {
        let rest = &self.page.header.rest;
        let swap = |from, to| rest.word.compare_exchange(from, to, SeqCst, SeqCst).is_ok();
        let mut waits = 0;
        loop {
            match rest.word.load(SeqCst) {
                BUSY => return,
                SETTLING => {
                    swap(SETTLING, BUSY);
                }
                RELEASING if waits < RELEASES => {
                    waits += 1;
                    let time = Timespec::of(RELEASE);
                    sys::futex_wait(&rest.word, RELEASING, Some(&time), false);
                }
                RELEASING => {
                    // The keeper is dead or stopped. When it is continued it notices.
                    swap(RELEASING, IDLE);
                }
                _ if waits < HELD_UP && file.lost(self.page) && !self.page.abandoned() => {
                    // The keeper has it, and will find this thread busy.
                    waits += 1;
                    self.kick_keeper();
                    let time = Timespec::of(RELEASE);
                    sys::futex_wait(&rest.word, IDLE, Some(&time), false);
                }
                _ => {
                    let held = file.hold(self.page);
                    if swap(IDLE, BUSY) {
                        let serial = rest.serial.fetch_add(1, SeqCst) + 1;
                        if held {
                            file.show(self.page, serial);
                        }
                        sys::futex_wake(&rest.word, u32::MAX >> 1, false);
                    }
                }
            }
        }
    }

    /// A survey has found everybody at rest, and nobody has a deadline: tells the world. The
    /// keeper, with the engine's lock.
    pub(crate) fn come_to_rest<L: Look>(&self, look: &mut L) -> Outcome {
        let rest = &self.page.header.rest;
        let Some(file) = look.state_file() else { return Outcome::NoDeadline };
        let swap = |from, to| rest.word.compare_exchange(from, to, SeqCst, SeqCst);
        match rest.word.load(SeqCst) {
            IDLE => return Outcome::NoDeadline,
            // A keeper before this one has died there.
            RELEASING => {}
            _ => {
                let _ = swap(SETTLING, BUSY);
                if swap(BUSY, SETTLING).is_err() {
                    return Outcome::NotIdle(Survey::Changed);
                }
                let survey = self.survey(KEEPER, look);
                if survey != Survey::AtRest {
                    let _ = swap(SETTLING, BUSY);
                    return Outcome::NotIdle(survey);
                }
                if swap(SETTLING, RELEASING).is_err() {
                    return Outcome::NotIdle(Survey::Changed);
                }
            }
        }
        file.release(self.page);
        if swap(RELEASING, IDLE) == Err(BUSY) {
            // This process was stopped for long, and a thread went on without waiting for it.
            file.hold(self.page);
        }
        sys::futex_wake(&rest.word, u32::MAX >> 1, false);
        Outcome::NoDeadline
    }
}
