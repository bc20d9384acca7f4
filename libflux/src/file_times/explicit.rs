//! Calls that set the times of a file: utimensat(2) and its relatives. *Now* is the session's now.
//! A time that the program names is stored, and read back, as it was named. Where a call names
//! none, the real now is stored and the session's now is shown.

use super::inode::Inode;
use super::record::{CHANGED, HERE, record, tick};
use engine::region::file_times::Which;
use interpose::next;
use interpose::shim::session;
use interpose::shim::user_memory::readable;
use interpose::shim::written_files;
use libc::{
    AT_EMPTY_PATH, AT_SYMLINK_NOFOLLOW, UTIME_NOW, UTIME_OMIT, c_char, c_int, c_void, timespec,
    timeval, utimbuf,
};

/// What a call says of one time.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Set {
    Now,
    Keep,
    Named,
}

/// The times of what the path leads to were set like this.
fn set(dir: c_int, path: *const c_char, flags: c_int, how: [Set; 2], since: i64) {
    let Some(engine) = session::own_engine() else { return };
    let Some(file) = Inode::at(dir, path, flags) else { return };
    for (which, how) in [Which::Access, Which::Modify].into_iter().zip(how) {
        let real = file.time(which);
        match how {
            Set::Now => record(&engine, &file, &[which], since),
            Set::Named => engine.page.file_times.record(file.key, which, real, real),
            Set::Keep => {}
        }
    }
    record(&engine, &file, CHANGED, since);
}

/// What two `struct timespec` of utimensat(2) say; null is now.
fn specs(times: *const timespec) -> [Set; 2] {
    let pair = times.cast::<[timespec; 2]>();
    if times.is_null() || !readable(pair) {
        return [Set::Now; 2];
    }
    // SAFETY: readable, and the kernel has just read it.
    unsafe { pair.read_unaligned() }.map(|time| match time.tv_nsec {
        UTIME_NOW => Set::Now,
        UTIME_OMIT => Set::Keep,
        _ => Set::Named,
    })
}

fn named<T>(times: *const T) -> [Set; 2] {
    [if times.is_null() { Set::Now } else { Set::Named }; 2]
}

macro_rules! sets {
    ($since:ident; $($(#[$doc:meta])* fn $name:ident($($arg:ident: $t:ty),*) = $set:expr;)*) => {$(
        $(#[$doc])*
        pub fn $name($($arg: $t),*) -> c_int {
            if !written_files::wanted() {
                return next!($name: fn($($t),*) -> c_int)($($arg),*);
            }
            let $since = tick();
            let answer = next!($name: fn($($t),*) -> c_int)($($arg),*);
            if answer == 0 {
                $set;
            }
            answer
        }
    )*};
}

sets! { since;
    /// utimensat(2). Without a path the descriptor's file is meant.
    fn utimensat(dir: c_int, path: *const c_char, times: *const timespec, flags: c_int) = {
        let empty = if path.is_null() { AT_EMPTY_PATH } else { 0 };
        let path = if path.is_null() { c"".as_ptr() } else { path };
        set(dir, path, flags & (AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) | empty, specs(times), since)
    };
    /// futimens(3).
    fn futimens(fd: c_int, times: *const timespec) = {
        set(fd, c"".as_ptr(), AT_EMPTY_PATH, specs(times), since)
    };
    /// utimes(2).
    fn utimes(path: *const c_char, times: *const timeval) = set(HERE, path, 0, named(times), since);
    /// lutimes(3).
    fn lutimes(path: *const c_char, times: *const timeval) = {
        set(HERE, path, AT_SYMLINK_NOFOLLOW, named(times), since)
    };
    /// futimes(3).
    fn futimes(fd: c_int, times: *const timeval) = {
        set(fd, c"".as_ptr(), AT_EMPTY_PATH, named(times), since)
    };
    /// futimesat(2). Without a path the descriptor's file is meant.
    fn futimesat(dir: c_int, path: *const c_char, times: *const timeval) = {
        let empty = if path.is_null() { AT_EMPTY_PATH } else { 0 };
        let path = if path.is_null() { c"".as_ptr() } else { path };
        set(dir, path, empty, named(times), since)
    };
    /// utime(2).
    fn utime(path: *const c_char, times: *const utimbuf) = {
        set(HERE, path, 0, named(times.cast::<c_void>()), since)
    };
}
