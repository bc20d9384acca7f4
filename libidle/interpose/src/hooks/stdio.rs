//! stdio: calls that ask the kernel only where a stream's buffer does not do, which happens inside
//! libc. What each of them needs of the buffer stands in its row (`stdio_rows.rs`).

use crate::hooks::descriptors::kernel_waits;
use crate::hooks::shell;
use crate::next;
use crate::shim::entry::{WaitKind, enter};
use crate::shim::library::library;
use crate::shim::stream::Ready;
pub use crate::shim::stream::Stream;
use crate::shim::{spin_loop, tcp_push, written_files};
use engine::arch::syscall::syscall6;
use libc::{FILE, c_char, c_int, c_void, wchar_t};

/// A `va_list`, as functions get it.
pub type VaList = *mut c_void;

unsafe extern "C" {
    /// libc's.
    pub static stdin: *mut FILE;
    /// libc's.
    pub static stdout: *mut FILE;
    /// libc's.
    pub static stderr: *mut FILE;
}

/// Makes the call, inside a kernel wait if the stream is not `ready` for it.
#[inline(always)]
pub fn call<T>(stream: &Stream, ready: Ready, real: impl FnOnce() -> T) -> T {
    if ready.is_yes() { real() } else { wait(stream, real) }
}

#[inline(never)]
fn wait<T>(stream: &Stream, real: impl FnOnce() -> T) -> T {
    if !stream.is_of_a_descriptor() {
        return real();
    }
    // Only fclose(3), which does not come here, frees the stream.
    let (fd, writes) = (stream.descriptor(), stream.writes());
    let done = waiting(real);
    if writes || stream.writes() {
        tcp_push::sent(fd);
        written_files::perhaps_wrote(fd);
    }
    done
}

fn waiting<T>(real: impl FnOnce() -> T) -> T {
    let entry = enter();
    let _wait = entry.as_ref().map(|entry| entry.kernel_wait(WaitKind::Descriptor));
    real()
}

/// The length of a wide string.
///
/// # Safety
/// It ends with a zero.
pub unsafe fn wide_length(text: *const wchar_t) -> usize {
    // SAFETY: the caller's string.
    unsafe { libc::wcslen(text) }
}

kernel_waits! { WaitKind::Descriptor;
    /// fcloseall(3).
    fn fcloseall() -> c_int;
}

macro_rules! written {
    ($($name:ident($fd:ident: c_int $(, $arg:ident: $t:ty)*);)*) => {$(
        /// A write.
        pub fn $name($fd: c_int, $($arg: $t),*) -> c_int {
            let real = next!($name: fn(c_int, $($t),*) -> c_int);
            let done = waiting(|| real($fd, $($arg),*));
            tcp_push::sent($fd);
            written_files::wrote($fd);
            done
        }
    )*};
}

written! {
    vdprintf(fd: c_int, format: *const c_char, list: VaList);
    __vdprintf_chk(fd: c_int, flag: c_int, format: *const c_char, list: VaList);
}

macro_rules! opened {
    ($($name:ident)*) => {$(
        /// Opens a file; of a FIFO it waits for the other end.
        pub fn $name(path: *const c_char, mode: *const c_char) -> *mut FILE {
            let real = next!($name: fn(*const c_char, *const c_char) -> *mut FILE);
            let file = opening(path, mode, || waiting(|| real(path, mode)));
            spin_loop::found(if file.is_null() { -1 } else { 0 });
            file
        }
    )*};
}

opened!(fopen fopen64);

/// Opens a stream, and tells of what it has created or emptied.
fn opening(
    path: *const c_char,
    mode: *const c_char,
    open: impl FnOnce() -> *mut FILE,
) -> *mut FILE {
    if !written_files::wanted() {
        return open();
    }
    let before = library().before_creation();
    let file = open();
    if !file.is_null() {
        library().opened_stream(path, mode, file, before);
    }
    file
}

macro_rules! opened_again {
    ($($name:ident)*) => {$(
        /// Closes a stream and opens another file in its place.
        ///
        /// # Safety
        /// As for the C function.
        pub unsafe fn $name(
            path: *const c_char,
            mode: *const c_char,
            file: *mut FILE,
        ) -> *mut FILE {
            let real = next!($name: fn(*const c_char, *const c_char, *mut FILE) -> *mut FILE);
            // SAFETY: the program's stream.
            let held = Held::of(unsafe { Stream::of(file) });
            let again = opening(path, mode, || waiting(|| real(path, mode, file)));
            drop(held);
            again
        }
    )*};
}

opened_again!(freopen freopen64);

/// The file of a stream that is about to be closed, and written before that. It is held open by
/// another descriptor, and looked at when this is dropped.
struct Held(Option<c_int>);

impl Held {
    fn of(stream: &Stream) -> Held {
        let fd = stream.descriptor();
        let last = !stream.is_written() && written_files::is_file(fd);
        written_files::closing(fd);
        if !last {
            return Held(None);
        }
        let command = libc::F_DUPFD_CLOEXEC as usize;
        // SAFETY: plain numbers.
        let copy = unsafe { syscall6(libc::SYS_fcntl, fd as usize, command, 0, 0, 0, 0) };
        Held((copy >= 0).then_some(copy as c_int))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(fd) = self.0 {
            written_files::perhaps_wrote(fd);
            written_files::closing(fd);
            // SAFETY: a descriptor of our own.
            unsafe { syscall6(libc::SYS_close, fd as usize, 0, 0, 0, 0, 0) };
        }
    }
}

/// fflush(3).
///
/// # Safety
/// As for the C function.
pub unsafe fn fflush(file: *mut FILE) -> c_int {
    let real = next!(fflush: fn(*mut FILE) -> c_int);
    if file.is_null() {
        // All streams.
        return waiting(|| real(file));
    }
    // SAFETY: the program's stream.
    let stream = unsafe { Stream::of(file) };
    call(stream, stream.is_written().into(), || real(file))
}

/// fclose(3): glibc's closes a stream of popen(3) as pclose(3) does.
///
/// # Safety
/// As for the C function.
pub unsafe fn fclose(file: *mut FILE) -> c_int {
    if let Some(status) = shell::close_and_wait(file) {
        return status;
    }
    // SAFETY: the program's stream.
    let stream = unsafe { Stream::of(file) };
    let real = next!(fclose: fn(*mut FILE) -> c_int);
    let held = Held::of(stream);
    let (fd, written) = (stream.descriptor(), stream.is_written());
    let answer = if written { real(file) } else { waiting(|| real(file)) };
    if !written {
        tcp_push::sent(fd);
    }
    drop(held);
    answer
}

/// flockfile(3).
pub fn flockfile(file: *mut FILE) {
    if next!(ftrylockfile: fn(*mut FILE) -> c_int)(file) != 0 {
        waiting(|| next!(flockfile: fn(*mut FILE) -> ())(file));
    }
}
