//! Rest that the outside can see: when all is idle, the keeper releases the state file's lock, and
//! a thread that goes busy takes it first.
//!
//! NOTE [Seen idle]. No observer outside may ever see the lock free while a thread runs that could
//! act.
//!
//! The keeper's survey finds all at rest. Then the keeper sets the word to *settling*, surveys once
//! more, sets the word to *releasing*, releases the lock, and sets the word to *idle*. A thread
//! that comes out of a wait by itself (the kernel has ended it, or a signal) stores in its slot
//! that it is busy, and then reads the word. All these are sequentially consistent, so either the
//! keeper's second survey sees the thread, or the thread sees the word. In *settling* the thread
//! sets the word back to *busy*, and the keeper fails to go on. In *idle* the thread takes the lock
//! before it returns to the program.
//!
//! A thread that was promised its wake-up need not look. Its waker was busy, and stays busy until
//! the promise shows in the slot.
//!
//! All threads share one open file description, so several threads that go busy at once may each
//! take the lock: the second call changes nothing. The first to set the word counts the serial
//! number.

use crate::patience::{HELD_UP, RELEASE, RELEASES};
use crate::region::forced::Forced;
use crate::region::idle_word::{BUSY, IDLE, RELEASING, SETTLING};
use crate::region::keeper_word;
use crate::region::layout::Page;
use crate::statefile::file::{self, StateFile};
use crate::sync::{Relaxed, SeqCst};
use crate::sys::{self, Timespec};

impl Page {
    /// Does rest without a deadline matter to anybody?
    #[inline]
    pub fn rest_matters(&self) -> bool {
        self.header.want_rest.load(Relaxed) != 0 || self.header.idle.tracked.load(Relaxed) != 0
    }

    /// The state file is `file`, whose serial number was `before`. The program is busy.
    pub fn track(&self, file: StateFile, before: u64) {
        let idle = &self.header.idle;
        file.know(self);
        idle.serial.store(before.saturating_add(1), SeqCst);
        if file.hold(self) {
            file.show(self, before.saturating_add(1));
        }
        idle.tracked.store(1, SeqCst);
    }
}

impl Page {
    /// The calling thread has come out of a wait whose end nobody promised, and its slot says that
    /// it is busy again. Before the thread goes on, the state file must say so too.
    #[inline]
    pub fn awake(&self) {
        if self.header.idle.word.load(SeqCst) != BUSY {
            self.go_busy(file::mine());
        }
    }

    /// The same at the end of slot `me`'s own wait. The state file ignores that wait while its
    /// thread is forced idle.
    #[inline]
    pub fn awake_as(&self, me: usize) {
        if self.header.idle.word.load(SeqCst) != BUSY && self.forced(me) != Some(Forced::Idle) {
            self.go_busy(file::mine());
        }
    }

    /// The slow half of [`Page::awake`], by the caller's descriptor.
    #[cold]
    pub fn go_busy(&self, file: StateFile) {
        let idle = &self.header.idle;
        let swap = |from, to| idle.word.compare_exchange(from, to, SeqCst, SeqCst).is_ok();
        let mut waits = 0;
        loop {
            match idle.word.load(SeqCst) {
                BUSY => return,
                SETTLING => {
                    swap(SETTLING, BUSY);
                }
                RELEASING if waits < RELEASES => {
                    waits += 1;
                    let time = Timespec::of(RELEASE);
                    sys::futex_wait(&idle.word, RELEASING, Some(&time), false);
                }
                RELEASING => {
                    // The keeper is dead or stopped. When it is continued it notices.
                    swap(RELEASING, IDLE);
                }
                _ if waits < HELD_UP && file.lost(self) && !self.abandoned() => {
                    // The keeper has it, and will find this thread busy.
                    waits += 1;
                    keeper_word::kick(self);
                    let time = Timespec::of(RELEASE);
                    sys::futex_wait(&idle.word, IDLE, Some(&time), false);
                }
                _ => {
                    let held = file.hold(self);
                    if swap(IDLE, BUSY) {
                        let serial = idle.serial.fetch_add(1, SeqCst) + 1;
                        if held {
                            file.show(self, serial);
                        }
                        sys::futex_wake(&idle.word, u32::MAX >> 1, false);
                    }
                }
            }
        }
    }
}
