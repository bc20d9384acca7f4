//! Calls that change files by their paths: what they have changed is recorded at once. The folder
//! of a file that is made, removed or renamed is changed as well. A time that is stored as earlier
//! than the call (`since`) was not changed by it.

use super::inode::Inode;
use super::record::{CHANGED, CREATED, HERE, WRITTEN, record, record_at, tick};
use engine::arch::syscall::syscall6;
use engine::region::file_times::Which;
use interpose::next;
use interpose::shim::session;
use interpose::shim::written_files;
use libc::{
    AT_EMPTY_PATH, AT_SYMLINK_NOFOLLOW, O_CREAT, O_TMPFILE, O_TRUNC, c_char, c_int, c_uint, dev_t,
    gid_t, mode_t, off_t, size_t, ssize_t, uid_t,
};
use std::ffi::CStr;

/// The longest path that the kernel takes, with its end.
const PATH_MAX: usize = 4096;

/// A file was made.
pub fn created(dir: c_int, path: *const c_char, since: i64) {
    record_at(dir, path, AT_SYMLINK_NOFOLLOW, CREATED, since);
    parent_changed(dir, path, since);
}

/// What stands in the folder of `path` has changed.
pub fn parent_changed(dir: c_int, path: *const c_char, since: i64) {
    // SAFETY: the kernel has just read the path.
    let path = unsafe { CStr::from_ptr(path) }.to_bytes();
    let end = path.iter().rposition(|&byte| byte != b'/').map_or(0, |last| last + 1);
    let mut parent = [0u8; PATH_MAX];
    let folder = match path[..end].iter().rposition(|&byte| byte == b'/') {
        Some(0) => &b"/"[..],
        Some(slash) => &path[..slash],
        None => &b"."[..],
    };
    if let Some(into) = parent.get_mut(..folder.len()).filter(|into| into.len() < PATH_MAX) {
        into.copy_from_slice(folder);
        record_at(dir, parent.as_ptr().cast(), 0, WRITTEN, since);
    }
}

/// A file that is about to lose one of its names, and is still there afterwards: its inode is
/// changed, too.
struct Unlinked(c_int);

impl Unlinked {
    fn before(dir: c_int, path: *const c_char) -> Option<Unlinked> {
        Inode::at(dir, path, AT_SYMLINK_NOFOLLOW).filter(|file| file.links > 1)?;
        let flags = (libc::O_PATH | libc::O_NOFOLLOW | libc::O_CLOEXEC) as usize;
        // SAFETY: the kernel checks the path.
        let fd = unsafe { syscall6(libc::SYS_openat, dir as usize, path as usize, flags, 0, 0, 0) };
        (fd >= 0).then_some(Unlinked(fd as c_int))
    }
}

impl Drop for Unlinked {
    fn drop(&mut self) {
        // SAFETY: a descriptor of our own.
        unsafe { syscall6(libc::SYS_close, self.0 as usize, 0, 0, 0, 0, 0) };
    }
}

/// A file was opened that may be new, or empty by this; see
/// [`interpose::shim::library::Library::opened`].
pub fn opened(dir: c_int, path: *const c_char, flags: c_int, fd: c_int, before: i64) {
    let Some(engine) = session::own_engine() else { return };
    let Some(file) = Inode::of(fd).filter(|file| file.regular) else { return };
    // A file that was created in the same tick of the kernel's clock is known.
    let known = |which| {
        let entry = engine.page.file_times.find(file.key);
        entry.and_then(|entry| entry.recorded(which, file.time(which))).is_some()
    };
    let new = flags & O_CREAT != 0
        && file.is_new(before)
        && !known(Which::Birth)
        && !known(Which::Change);
    if new {
        record(&engine, &file, CREATED, before);
        if flags & O_TMPFILE != O_TMPFILE {
            parent_changed(dir, path, before);
        }
    } else if flags & O_TRUNC != 0 {
        record(&engine, &file, WRITTEN, before);
    }
}

/// A file got another name.
fn renamed(from: (c_int, *const c_char), to: (c_int, *const c_char), since: i64) {
    record_at(to.0, to.1, AT_SYMLINK_NOFOLLOW, CHANGED, since);
    parent_changed(from.0, from.1, since);
    parent_changed(to.0, to.1, since);
}

/// Bodies: the real call, and what it has changed if it answers 0. In brackets: a name that is gone
/// then.
macro_rules! changes {
    ($since:ident; $(
        $(#[$doc:meta])*
        fn $name:ident($($arg:ident: $t:ty),*)$([$dir:expr, $path:expr])? = $changed:expr;
    )*) => {$(
        $(#[$doc])*
        pub fn $name($($arg: $t),*) -> c_int {
            if !written_files::wanted() {
                return next!($name: fn($($t),*) -> c_int)($($arg),*);
            }
            $(let unlinked = Unlinked::before($dir, $path);)?
            let $since = tick();
            let answer = next!($name: fn($($t),*) -> c_int)($($arg),*);
            if answer == 0 {
                $changed;
                $(let _: (c_int, *const c_char) = ($dir, $path);
                unlinked.iter().for_each(|unlinked| of_fd(unlinked.0, $since));)?
            }
            answer
        }
    )*};
}

changes! { since;
    /// mkdir(2).
    fn mkdir(path: *const c_char, mode: mode_t) = created(HERE, path, since);
    /// mkdirat(2).
    fn mkdirat(dir: c_int, path: *const c_char, mode: mode_t) = created(dir, path, since);
    /// mknod(2).
    fn mknod(path: *const c_char, mode: mode_t, device: dev_t) = created(HERE, path, since);
    /// mknodat(2).
    fn mknodat(dir: c_int, path: *const c_char, mode: mode_t, device: dev_t) = created(dir, path, since);
    /// mkfifo(3).
    fn mkfifo(path: *const c_char, mode: mode_t) = created(HERE, path, since);
    /// mkfifoat(3).
    fn mkfifoat(dir: c_int, path: *const c_char, mode: mode_t) = created(dir, path, since);
    /// symlink(2).
    fn symlink(target: *const c_char, path: *const c_char) = created(HERE, path, since);
    /// symlinkat(2).
    fn symlinkat(target: *const c_char, dir: c_int, path: *const c_char) = created(dir, path, since);
    /// link(2).
    fn link(old: *const c_char, new: *const c_char) = linked(HERE, new, since);
    /// linkat(2).
    fn linkat(
        olddir: c_int,
        old: *const c_char,
        newdir: c_int,
        new: *const c_char,
        flags: c_int
    ) = linked(newdir, new, since);
    /// unlink(2).
    fn unlink(path: *const c_char)[HERE, path] = parent_changed(HERE, path, since);
    /// unlinkat(2).
    fn unlinkat(dir: c_int, path: *const c_char, flags: c_int)[dir, path] = parent_changed(dir, path, since);
    /// rmdir(2).
    fn rmdir(path: *const c_char) = parent_changed(HERE, path, since);
    /// remove(3).
    fn remove(path: *const c_char)[HERE, path] = parent_changed(HERE, path, since);
    /// rename(2).
    fn rename(old: *const c_char, new: *const c_char)[HERE, new] = renamed((HERE, old), (HERE, new), since);
    /// renameat(2).
    fn renameat(
        olddir: c_int,
        old: *const c_char,
        newdir: c_int,
        new: *const c_char
    )[newdir, new] = renamed((olddir, old), (newdir, new), since);
    /// renameat2(2).
    fn renameat2(
        olddir: c_int,
        old: *const c_char,
        newdir: c_int,
        new: *const c_char,
        flags: c_uint
    )[newdir, new] = renamed((olddir, old), (newdir, new), since);
    /// chmod(2).
    fn chmod(path: *const c_char, mode: mode_t) = record_at(HERE, path, 0, CHANGED, since);
    /// fchmod(2).
    fn fchmod(fd: c_int, mode: mode_t) = of_fd(fd, since);
    /// fchmodat(2).
    fn fchmodat(
        dir: c_int,
        path: *const c_char,
        mode: mode_t,
        flags: c_int
    ) = record_at(dir, path, flags & AT_SYMLINK_NOFOLLOW, CHANGED, since);
    /// lchmod(3).
    fn lchmod(
        path: *const c_char,
        mode: mode_t
    ) = record_at(HERE, path, AT_SYMLINK_NOFOLLOW, CHANGED, since);
    /// chown(2).
    fn chown(path: *const c_char, user: uid_t, group: gid_t) = record_at(HERE, path, 0, CHANGED, since);
    /// lchown(2).
    fn lchown(
        path: *const c_char,
        user: uid_t,
        group: gid_t
    ) = record_at(HERE, path, AT_SYMLINK_NOFOLLOW, CHANGED, since);
    /// fchown(2).
    fn fchown(fd: c_int, user: uid_t, group: gid_t) = of_fd(fd, since);
    /// fchownat(2).
    fn fchownat(
        dir: c_int,
        path: *const c_char,
        user: uid_t,
        group: gid_t,
        flags: c_int
    ) = record_at(dir, path, flags & (AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH), CHANGED, since);
    /// truncate(2).
    fn truncate(path: *const c_char, length: off_t) = record_at(HERE, path, 0, WRITTEN, since);
    /// truncate64.
    fn truncate64(path: *const c_char, length: off_t) = record_at(HERE, path, 0, WRITTEN, since);
}

/// Bodies: the real call, and a note that the file was written.
macro_rules! writes {
    ($($(#[$doc:meta])* fn $name:ident($fd:ident: c_int, $($arg:ident: $t:ty),*);)*) => {$(
        $(#[$doc])*
        pub fn $name($fd: c_int, $($arg: $t),*) -> c_int {
            let answer = next!($name: fn(c_int, $($t),*) -> c_int)($fd, $($arg),*);
            if answer == 0 {
                written_files::wrote($fd);
            }
            answer
        }
    )*};
}

writes! {
    /// ftruncate(2).
    fn ftruncate(fd: c_int, length: off_t);
    /// ftruncate64.
    fn ftruncate64(fd: c_int, length: off_t);
    /// fallocate(2).
    fn fallocate(fd: c_int, mode: c_int, from: off_t, length: off_t);
    /// fallocate64.
    fn fallocate64(fd: c_int, mode: c_int, from: off_t, length: off_t);
    /// posix_fallocate(3).
    fn posix_fallocate(fd: c_int, from: off_t, length: off_t);
    /// posix_fallocate64.
    fn posix_fallocate64(fd: c_int, from: off_t, length: off_t);
}

/// A file got one name more.
fn linked(dir: c_int, path: *const c_char, since: i64) {
    record_at(dir, path, AT_SYMLINK_NOFOLLOW, CHANGED, since);
    parent_changed(dir, path, since);
}

fn of_fd(fd: c_int, since: i64) {
    record_at(fd, c"".as_ptr(), AT_EMPTY_PATH, CHANGED, since);
}

/// copy_file_range(2).
pub fn copy_file_range(
    from: c_int,
    at: *mut off_t,
    to: c_int,
    to_at: *mut off_t,
    n: size_t,
    flags: c_uint,
) -> ssize_t {
    let real = next!(copy_file_range:
        fn(c_int, *mut off_t, c_int, *mut off_t, size_t, c_uint) -> ssize_t);
    let done = real(from, at, to, to_at, n, flags);
    if done > 0 {
        written_files::wrote(to);
    }
    done
}
