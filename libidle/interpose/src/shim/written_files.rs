//! Which files this process has written since it last waited.
//!
//! libflux.so shows file times by the virtual clock, so it has to know which files were written
//! between two moves of the clock. A write costs a look at a bit. The files are looked at once
//! before the next wait: the clock does not move while the writer runs. So a write to a regular
//! file counts as running, as it does natively, and not as a wait.

use crate::shim::fd_set::{FdSet, sets};
use crate::shim::library::library;
use crate::shim::session;
use engine::arch::syscall::syscall6;
use libc::c_int;
use std::mem::MaybeUninit;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicU32};

/// Does the library want to know? Else nothing is noted.
#[unsafe(link_section = ".data.interpose")]
static WANTED: AtomicBool = AtomicBool::new(false);

/// Regular files, and what is none, as far as this process has written to them.
static REGULAR: FdSet<{ sets::REGULAR }> = FdSet::new();
static OTHERS: FdSet<{ sets::OTHERS }> = FdSet::new();
/// Of the regular files those that were written.
static WRITTEN: FdSet<{ sets::WRITTEN }> = FdSet::new();
/// And those that libc may have written, by a stream.
static PERHAPS: FdSet<{ sets::PERHAPS }> = FdSet::new();
/// The highest descriptor that was ever in one of the last two.
static HIGHEST: AtomicU32 = AtomicU32::new(0);

/// From now on writes are noted.
pub fn begin() {
    WANTED.store(true, Relaxed);
}

/// From now on nothing is noted. What has been is forgotten.
pub fn end() {
    WANTED.store(false, Relaxed);
    closing_range(0, u32::MAX);
}

/// Are writes noted?
#[inline]
pub fn wanted() -> bool {
    WANTED.load(Relaxed)
}

/// Is `fd` known to be a regular file?
#[inline]
pub fn is_regular(fd: c_int) -> bool {
    REGULAR.contains(fd)
}

/// Is `fd` a regular file, and does the library want to know?
pub fn is_file(fd: c_int) -> bool {
    wanted() && !OTHERS.contains(fd) && (is_regular(fd) || ask(fd))
}

/// Something was written to `fd`.
#[inline]
pub fn wrote(fd: c_int) {
    if wanted() && !OTHERS.contains(fd) && !WRITTEN.contains(fd) {
        note(fd, &WRITTEN);
    }
}

/// libc may have written what a stream had in its buffer to `fd`.
#[inline]
pub fn perhaps_wrote(fd: c_int) {
    if wanted() && !OTHERS.contains(fd) && !PERHAPS.contains(fd) {
        note(fd, &PERHAPS);
    }
}

#[cold]
fn note<const SET: usize>(fd: c_int, written: &FdSet<SET>) {
    // The numbers are the parent's in a child of vfork(2), and its memory, too.
    if session::in_vfork_child() {
        return;
    }
    if is_regular(fd) || ask(fd) {
        REGULAR.set(fd, true);
        HIGHEST.fetch_max(fd as u32, Relaxed);
        written.set(fd, true);
    } else {
        OTHERS.set(fd, true);
    }
}

/// Is `fd` a regular file?
fn ask(fd: c_int) -> bool {
    let mut found = MaybeUninit::<libc::stat>::uninit();
    let at = found.as_mut_ptr() as usize;
    // SAFETY: a valid out-parameter.
    let raw = unsafe { syscall6(libc::SYS_fstat, fd as usize, at, 0, 0, 0, 0) };
    // SAFETY: filled in.
    raw == 0 && unsafe { found.assume_init_ref() }.st_mode & libc::S_IFMT == libc::S_IFREG
}

/// Is anything known of `fd`?
#[inline]
pub fn noted(fd: c_int) -> bool {
    OTHERS.contains(fd) || REGULAR.contains(fd)
}

/// `fd` is about to be closed, or to become another file. What was written to it is told first.
#[inline]
pub fn closing(fd: c_int) {
    if noted(fd) {
        forget(fd);
    }
}

#[cold]
fn forget(fd: c_int) {
    if session::in_vfork_child() {
        return;
    }
    if WRITTEN.contains(fd) || PERHAPS.contains(fd) {
        library().look_at_written();
    }
    OTHERS.set(fd, false);
    REGULAR.set(fd, false);
    WRITTEN.set(fd, false);
    PERHAPS.set(fd, false);
}

/// The same for all of `first..=last`.
pub fn closing_range(first: u32, last: u32) {
    OTHERS.within(first, last).for_each(|fd| closing(fd as c_int));
    REGULAR.within(first, last).for_each(|fd| closing(fd as c_int));
}

/// The calling thread is about to wait: what the process has written is looked at.
#[inline(always)]
pub fn settle() {
    if any_written() {
        library().look_at_written();
    }
}

/// Takes the descriptors that were written since the last call; `sure` says of which that is sure.
pub fn take_written(mut each: impl FnMut(c_int, bool)) {
    // Taken out first: a write from now on is noted anew.
    for fd in PERHAPS.within(0, HIGHEST.load(Relaxed)) {
        PERHAPS.set(fd as c_int, false);
        each(fd as c_int, false);
    }
    for fd in WRITTEN.within(0, HIGHEST.load(Relaxed)) {
        WRITTEN.set(fd as c_int, false);
        each(fd as c_int, true);
    }
}

/// Was anything written that nobody has looked at?
#[inline]
pub fn any_written() -> bool {
    WRITTEN.any() || PERHAPS.any()
}
