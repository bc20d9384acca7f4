//! Wake fds: how one is told from any other file, and made readable.
//!
//! The number of a wake fd comes from the region, and what has that number may be a file of the
//! program's, or of a stranger's. So the open file itself has to tell. Each wake fd carries a mark,
//! which belongs to the open file: whoever gets a copy of the descriptor finds it. Whoever holds a
//! file may mark it, so the mark alone does not do: the file must also be an anonymous one, as an
//! eventfd is. Of the other anonymous files, those that can be written to are for the privileged.

use crate::arch::numbers as nr;
use crate::arch::syscall::syscall6;
use crate::sys::with_reached;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::SeqCst;

/// The mark: a signal number for F_SETSIG, fcntl(2). An eventfd sends no such signal.
const MARK: usize = 63;
const F_SETSIG: usize = 10;
const F_GETSIG: usize = 11;

/// Marks eventfd `fd` as a wake fd.
pub fn mark(fd: i32) {
    // SAFETY: plain numbers.
    unsafe { syscall6(nr::FCNTL, fd as usize, F_SETSIG, MARK, 0, 0, 0) };
}

/// Makes eventfd `fd` of this process readable.
pub fn ring(fd: i32) -> bool {
    let one = 1u64.to_ne_bytes();
    // SAFETY: `one` outlives the write.
    unsafe { syscall6(nr::WRITE, fd as usize, one.as_ptr() as usize, 8, 0, 0, 0) == 8 }
}

/// Makes wake fd `fd` of another process `pid` readable, if `reached` says that the process is one
/// to act on. False where it cannot be reached or is no wake fd.
pub fn ring_other(pid: u32, fd: i32, reached: impl FnOnce() -> bool) -> bool {
    with_reached(pid, fd, reached, |fd| is_marked(fd) && ring(fd))
}

/// Is `fd` a wake fd?
fn is_marked(fd: i32) -> bool {
    // SAFETY: plain numbers.
    let mark = unsafe { syscall6(nr::FCNTL, fd as usize, F_GETSIG, 0, 0, 0, 0) };
    mark == MARK as isize && identity(fd).is_some_and(|file| anonymous() == Some(file))
}

/// Device and inode of all anonymous files; the inode is zero while they are not known.
static ANONYMOUS: [AtomicU64; 2] = [const { AtomicU64::new(0) }; 2];

/// Device and inode of eventfds, which share them with all anonymous files.
fn anonymous() -> Option<(u64, u64)> {
    let [device, inode] = &ANONYMOUS;
    if inode.load(SeqCst) == 0 {
        const EFD_CLOEXEC: usize = 0o2_000_000;
        // SAFETY: plain numbers.
        let fd = unsafe { syscall6(nr::EVENTFD2, 0, EFD_CLOEXEC, 0, 0, 0, 0) };
        let found = (fd >= 0).then(|| identity(fd as i32)).flatten();
        // SAFETY: a descriptor of our own, or none.
        unsafe { syscall6(nr::CLOSE, fd as usize, 0, 0, 0, 0, 0) };
        let found = found?;
        device.store(found.0, SeqCst);
        inode.store(found.1, SeqCst);
    }
    Some((device.load(SeqCst), inode.load(SeqCst)))
}

/// Device and inode of the file that is open as `fd`, by statx(2).
fn identity(fd: i32) -> Option<(u64, u64)> {
    const AT_EMPTY_PATH: usize = 0x1000;
    const INODE: usize = 0x100;
    /// Words of a `struct statx`, and which of them are device and inode.
    const WORDS: usize = 32;
    const AT: [usize; 2] = [17, 4];
    let mut about = [0u64; WORDS];
    let (path, to) = (c"".as_ptr() as usize, about.as_mut_ptr() as usize);
    // SAFETY: an empty path, and room for a `struct statx`, 256 bytes.
    let failed = unsafe { syscall6(nr::STATX, fd as usize, path, AT_EMPTY_PATH, INODE, to, 0) };
    (failed == 0).then_some((about[AT[0]], about[AT[1]]))
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use std::os::fd::AsRawFd;

    fn eventfd() -> i32 {
        // SAFETY: plain numbers.
        unsafe { syscall6(nr::EVENTFD2, 0, 0, 0, 0, 0, 0) as i32 }
    }

    #[test]
    fn a_file_with_the_mark_is_no_wake_fd() {
        let fd = eventfd();
        assert!(!is_marked(fd), "an eventfd of somebody's");
        mark(fd);
        assert!(is_marked(fd));
        let file = std::fs::File::open("/dev/null").expect("a file");
        mark(file.as_raw_fd());
        assert!(!is_marked(file.as_raw_fd()));
    }

    #[test]
    fn nobody_is_rung_who_is_not_to_be_reached() {
        let fd = eventfd();
        mark(fd);
        let me = std::process::id();
        assert!(!ring_other(me, fd, || false));
        assert!(ring_other(me, fd, || true));
    }
}
