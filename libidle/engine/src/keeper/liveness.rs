//! That a keeper has died, told by the kernel: its thread owns a word of the region, and is on
//! record as its owner (set_robust_list(2)). However the thread ends, the kernel marks the word in
//! that moment, and wakes one of those who wait to be its successor.

use crate::arch::numbers as nr;
use crate::arch::syscall::syscall6;
use crate::patience::SUCCESSOR;
use crate::region::keeper_word::DIED;
use crate::region::layout::Page;
use crate::sync::SeqCst;
use crate::sys::{self, Timespec};

/// Of the word: who owns it.
const OWNER: u32 = 0x3fff_ffff;
/// Somebody waits for that.
const WAITERS: u32 = 0x8000_0000;

/// The kernel's `struct robust_list`.
#[repr(C)]
struct Link {
    next: *const Link,
}

/// The kernel's `struct robust_list_head`, and the one link that its list has.
#[repr(C)]
pub struct Record {
    list: Link,
    /// From a link to its word.
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

/// The calling thread can own [`crate::region::layout::Header::keeper_lives`] until it ends. It
/// must not use robust mutexes of libc's: their list is replaced.
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

/// Those who wait to be the keeper look whether they are to go on.
pub fn call(page: &Page) {
    sys::futex_wake(&page.header.keeper_lives, u32::MAX >> 1, false);
}

/// Thread `tid`, the caller, is the keeper from now on; before that it waits until there is none,
/// or is to wait no more: then the answer is false. It has enlisted.
pub fn succeed(page: &Page, tid: u32, waits: impl Fn() -> bool) -> bool {
    let word = &page.header.keeper_lives;
    let again = Timespec::of(SUCCESSOR);
    while waits() {
        let seen = word.load(SeqCst);
        if seen & OWNER == 0 || seen & DIED != 0 {
            // That nobody else waits is not known.
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
