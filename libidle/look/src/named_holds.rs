//! Does the owner of a named hold still hold it? See [`engine::region::named_holds`].

use engine::arch::syscall::syscall6;
use engine::region::named_holds::lock_of;

/// Has anybody the lock of that hold, on the region's file `fd`?
pub fn is_locked(fd: i32, index: usize) -> bool {
    let mut lock = lock_of(index);
    // SAFETY: fcntl(2) reads and writes one `struct flock`.
    let failed = unsafe {
        let at = &raw mut lock as usize;
        syscall6(libc::SYS_fcntl, fd as usize, libc::F_OFD_GETLK as usize, at, 0, 0, 0)
    };
    failed == 0 && lock.kind != libc::F_UNLCK as i16
}
