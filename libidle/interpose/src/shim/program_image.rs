//! What kind of program is about to be executed: read from its file before exec(2), because
//! afterwards it is too late to choose its environment. Raw system calls and the stack only: this
//! runs between vfork and exec.

use crate::shim::session;
use engine::arch::syscall::syscall6;
use engine::programs::elf::{Program, ReadAt, classify, follow};
use engine::programs::elf_cache::Identity;
use libc::{c_char, c_int};
use std::ffi::CStr;

/// Longest path of a candidate in `PATH`, and of a script's interpreter.
const PATH: usize = 1024;
/// Where execvp(3) looks when there is no `PATH`.
const DEFAULT: &CStr = c"/bin:/usr/bin";

/// `dir`, `path` and two more arguments to the system call `number`.
fn call_at(number: libc::c_long, dir: c_int, path: &CStr, third: usize, fourth: usize) -> isize {
    // SAFETY: a path with its NUL, and a `stat` or numbers as the call has them.
    unsafe { syscall6(number, dir as usize, path.as_ptr() as usize, third, fourth, 0, 0) }
}

/// What a path names, if it is a regular file.
fn identity(dir: c_int, path: &CStr, flags: c_int) -> Option<Identity> {
    // SAFETY: zero is a valid value of all fields.
    let mut stat: libc::stat = unsafe { std::mem::zeroed() };
    let follow = flags & (libc::AT_SYMLINK_NOFOLLOW | libc::AT_EMPTY_PATH);
    let failed = call_at(libc::SYS_newfstatat, dir, path, &raw mut stat as usize, follow as usize);
    let regular = failed == 0 && stat.st_mode & libc::S_IFMT == libc::S_IFREG;
    let times = [stat.st_mtime, stat.st_mtime_nsec, stat.st_ctime, stat.st_ctime_nsec]
        .map(|time| time as u64);
    let [mtime, mtime_nsec, ctime, ctime_nsec] = times;
    let file =
        [stat.st_dev, stat.st_ino, stat.st_size as u64, mtime, mtime_nsec, ctime, ctime_nsec];
    regular.then(|| Identity::new(&file))
}

/// What kind of program a path names, whose identity this is.
#[unsafe(link_section = ".text.interpose")]
fn program(identity: Identity, dir: c_int, path: &CStr) -> Option<Program> {
    let known = session::page().map(|page| page.known());
    if let Some(program) = known.and_then(|known| known.get(identity)) {
        return Some(program);
    }
    let mut file = File::open(dir, path)?;
    let Some(program) = classify(&mut file) else { return follow(file, File::open_bytes) };
    if let Some(known) = known {
        known.put(identity, program);
    }
    Some(program)
}

/// An open file.
struct File(c_int);

impl File {
    /// Of a regular file: with others that may mean something.
    fn open(dir: c_int, path: &CStr) -> Option<File> {
        let fd = call_at(
            libc::SYS_openat,
            dir,
            path,
            (libc::O_RDONLY | libc::O_CLOEXEC | libc::O_NONBLOCK) as usize,
            0,
        );
        (fd >= 0).then_some(File(fd as c_int))
    }

    /// A path without NUL.
    fn open_bytes(path: &[u8]) -> Option<File> {
        let path = text(&[path])?;
        let path = CStr::from_bytes_until_nul(&path).ok()?;
        identity(libc::AT_FDCWD, path, 0)?;
        File::open(libc::AT_FDCWD, path)
    }
}

/// The parts in a row, with a NUL; `None` if they are too long.
fn text(parts: &[&[u8]]) -> Option<[u8; PATH]> {
    let (mut text, mut length) = ([0u8; PATH], 0);
    for part in parts {
        text[length..PATH - 1].get_mut(..part.len())?.copy_from_slice(part);
        length += part.len();
    }
    Some(text)
}

impl ReadAt for File {
    fn read_at(&mut self, offset: u64, to: &mut [u8]) -> usize {
        let (to, length) = (to.as_mut_ptr() as usize, to.len());
        // SAFETY: a buffer of the caller's.
        let got = unsafe {
            syscall6(libc::SYS_pread64, self.0 as usize, to, length, offset as usize, 0, 0)
        };
        got.max(0) as usize
    }
}

impl Drop for File {
    fn drop(&mut self) {
        // SAFETY: our own descriptor.
        unsafe { syscall6(libc::SYS_close, self.0 as usize, 0, 0, 0, 0, 0) };
    }
}

/// Of a path, as execveat(2) has it. `None` if it cannot be read, or is nothing that can be
/// executed.
///
/// # Safety
/// `path` is null or a C string.
pub unsafe fn at(dir: c_int, path: *const c_char, flags: c_int) -> Option<Program> {
    if path.is_null() {
        return None;
    }
    // SAFETY: a C string: null was asked for above.
    let path = unsafe { CStr::from_ptr(path) };
    if path.is_empty() && flags & libc::AT_EMPTY_PATH != 0 {
        return open(dir);
    }
    program(identity(dir, path, flags)?, dir, path)
}

/// Of a path, as execve(2) has it.
///
/// # Safety
/// `path` is null or a C string.
pub unsafe fn path(path: *const c_char) -> Option<Program> {
    // SAFETY: at(2) has this function's contract.
    unsafe { at(libc::AT_FDCWD, path, 0) }
}

/// Of an open file, which may have been opened for execution only.
pub fn open(fd: c_int) -> Option<Program> {
    let mut text = *b"/proc/self/fd/..........\0";
    let mut digits = [0u8; 20];
    let number = engine::procfs::decimal(fd.max(0) as u64, &mut digits);
    text[14..14 + number.len()].copy_from_slice(number);
    text[14 + number.len()] = 0;
    let path = CStr::from_bytes_until_nul(&text).ok()?;
    program(identity(libc::AT_FDCWD, path, 0)?, libc::AT_FDCWD, path)
}

/// A program that was looked for.
pub struct Found {
    /// What kind it is.
    pub program: Program,
    path: [u8; PATH],
}

impl Found {
    /// Where it is; empty if that is too long to be kept.
    pub fn path(&self) -> &CStr {
        CStr::from_bytes_until_nul(&self.path).unwrap_or(c"")
    }
}

/// Of a name that is looked for in `PATH`, as execvp(3) does it.
///
/// # Safety
/// `name` is null or a C string.
#[unsafe(link_section = ".text.interpose")]
pub unsafe fn search(name: *const c_char) -> Option<Found> {
    if name.is_null() {
        return None;
    }
    // SAFETY: a C string: null was asked for above.
    let name = unsafe { CStr::from_ptr(name) };
    let bytes = name.to_bytes();
    if bytes.contains(&b'/') {
        let program = program(identity(libc::AT_FDCWD, name, 0)?, libc::AT_FDCWD, name)?;
        return Some(Found { program, path: text(&[bytes]).unwrap_or([0; PATH]) });
    }
    let folders = session::env(c"PATH").unwrap_or(DEFAULT).to_bytes().split(|&b| b == b':');
    for folder in folders {
        let slash = if folder.is_empty() { &b""[..] } else { b"/" };
        let Some(path) = text(&[folder, slash, bytes]) else { continue };
        let Ok(candidate) = CStr::from_bytes_until_nul(&path) else { continue };
        // SAFETY: a path with its NUL.
        let runs = unsafe {
            syscall6(libc::SYS_access, candidate.as_ptr() as usize, libc::X_OK as usize, 0, 0, 0, 0)
        };
        if runs == 0
            && let Some(identity) = identity(libc::AT_FDCWD, candidate, 0)
        {
            let program = program(identity, libc::AT_FDCWD, candidate)?;
            return Some(Found { program, path });
        }
    }
    None
}
