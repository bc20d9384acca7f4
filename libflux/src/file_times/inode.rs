//! A file as the kernel knows it: statx(2) behind all hooks.

use engine::arch::syscall::syscall6;
use engine::region::file_times::{Which, key};
use libc::{AT_EMPTY_PATH, AT_STATX_DONT_SYNC, c_char, c_int, statx, statx_timestamp};
use std::mem::MaybeUninit;

/// In nanoseconds.
pub const SECOND: i64 = 1_000_000_000;

/// What is to be known of a file.
pub struct Inode {
    /// By which the region knows it.
    pub key: u64,
    /// Is it a regular file?
    pub regular: bool,
    /// By [`Which`], ns since 1970; the last one is 0 where the file system stores no birth.
    times: [i64; 4],
    size: u64,
    /// Names that it has.
    pub links: u32,
}

fn ns(at: statx_timestamp) -> i64 {
    at.tv_sec.saturating_mul(SECOND).saturating_add(at.tv_nsec as i64)
}

impl Inode {
    /// Of a descriptor.
    pub fn of(fd: c_int) -> Option<Inode> {
        Inode::at(fd, c"".as_ptr(), AT_EMPTY_PATH)
    }

    /// Of what a path leads to; `flags` are those of statx(2).
    pub fn at(dir: c_int, path: *const c_char, flags: c_int) -> Option<Inode> {
        let mut found = MaybeUninit::<statx>::uninit();
        let flags = (flags | AT_STATX_DONT_SYNC) as usize;
        let mask = (libc::STATX_BASIC_STATS | libc::STATX_BTIME) as usize;
        let at = found.as_mut_ptr() as usize;
        // SAFETY: a valid out-parameter; the kernel checks the path, which it has read before.
        let raw =
            unsafe { syscall6(libc::SYS_statx, dir as usize, path as usize, flags, mask, at, 0) };
        // SAFETY: filled in.
        let found = (raw == 0).then(|| unsafe { found.assume_init() })?;
        let birth = if found.stx_mask & libc::STATX_BTIME != 0 { ns(found.stx_btime) } else { 0 };
        Some(Inode {
            key: key((found.stx_dev_major, found.stx_dev_minor), found.stx_ino),
            regular: found.stx_mode as u32 & libc::S_IFMT == libc::S_IFREG,
            times: [ns(found.stx_atime), ns(found.stx_mtime), ns(found.stx_ctime), birth],
            size: found.stx_size,
            links: found.stx_nlink,
        })
    }

    /// As it is stored.
    pub fn time(&self, which: Which) -> i64 {
        self.times[which as usize]
    }

    /// Was it created at `before` or later? Where the file system stores no birth, an empty file
    /// that was changed since counts as new.
    pub fn is_new(&self, before: i64) -> bool {
        match self.time(Which::Birth) {
            0 => self.size == 0 && self.time(Which::Change) >= before,
            birth => birth >= before,
        }
    }
}
