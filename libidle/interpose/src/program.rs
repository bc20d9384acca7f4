//! What kind of program is about to be executed: one that cannot load this library has to be traced from its first
//! instruction on. Runs between vfork and exec: raw system calls, nothing allocated.

use crate::session;
use engine::elf::{Program, ReadAt, SCRIPT_LINE, classify, script_interpreter};
use engine::sys::syscall6;
use engine::tracing::Trace;
use engine::{Engine, tracing};
use libc::{c_char, c_int};
use std::ffi::CStr;

/// How a program is named.
#[derive(Clone, Copy)]
pub enum Named {
    /// By a path.
    Path(*const c_char),
    /// By a path, or a name that is looked for in `PATH`.
    File(*const c_char),
    /// As for execveat(2).
    At(c_int, *const c_char),
}

/// Longest path built from `PATH` and a name, and longest name of an interpreter.
const LONGEST: usize = 1024;
/// Interpreters of interpreters, as many as Linux follows.
const DEPTH: usize = 4;

struct Opened(usize);

impl ReadAt for Opened {
    fn read_at(&mut self, offset: u64, to: &mut [u8]) -> usize {
        let (at, length) = (to.as_mut_ptr() as usize, to.len());
        // SAFETY: writes to `to` only.
        unsafe { syscall6(libc::SYS_pread64, self.0, at, length, offset as usize, 0, 0) }.max(0) as usize
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        // SAFETY: a descriptor of our own.
        unsafe { syscall6(libc::SYS_close, self.0, 0, 0, 0, 0, 0) };
    }
}

/// Opens a file for reading; the path is the caller's or our own.
fn open(dir: c_int, path: *const c_char) -> Option<Opened> {
    const EFAULT: isize = -14;
    let flags = (libc::O_RDONLY | libc::O_CLOEXEC) as usize;
    // SAFETY: the kernel checks the pointer.
    match unsafe { syscall6(libc::SYS_openat, dir as usize, path as usize, flags, 0, 0, 0) } {
        EFAULT => None,
        fd => usize::try_from(fd).ok().map(Opened),
    }
}

/// `text` with a NUL behind it, if it fits.
fn terminated<const N: usize>(parts: [&[u8]; N], into: &mut [u8; LONGEST]) -> Option<*const c_char> {
    let mut at = 0;
    for part in parts {
        into.get_mut(at..at + part.len())?.copy_from_slice(part);
        at += part.len();
    }
    *into.get_mut(at)? = 0;
    Some(into.as_ptr().cast())
}

fn find(named: Named) -> Option<Opened> {
    let mut built = [0; LONGEST];
    match named {
        Named::Path(path) => open(libc::AT_FDCWD, path),
        Named::At(dir, path) => {
            // SAFETY: the caller of the hook vouches for a C string.
            if path.is_null() || unsafe { *path } != 0 {
                return open(dir, path);
            }
            // The descriptor itself, which may not be readable.
            let mut digits = [0; 20];
            let number = crate::environ::decimal(dir as u64, &mut digits);
            open(libc::AT_FDCWD, terminated([b"/proc/self/fd/", number], &mut built)?)
        }
        Named::File(file) => {
            // SAFETY: as above.
            let name = unsafe { CStr::from_ptr(file) }.to_bytes();
            if name.contains(&b'/') {
                return open(libc::AT_FDCWD, file);
            }
            let folders = session::env(c"PATH").map_or(&b"/bin:/usr/bin"[..], CStr::to_bytes);
            folders.split(|&b| b == b':').find_map(|folder| {
                let folder = if folder.is_empty() { b"." } else { folder };
                let path = terminated([folder, b"/", name], &mut built)?;
                // SAFETY: a string of our own.
                let executable = unsafe { syscall6(libc::SYS_access, path as usize, libc::X_OK as usize, 0, 0, 0, 0) };
                (executable == 0).then(|| open(libc::AT_FDCWD, path))?
            })
        }
    }
}

/// What the kernel would start: of a script its interpreter.
fn kind(named: Named) -> Option<Program> {
    let mut file = find(named)?;
    let mut path = [0; LONGEST];
    for _ in 0..DEPTH {
        if let Some(program) = classify(&mut file) {
            return Some(program);
        }
        let mut head = [0; SCRIPT_LINE];
        let n = file.read_at(0, &mut head);
        file = open(libc::AT_FDCWD, terminated([script_interpreter(&head[..n])?], &mut path)?)?;
    }
    None
}

/// Asks the tracer to come, on behalf of slot `me`, if the program needs it. True if it has; then
/// [`Engine::give_back`] follows if the program was not executed.
///
/// # Safety
/// The strings are the arguments of an exec function.
pub unsafe fn ask(engine: &Engine, me: usize, request: u32, named: Named) -> bool {
    engine.trace() != Trace::None
        && kind(named).is_some_and(|program| engine.to_be_traced(program))
        && engine.ask_tracer(me, request)
}

pub use tracing::{ASKS, ASKS_FOR_CHILD};
