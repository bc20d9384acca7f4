//! stat(2), statx(2) and their relatives: the times of files that the session has changed are shown
//! by the virtual clock.

use super::inode::SECOND;
use super::record::{began, look_at_written};
use engine::Engine;
use engine::region::file_times::{Entry, Which, key};
use interpose::next;
use interpose::shim::session;
use interpose::shim::written_files;
use libc::{c_char, c_int, c_uint, dev_t, major, minor};

/// The time to show for `real`, which is stored for the file.
fn shown(file: &Entry, which: Which, real: i64) -> i64 {
    match (which, file.shown(which, real)) {
        (_, Some(shown)) => shown,
        // It was read since it was changed: nobody records that. It is not older than the change.
        (Which::Access, None) if real >= began() => file.last_change().unwrap_or(real),
        _ => real,
    }
}

/// The session, if any file was changed in it.
#[inline]
fn session_with_changes() -> Option<Engine> {
    if written_files::any_written() {
        look_at_written();
    }
    session::engine().filter(|engine| engine.page.file_times.any())
}

/// What stat(2) has answered.
///
/// # Safety
/// The kernel has just filled it in.
#[inline]
unsafe fn translate(answer: c_int, out: *mut libc::stat) -> c_int {
    if answer != 0 {
        return answer;
    }
    let Some(engine) = session_with_changes() else { return answer };
    // SAFETY: the caller's.
    let out = unsafe { &mut *out };
    let device: dev_t = out.st_dev;
    let file = key((major(device), minor(device)), out.st_ino);
    let Some(file) = engine.page.file_times.find(file) else { return answer };
    let times = [
        (Which::Access, &mut out.st_atime, &mut out.st_atime_nsec),
        (Which::Modify, &mut out.st_mtime, &mut out.st_mtime_nsec),
        (Which::Change, &mut out.st_ctime, &mut out.st_ctime_nsec),
    ];
    for (which, sec, nsec) in times {
        let real = sec.saturating_mul(SECOND).saturating_add(*nsec);
        let at = shown(file, which, real);
        (*sec, *nsec) = (at.div_euclid(SECOND), at.rem_euclid(SECOND));
    }
    answer
}

macro_rules! stats {
    ($($(#[$doc:meta])* fn $name:ident($($arg:ident: $t:ty),*);)*) => {$(
        $(#[$doc])*
        ///
        /// # Safety
        /// As for the C function.
        #[inline]
        pub unsafe fn $name($($arg: $t,)* out: *mut libc::stat) -> c_int {
            let answer = next!($name: fn($($t,)* *mut libc::stat) -> c_int)($($arg,)* out);
            // SAFETY: the real call has filled it in.
            unsafe { translate(answer, out) }
        }
    )*};
    (flags: $($(#[$doc:meta])* fn $name:ident($($arg:ident: $t:ty),*);)*) => {$(
        $(#[$doc])*
        ///
        /// # Safety
        /// As for the C function.
        #[inline]
        pub unsafe fn $name($($arg: $t,)* out: *mut libc::stat, flags: c_int) -> c_int {
            let real = next!($name: fn($($t,)* *mut libc::stat, c_int) -> c_int);
            let answer = real($($arg,)* out, flags);
            // SAFETY: the real call has filled it in.
            unsafe { translate(answer, out) }
        }
    )*};
}

stats! {
    /// stat(2).
    fn stat(path: *const c_char);
    /// stat64.
    fn stat64(path: *const c_char);
    /// lstat(2).
    fn lstat(path: *const c_char);
    /// lstat64.
    fn lstat64(path: *const c_char);
    /// fstat(2).
    fn fstat(fd: c_int);
    /// fstat64.
    fn fstat64(fd: c_int);
    /// stat(2), as programs call it that were linked before glibc 2.33: with a version of the
    /// structure.
    fn __xstat(version: c_int, path: *const c_char);
    /// See [`__xstat`].
    fn __xstat64(version: c_int, path: *const c_char);
    /// lstat(2), likewise.
    fn __lxstat(version: c_int, path: *const c_char);
    /// See [`__lxstat`].
    fn __lxstat64(version: c_int, path: *const c_char);
    /// fstat(2), likewise.
    fn __fxstat(version: c_int, fd: c_int);
    /// See [`__fxstat`].
    fn __fxstat64(version: c_int, fd: c_int);
}

stats! { flags:
    /// fstatat(2).
    fn fstatat(dir: c_int, path: *const c_char);
    /// fstatat64.
    fn fstatat64(dir: c_int, path: *const c_char);
    /// fstatat(2), as programs call it that were linked before glibc 2.33.
    fn __fxstatat(version: c_int, dir: c_int, path: *const c_char);
    /// See [`__fxstatat`].
    fn __fxstatat64(version: c_int, dir: c_int, path: *const c_char);
}

/// statx(2).
///
/// # Safety
/// As for the C function.
pub unsafe fn statx(
    dir: c_int,
    path: *const c_char,
    flags: c_int,
    mask: c_uint,
    out: *mut libc::statx,
) -> c_int {
    let real = next!(statx: fn(c_int, *const c_char, c_int, c_uint, *mut libc::statx) -> c_int);
    let answer = real(dir, path, flags, mask, out);
    if answer != 0 {
        return answer;
    }
    let Some(engine) = session_with_changes() else { return answer };
    // SAFETY: the real call has filled it in.
    let out = unsafe { &mut *out };
    let file = key((out.stx_dev_major, out.stx_dev_minor), out.stx_ino);
    let Some(file) = engine.page.file_times.find(file) else { return answer };
    let times = [
        (Which::Access, libc::STATX_ATIME, &mut out.stx_atime),
        (Which::Modify, libc::STATX_MTIME, &mut out.stx_mtime),
        (Which::Change, libc::STATX_CTIME, &mut out.stx_ctime),
        (Which::Birth, libc::STATX_BTIME, &mut out.stx_btime),
    ];
    for (which, bit, time) in times {
        if out.stx_mask & bit != 0 {
            let real = time.tv_sec.saturating_mul(SECOND).saturating_add(time.tv_nsec as i64);
            let at = shown(file, which, real);
            (time.tv_sec, time.tv_nsec) = (at.div_euclid(SECOND), at.rem_euclid(SECOND) as u32);
        }
    }
    answer
}
