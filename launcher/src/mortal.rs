//! That the launcher has died, told by the kernel: the keeper's thread owns a word of the region, and is on record as its
//! owner (set_robust_list(2)). However the thread ends, the kernel marks the word in that moment.

use engine::Page;
use std::mem::offset_of;
use std::sync::atomic::Ordering::SeqCst;

/// The kernel's `struct robust_list`.
#[repr(C)]
struct Link {
    next: *const Link,
}

/// The kernel's `struct robust_list_head`, and the one link that its list has.
#[repr(C)]
struct Record {
    list: Link,
    /// From a link to its word.
    offset: i64,
    pending: *const Link,
    only: Link,
}

/// The calling thread owns [`engine::page::Header::keeper_lives`] from now until it ends. It must not use robust mutexes of
/// libc's: their list is replaced.
pub fn watched(page: &'static Page) {
    let word = &raw const page.header.keeper_lives;
    let null = std::ptr::null();
    let record =
        Box::leak(Box::new(Record { list: Link { next: null }, offset: 0, pending: null, only: Link { next: null } }));
    let (head, only) = (&raw const record.list, &raw const record.only);
    record.list.next = only;
    record.only.next = head;
    record.offset = word.addr() as i64 - only.addr() as i64;
    // SAFETY: no arguments.
    let tid = unsafe { libc::gettid() };
    page.header.keeper_lives.store(tid as u32, SeqCst);
    let size = offset_of!(Record, only);
    // SAFETY: a list of one link, which lives for ever; its word is mapped for the life of the process.
    unsafe { libc::syscall(libc::SYS_set_robust_list, head, size) };
}
