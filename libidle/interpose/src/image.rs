//! What kind of program is about to be executed: read from its file before exec(2), because afterwards it is too late to
//! choose its environment. Raw system calls and the stack only: this runs between vfork and exec.

use engine::elf::{Program, ReadAt, follow};
use engine::sys::syscall6;
use libc::{c_char, c_int};
use std::ffi::CStr;

/// Longest path of a candidate in `PATH`, and of a script's interpreter.
const PATH: usize = 1024;
/// Where execvp(3) looks when there is no `PATH`.
const DEFAULT: &CStr = c"/bin:/usr/bin";

/// An open file.
struct File(c_int);

impl File {
    /// Only a regular file is opened: with others that may mean something.
    fn open(dir: c_int, path: &CStr, flags: c_int) -> Option<File> {
        let at = |number, third: usize, fourth: usize| {
            // SAFETY: a path with its NUL, and a `stat` or numbers as the call has them.
            unsafe { syscall6(number, dir as usize, path.as_ptr() as usize, third, fourth, 0, 0) }
        };
        // SAFETY: zero is a valid value of all fields.
        let mut stat: libc::stat = unsafe { std::mem::zeroed() };
        let follow = flags & (libc::AT_SYMLINK_NOFOLLOW | libc::AT_EMPTY_PATH);
        if at(libc::SYS_newfstatat, &raw mut stat as usize, follow as usize) != 0
            || stat.st_mode & libc::S_IFMT != libc::S_IFREG
        {
            return None;
        }
        let fd = at(libc::SYS_openat, (libc::O_RDONLY | libc::O_CLOEXEC | libc::O_NONBLOCK) as usize, 0);
        (fd >= 0).then_some(File(fd as c_int))
    }

    /// A path without NUL.
    fn open_bytes(path: &[u8]) -> Option<File> {
        let mut text = [0u8; PATH];
        text.get_mut(..path.len())?.copy_from_slice(path);
        File::open(libc::AT_FDCWD, CStr::from_bytes_until_nul(&text).ok()?, 0)
    }

    fn program(self) -> Option<Program> {
        follow(self, File::open_bytes)
    }
}

impl ReadAt for File {
    fn read_at(&mut self, offset: u64, to: &mut [u8]) -> usize {
        let (to, length) = (to.as_mut_ptr() as usize, to.len());
        // SAFETY: a buffer of the caller's.
        let got = unsafe { syscall6(libc::SYS_pread64, self.0 as usize, to, length, offset as usize, 0, 0) };
        got.max(0) as usize
    }
}

impl Drop for File {
    fn drop(&mut self) {
        // SAFETY: our own descriptor.
        unsafe { syscall6(libc::SYS_close, self.0 as usize, 0, 0, 0, 0, 0) };
    }
}

/// Of a path, as execveat(2) has it. `None` if it cannot be read, or is nothing that can be executed.
///
/// # Safety
/// `path` is null or a C string.
pub unsafe fn at(dir: c_int, path: *const c_char, flags: c_int) -> Option<Program> {
    if path.is_null() {
        return None;
    }
    // SAFETY: the caller's string.
    let path = unsafe { CStr::from_ptr(path) };
    if path.is_empty() && flags & libc::AT_EMPTY_PATH != 0 {
        return open(dir);
    }
    File::open(dir, path, flags)?.program()
}

/// Of a path, as execve(2) has it.
///
/// # Safety
/// `path` is null or a C string.
pub unsafe fn path(path: *const c_char) -> Option<Program> {
    // SAFETY: the caller's string.
    unsafe { at(libc::AT_FDCWD, path, 0) }
}

/// Of an open file, which may have been opened for execution only.
pub fn open(fd: c_int) -> Option<Program> {
    let mut text = *b"/proc/self/fd/..........\0";
    let mut digits = [0u8; 20];
    let number = engine::procfs::decimal(fd.max(0) as u64, &mut digits);
    text[14..14 + number.len()].copy_from_slice(number);
    text[14 + number.len()] = 0;
    File::open(libc::AT_FDCWD, CStr::from_bytes_until_nul(&text).ok()?, 0)?.program()
}

/// Of a name that is looked for in `PATH`, as execvp(3) does it.
///
/// # Safety
/// `name` is null or a C string.
pub unsafe fn search(name: *const c_char) -> Option<Program> {
    if name.is_null() {
        return None;
    }
    // SAFETY: the caller's string.
    let bytes = unsafe { CStr::from_ptr(name) }.to_bytes();
    if bytes.contains(&b'/') {
        // SAFETY: as above.
        return unsafe { path(name) };
    }
    let folders = crate::session::env(c"PATH").unwrap_or(DEFAULT).to_bytes().split(|&b| b == b':');
    for folder in folders {
        let mut text = [0u8; PATH];
        let slash = if folder.is_empty() { &b""[..] } else { b"/" };
        let mut length = 0;
        for part in [folder, slash, bytes] {
            if let Some(to) = text[length..].get_mut(..part.len()) {
                to.copy_from_slice(part);
            }
            length = (length + part.len()).min(PATH);
        }
        let Ok(candidate) = CStr::from_bytes_until_nul(&text) else { continue };
        // SAFETY: a path with its NUL.
        let runs = unsafe { syscall6(libc::SYS_access, candidate.as_ptr() as usize, libc::X_OK as usize, 0, 0, 0, 0) };
        if runs == 0
            && let Some(file) = File::open(libc::AT_FDCWD, candidate, 0)
        {
            return file.program();
        }
    }
    None
}
