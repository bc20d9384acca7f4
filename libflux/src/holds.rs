//! `flux_hold` and `flux_release` of `flux.h`: a program holds the clock.
//!
//! The descriptor of a hold is an open file description of the region, with a lock on it
//! ([`engine::region::named_holds`]). Whatever closes its last copy ends the hold.

use engine::arch::syscall::syscall6;
use engine::region::layout::Page;
use engine::region::named_holds::{LASTS, name_of};
use engine::region::sizes::HOLDS;
use interpose::shim::entry::enter;
use interpose::shim::inherited_fds;
use interpose::shim::session::{self, SESSION};
use libc::{c_char, c_int};
use posix::errno::Errno;
use std::ffi::CStr;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::atomic::{AtomicI32, AtomicU32};

/// Begins a hold; the answer is its descriptor. Without a session it is -1, and `errno` is 0: there
/// is nothing to hold.
///
/// # Safety
/// `name` is null or a C string.
pub unsafe fn hold(name: *const c_char) -> Result<c_int, Errno> {
    if name.is_null() {
        return Err(Errno::EINVAL);
    }
    // SAFETY: not null, and the caller vouches for it.
    let text = unsafe { CStr::from_ptr(name) };
    let name = name_of(text.to_bytes()).ok_or(Errno::EINVAL)?;
    let Some(entry) = enter() else { return Err(Errno(0)) };
    let fd = inherited_fds::open_again(SESSION.get()).ok_or(Errno(libc::EMFILE))?;
    let pid = session::process();
    OWNER.store(pid, SeqCst);
    // The number of a hold that the program has closed.
    if let Some((index, _)) = own(entry.engine.page, pid).find(|&(_, of)| of == fd) {
        entry.engine.end_hold(Some(entry.me), index);
    }
    match entry.engine.begin_hold(&name, fd) {
        Some(index) => {
            DESCRIPTORS[index].store(fd + 1, SeqCst);
            Ok(fd)
        }
        None => {
            close(fd);
            Err(Errno(libc::ENOSPC))
        }
    }
}

/// The process that has begun holds, if this is not a forked child of it; 0: none.
static OWNER: AtomicU32 = AtomicU32::new(0);

/// Ends the hold of descriptor `fd` and closes it. Nothing happens for -1.
pub fn release(fd: c_int) -> Result<c_int, Errno> {
    if fd == -1 {
        return Ok(0);
    }
    let entry = enter().ok_or(Errno(libc::EBADF))?;
    let index = own(entry.engine.page, session::process()).find(|&(_, of)| of == fd);
    let (index, _) = index.ok_or(Errno(libc::EBADF))?;
    entry.engine.end_hold(Some(entry.me), index);
    close(fd);
    Ok(0)
}

/// The descriptor + 1 of each hold of this process; 0: none. The region says so too, but any
/// program can write that, and this one would close what it says.
static DESCRIPTORS: [AtomicI32; HOLDS] = [const { AtomicI32::new(0) }; HOLDS];

/// Holds of process `pid`, each with its descriptor.
fn own(page: &Page, pid: u32) -> impl Iterator<Item = (usize, c_int)> {
    page.holds_in(LASTS)
        .filter(move |&index| page.named[index].pid.load(SeqCst) == pid)
        .filter_map(|index| Some((index, DESCRIPTORS[index].load(SeqCst).checked_sub(1)?)))
        .filter(|&(_, fd)| fd >= 0)
}

/// In a forked child: what its parent holds is not the child's.
pub fn forked() {
    let (parent, page) = (OWNER.swap(0, SeqCst), session::page());
    if parent != 0 {
        page.into_iter().for_each(|page| own(page, parent).for_each(|(_, fd)| close(fd)));
        DESCRIPTORS.iter().for_each(|fd| fd.store(0, SeqCst));
    }
}

fn close(fd: c_int) {
    // SAFETY: a descriptor of our own.
    unsafe { syscall6(libc::SYS_close, fd as usize, 0, 0, 0, 0, 0) };
}
