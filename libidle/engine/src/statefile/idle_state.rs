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
//! In *releasing* the thread waits, because the keeper may release the lock at any instant. The
//! wait ends when the keeper goes on to *idle*, or when the kernel has marked the keeper as dead
//! (set_robust_list(2)): a dead thread releases nothing. The finder, a thread that goes busy or the
//! next keeper, takes the lock and goes on to *busy*. A thread waits for a keeper that is preempted
//! or stopped; the number of its waits decides nothing.
//!
//! All threads share one open file description, so several threads that go busy at once may each
//! take the lock: the second call changes nothing. The first to set the word counts the serial
//! number.

use crate::patience::{HELD_UP, RELEASE};
use crate::region::forced::Forced;
use crate::region::holds::AT_REST;
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
        let h = &self.header;
        h.want_rest.load(Relaxed) != 0
            || h.hold.load(Relaxed) & AT_REST != 0
            || h.idle.tracked.load(Relaxed) != 0
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
                RELEASING if self.abandoned() => self.recover(file),
                RELEASING => {
                    let time = Timespec::of(RELEASE);
                    sys::futex_wait(&idle.word, RELEASING, Some(&time), false);
                }
                _ if waits < HELD_UP && file.lost(self) && !self.abandoned() => {
                    // The keeper has it, and will find this thread busy.
                    waits += 1;
                    keeper_word::kick(self);
                    let time = Timespec::of(RELEASE);
                    sys::futex_wait(&idle.word, IDLE, Some(&time), false);
                }
                _ => {
                    self.take_from(IDLE, file);
                }
            }
        }
    }

    /// The keeper's own [`Page::go_busy`]. If a former keeper was about to release the lock, this
    /// keeper takes it back.
    pub fn keeper_goes_busy(&self, file: StateFile) {
        self.recover(file);
        self.go_busy(file);
    }

    /// The keeper that was about to release the lock has died. The caller is its successor, or
    /// knows of the death from the kernel.
    #[cold]
    pub(crate) fn recover(&self, file: StateFile) {
        if self.header.idle.word.load(SeqCst) == RELEASING {
            self.take_from(RELEASING, file);
        }
    }

    /// A busy period begins: takes the lock, and then sets the word to *busy* if it is `from`.
    fn take_from(&self, from: u32, file: StateFile) {
        let idle = &self.header.idle;
        let held = file.hold(self);
        if idle.word.compare_exchange(from, BUSY, SeqCst, SeqCst).is_ok() {
            let serial = idle.serial.fetch_add(1, SeqCst) + 1;
            if held {
                file.show(self, serial);
            }
            sys::futex_wake(&idle.word, u32::MAX >> 1, false);
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::region::keeper_word::DIED;
    use crate::statefile::open::Name;
    use std::ffi::CString;
    use std::time::Duration;

    /// A page that is about to be idle, by a keeper that lives.
    fn releasing(name: &str) -> (&'static Page, StateFile) {
        let page: &'static Page = Box::leak(Page::boxed());
        let path = std::env::temp_dir().join(format!("{name}-{}", std::process::id()));
        let text = CString::new(path.to_str().expect("UTF-8")).expect("no NUL");
        let file = StateFile::open(&text, Name::Given, |_| ()).expect("a state file");
        std::fs::remove_file(path).expect("it was made");
        page.track(file, 0);
        page.header.keeper_lives.store(std::process::id(), SeqCst);
        page.header.idle.word.store(RELEASING, SeqCst);
        (page, file)
    }

    #[test]
    fn a_preempted_keeper_is_waited_for() {
        let (page, file) = releasing("preempted");
        let thread = std::thread::spawn(move || page.go_busy(file));
        std::thread::sleep(Duration::from_millis(400));
        assert_eq!(page.header.idle.word.load(SeqCst), RELEASING, "it may still release the lock");
        page.header.idle.word.store(IDLE, SeqCst);
        thread.join().expect("it goes on");
        assert_eq!(page.header.idle.word.load(SeqCst), BUSY);
        assert_eq!(page.header.idle.serial.load(SeqCst), 2);
    }

    #[test]
    fn a_dead_keeper_and_a_new_one_hold_nobody_up() {
        let (page, file) = releasing("dead");
        page.header.keeper_lives.store(DIED, SeqCst);
        page.go_busy(file);
        assert_eq!(page.header.idle.word.load(SeqCst), BUSY);
        let (page, file) = releasing("succeeded");
        let thread = std::thread::spawn(move || page.go_busy(file));
        page.keeper_goes_busy(file);
        thread.join().expect("it goes on");
        assert_eq!(page.header.idle.word.load(SeqCst), BUSY);
        assert_eq!(page.header.idle.serial.load(SeqCst), 2, "one busy period has begun");
    }
}
