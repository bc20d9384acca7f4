//! libc's streams (`FILE`), temporary files: libc opens, writes and closes them behind the hooks.

use super::changes::{created, opened};
use super::record::tick;
use interpose::next;
use interpose::shim::fd_set::{FdSet, TRACKED, sets};
use interpose::shim::written_files::wanted;
use libc::{AT_FDCWD, FILE, O_CREAT, O_TRUNC, O_WRONLY, c_char, c_int};

/// Descriptors beneath streams that may be written, also of some that are closed by now.
static STREAMS: FdSet<{ sets::STREAMS }> = FdSet::new();

/// Those descriptors, and those of standard output and standard error.
pub(super) fn each(mut each: impl FnMut(c_int)) {
    [1, 2].into_iter().for_each(&mut each);
    STREAMS.within(0, TRACKED as u32).for_each(|fd| each(fd as c_int));
}

/// May a stream of this mode be written?
fn writes(mode: *const c_char) -> Option<c_int> {
    // SAFETY: fopen(3) has just read it.
    let mode = unsafe { std::ffi::CStr::from_ptr(mode) }.to_bytes();
    match mode.first()? {
        b'r' if !mode.contains(&b'+') => None,
        b'r' => Some(0),
        b'a' => Some(O_CREAT),
        _ => Some(O_CREAT | O_TRUNC),
    }
}

/// The descriptor beneath a stream.
fn number(stream: *mut FILE) -> c_int {
    // SAFETY: a stream that libc has just opened.
    unsafe { libc::fileno(stream) }
}

/// A stream was opened; see [`interpose::shim::library::Library::opened_stream`].
pub fn opened_stream(path: *const c_char, mode: *const c_char, stream: *mut FILE, before: i64) {
    if let Some(flags) = writes(mode) {
        let fd = number(stream);
        if !path.is_null() {
            opened(AT_FDCWD, path, flags, fd, before);
        }
        STREAMS.set(fd, true);
    }
}

/// fdopen(3).
pub fn fdopen(fd: c_int, mode: *const c_char) -> *mut FILE {
    let stream = next!(fdopen: fn(c_int, *const c_char) -> *mut FILE)(fd, mode);
    if wanted() && !stream.is_null() && writes(mode).is_some() {
        STREAMS.set(fd, true);
    }
    stream
}

/// Bodies of mkstemp(3) and its relatives.
macro_rules! temporary {
    ($($(#[$doc:meta])* fn $name:ident($path:ident: *mut c_char $(, $arg:ident: $t:ty)*);)*) => {$(
        $(#[$doc])*
        pub fn $name($path: *mut c_char, $($arg: $t),*) -> c_int {
            let before = if wanted() { tick() } else { 0 };
            let fd = next!($name: fn(*mut c_char, $($t),*) -> c_int)($path, $($arg),*);
            if fd >= 0 && wanted() {
                opened(AT_FDCWD, $path, O_CREAT | O_WRONLY, fd, before);
            }
            fd
        }
    )*};
}

temporary! {
    /// mkstemp(3).
    fn mkstemp(path: *mut c_char);
    /// mkstemp64.
    fn mkstemp64(path: *mut c_char);
    /// mkostemp(3).
    fn mkostemp(path: *mut c_char, flags: c_int);
    /// mkostemp64.
    fn mkostemp64(path: *mut c_char, flags: c_int);
    /// mkstemps(3).
    fn mkstemps(path: *mut c_char, suffix: c_int);
    /// mkstemps64.
    fn mkstemps64(path: *mut c_char, suffix: c_int);
    /// mkostemps(3).
    fn mkostemps(path: *mut c_char, suffix: c_int, flags: c_int);
    /// mkostemps64.
    fn mkostemps64(path: *mut c_char, suffix: c_int, flags: c_int);
}

/// mkdtemp(3).
pub fn mkdtemp(path: *mut c_char) -> *mut c_char {
    let before = tick();
    let made = next!(mkdtemp: fn(*mut c_char) -> *mut c_char)(path);
    if !made.is_null() && wanted() {
        created(AT_FDCWD, path, before);
    }
    made
}
