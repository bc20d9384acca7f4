//! The lock of one timer's slot, which any process of the session may take.
//!
//! The lock's word is 0 or a [`Token`]: the holder, and a number that makes this taking unlike any
//! other. Nobody takes the lock from a live holder, however long that holder is preempted or
//! stopped: it writes the slot's fields one after the other, and has no way to learn that they
//! belong to another holder by now.
//!
//! NOTE [Waiting for a timer's lock]. A waiter takes the lock when it is free, or when the kernel
//! says that the holder's thread is gone, and sleeps between two looks. Its slot says *busy* all
//! the time. Nobody promises the waiter the lock, so a waiter that counted as blocked could sleep
//! on for a moment after the lock was released, and time would pass it. No wake-up is lost, because
//! nobody has to wake it. Failed idea: to count as blocked while the holder may be a stopped
//! process. It let the clock pass the deadline that the waiter was about to set.

use super::Locked;
use crate::patience::LOCK_LOOK;
use crate::region::slot::Slot;
use crate::region::state::Kind;
use crate::schedule::engine::Engine;
use crate::sync::{AtomicU32, AtomicU64, Relaxed, SeqCst};
use crate::sys::{self, Timespec};

/// The holder: 22 bits of the thread's number, 22 bits of its process's number (Linux gives out
/// none that is larger), and 20 bits of how often the lock has been taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Token(u64);

const BITS: u32 = 22;
const NUMBER: u64 = (1 << BITS) - 1;

impl Token {
    fn new(pid: u32, tid: u32, taking: u32) -> Token {
        let number = |n: u32| n as u64 & NUMBER;
        Token(number(tid) | number(pid) << BITS | (taking as u64) << (2 * BITS))
    }

    /// Is the holder's thread gone, by the kernel's word (tgkill(2))? The thread number alone could
    /// belong to another process's thread by now. Within the process no other thread gets the
    /// number before the process has executed a program, and the new image frees the locks of the
    /// former one ([`free_after_exec`]).
    fn gone(self, engine: &Engine) -> bool {
        let (pid, tid) = ((self.0 >> BITS & NUMBER) as u32, (self.0 & NUMBER) as u32);
        engine.reach.gone(engine.page, pid, tid)
    }

    fn of(self, pid: u32) -> bool {
        self.0 >> BITS & NUMBER == pid as u64
    }
}

/// Takes the lock of `word` for thread `tid` of process `pid` if the lock is free, or if its holder
/// is `gone`.
pub fn try_take(
    word: &AtomicU64,
    [pid, tid, taking]: [u32; 3],
    gone: impl FnOnce(Token) -> bool,
) -> Option<Token> {
    let token = Token::new(pid, tid, taking);
    match word.compare_exchange(0, token.0, SeqCst, SeqCst) {
        Ok(_) => Some(token),
        Err(holder) if gone(Token(holder)) => {
            word.compare_exchange(holder, token.0, SeqCst, SeqCst).ok().map(|_| token)
        }
        Err(_) => None,
    }
}

/// Releases the lock of `word`; false if this taking does not hold it any more.
pub fn give_back(word: &AtomicU64, token: Token) -> bool {
    word.compare_exchange(token.0, 0, SeqCst, SeqCst).is_ok()
}

impl Slot {
    /// The lock's word.
    pub(super) fn timer_lock(&self) -> &AtomicU64 {
        self.timer().holder
    }

    /// How often anybody has tried to take it.
    fn takings(&self) -> &AtomicU32 {
        self.timer().takings
    }
}

impl Engine {
    /// Locks timer `index` for thread `tid` of this process; `None` if another thread holds the
    /// lock. All signals must be blocked, or a handler could wait for its own thread.
    pub fn try_lock_timer(&self, index: usize, tid: u32) -> Option<Locked<'_>> {
        let taking = self.page.slots[index].takings().fetch_add(1, Relaxed);
        let word = self.page.slots[index].timer_lock();
        let token = try_take(word, [self.pid, tid, taking], |token| token.gone(self))?;
        Some(Locked { engine: self, index, token })
    }

    /// The same, and waits for the holder: see NOTE [Waiting for a timer's lock].
    pub fn lock_timer(&self, index: usize, tid: u32) -> Locked<'_> {
        self.try_lock_timer(index, tid).unwrap_or_else(|| self.wait_for_timer(index, tid))
    }

    #[cold]
    fn wait_for_timer(&self, index: usize, tid: u32) -> Locked<'_> {
        loop {
            sys::futex_wait(&AtomicU32::new(0), 0, Some(&Timespec::of(LOCK_LOOK)), true);
            if let Some(locked) = self.try_lock_timer(index, tid) {
                return locked;
            }
        }
    }

    /// This process runs a new program. Frees the locks that threads of the former program held:
    /// they are gone, though a thread that runs now may have the number of one of them.
    pub fn free_after_exec(&self) {
        for slot in &self.page.slots[..self.page.high()] {
            let held = Token(slot.timer_lock().load(SeqCst));
            if slot.state.load().kind() == Kind::Timer && held.of(self.pid) {
                give_back(slot.timer_lock(), held);
            }
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::schedule::reach::Everything;

    fn gone(token: Token) -> bool {
        let page: &'static crate::region::layout::Page =
            Box::leak(crate::region::layout::Page::boxed());
        let pid = std::process::id();
        let process = std::process::id;
        token.gone(&Engine { page, pid, real_now: || 0, process, reach: &Everything })
    }

    #[test]
    fn a_live_holder_is_not_robbed_and_a_stale_token_frees_nobody() {
        let word = AtomicU64::new(0);
        let me = std::process::id();
        let first = try_take(&word, [me, me, 1], gone).expect("it is free");
        assert_eq!(try_take(&word, [me, me + 1, 2], gone), None);
        assert!(give_back(&word, first));
        let second = try_take(&word, [me, me, 2], gone).expect("it is free");
        assert!(!give_back(&word, first), "not the same taking");
        assert_eq!(word.load(SeqCst), second.0);
    }

    #[test]
    fn a_preempted_holder_is_waited_for_by_a_thread_that_counts_as_busy() {
        use crate::region::layout::Page;
        use std::sync::atomic::AtomicBool;
        // The machine is so busy that a second passes from one look at the clock to the next.
        fn slow() -> u64 {
            static NOW: AtomicU64 = AtomicU64::new(1);
            NOW.fetch_add(1_000_000_000, SeqCst)
        }
        static GOT: AtomicBool = AtomicBool::new(false);
        let page: &'static Page = Box::leak(Page::boxed());
        let pid = std::process::id();
        let engine =
            Engine { page, pid, real_now: slow, process: std::process::id, reach: &Everything };
        let index = page.claim_timer(pid, -1, 1, 7).expect("a free slot");
        let held = engine.lock_timer(index, pid);
        // Some number of this process's: all that counts is which slot says so.
        let waiter = page.claim(Kind::Busy, pid, 0x3f_fffe, 1).expect("a free slot");
        let thread = std::thread::spawn(move || {
            drop(engine.lock_timer(index, 0x3f_fffe));
            GOT.store(true, SeqCst);
        });
        while page.slots[index].takings().load(Relaxed) < 50 {
            assert_eq!(page.slots[waiter].state.load().kind(), Kind::Busy);
            std::thread::yield_now();
        }
        assert!(!GOT.load(SeqCst), "robbed");
        drop(held);
        thread.join().expect("it gets the lock");
        assert_eq!(page.slots[waiter].state.load().kind(), Kind::Busy);
    }

    #[test]
    fn a_dead_holder_holds_nobody_up() {
        // Numbers that no thread has.
        let word = AtomicU64::new(Token::new(0x3f_ffff, 0x3f_ffff, 7).0);
        assert!(try_take(&word, [1, 1, 8], gone).is_some());
    }

    #[test]
    fn who_has_a_dead_holders_number_in_another_process_is_not_the_holder() {
        let other = std::thread::spawn(|| ()).join();
        assert!(other.is_ok());
        let me = std::process::id();
        let word = AtomicU64::new(Token::new(0x3f_ffff, me, 7).0);
        assert!(try_take(&word, [me, me, 8], gone).is_some());
    }
}
