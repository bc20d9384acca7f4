//! How the kernel reports the death of a keeper. The keeper's thread owns a word of the region, and
//! is on record as its owner (set_robust_list(2)). However the thread ends, the kernel marks the
//! word in that moment, and wakes one of the threads that wait to be the successor.

use crate::arch::numbers as nr;
use crate::arch::syscall::syscall6;
use crate::patience::SUCCESSOR;
use crate::region::keeper_word::DIED;
use crate::region::layout::Page;
use crate::sync::SeqCst;
use crate::sys::{self, Timespec};

/// In the word: the owner's thread id.
const OWNER: u32 = 0x3fff_ffff;
/// In the word: a thread waits for the owner's end.
const WAITERS: u32 = 0x8000_0000;

/// The kernel's `struct robust_list`.
#[repr(C)]
struct Link {
    next: *const Link,
}

/// The kernel's `struct robust_list_head`, and the one link of its list.
#[repr(C)]
pub struct Record {
    list: Link,
    /// Offset from a link to its word.
    offset: i64,
    pending: *const Link,
    only: Link,
}

impl Record {
    /// An empty one.
    pub const fn new() -> Record {
        let none = std::ptr::null();
        Record { list: Link { next: none }, offset: 0, pending: none, only: Link { next: none } }
    }
}

impl Default for Record {
    fn default() -> Record {
        Record::new()
    }
}

/// Makes the calling thread able to own [`crate::region::layout::Header::keeper_lives`] until it
/// ends. The thread must not use robust mutexes of libc: this replaces their list.
///
/// # Safety
/// The record is the thread's own, stays where it is and is not touched as long as the thread
/// lives.
pub unsafe fn enlist(page: &'static Page, record: *mut Record) {
    let word = &raw const page.header.keeper_lives;
    // SAFETY: the caller's record; a list of one link, whose word is mapped for the life of the
    // process.
    unsafe {
        let (head, only) = (&raw const (*record).list, &raw const (*record).only);
        (*record).list.next = only;
        (*record).only.next = head;
        (*record).offset = word.addr() as i64 - only.addr() as i64;
        let size = std::mem::offset_of!(Record, only);
        syscall6(nr::SET_ROBUST_LIST, head as usize, size, 0, 0, 0, 0);
    }
}

/// Is there no keeper?
pub fn nobody_keeps(page: &Page) -> bool {
    let word = page.header.keeper_lives.load(SeqCst);
    word & OWNER == 0 || word & DIED != 0
}

/// Makes the threads that wait to be the keeper look whether they are to go on.
pub fn call(page: &Page) {
    sys::futex_wake(&page.header.keeper_lives, u32::MAX >> 1, false);
}

/// Waits until there is no keeper. Then thread `tid`, the caller, is the keeper, and the answer is
/// true. False if the caller is to wait no more (`waits`). The caller has enlisted.
pub fn succeed(page: &Page, tid: u32, waits: impl Fn() -> bool) -> bool {
    let word = &page.header.keeper_lives;
    let again = Timespec::of(SUCCESSOR);
    while waits() {
        let seen = word.load(SeqCst);
        if seen & OWNER == 0 || seen & DIED != 0 {
            // Whether anybody else waits is not known.
            if word.compare_exchange(seen, tid | WAITERS, SeqCst, SeqCst).is_ok() {
                return true;
            }
        } else if seen & WAITERS != 0
            || word.compare_exchange(seen, seen | WAITERS, SeqCst, SeqCst).is_ok()
        {
            sys::futex_wait(word, seen | WAITERS, Some(&again), false);
        }
    }
    false
}
