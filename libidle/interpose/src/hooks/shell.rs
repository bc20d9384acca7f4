//! system(3) and popen(3), which libc builds on calls of its own that no hook sees: here they are
//! made of hooks.

use crate::hooks::spawn::{Strings, posix_spawn};
use crate::next;
use crate::shim::entry::{Entry, WaitKind, enter};
use crate::shim::errno;
use crate::shim::own_children;
use crate::shim::written_files;
use engine::arch::syscall::syscall6;
use libc::{c_char, c_int, c_void, pid_t};
use std::ptr::null_mut;
use std::sync::atomic::Ordering::{Acquire, Release, SeqCst};
use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64};

const SHELL: &std::ffi::CStr = c"/bin/sh";

unsafe extern "C" {
    static environ: Strings;
}

/// Starts `sh -c command`.
///
/// # Safety
/// `command` is a C string; actions and attributes are null or as for posix_spawn(3).
unsafe fn shell(
    pid: &mut pid_t,
    command: *const c_char,
    actions: *const c_void,
    attr: *const c_void,
) -> c_int {
    let argv = [c"sh".as_ptr(), c"-c".as_ptr(), command, std::ptr::null()];
    // SAFETY: arguments of our own and the caller's.
    unsafe { posix_spawn(pid, SHELL.as_ptr(), actions, attr, argv.as_ptr(), environ) }
}

/// SIGINT and SIGQUIT are ignored while any system(3) waits, POSIX says: the first call puts their
/// handlers away, the last puts them back. As in glibc it is one count for the process.
struct Ignored {
    lock: AtomicU32,
    calls: std::cell::UnsafeCell<u32>,
    saved: std::cell::UnsafeCell<std::mem::MaybeUninit<[libc::sigaction; 2]>>,
}

// SAFETY: count and saved dispositions are touched under the lock only.
unsafe impl Sync for Ignored {}

static IGNORED: Ignored = Ignored {
    lock: AtomicU32::new(0),
    calls: std::cell::UnsafeCell::new(0),
    saved: std::cell::UnsafeCell::new(std::mem::MaybeUninit::uninit()),
};

const QUIET: [c_int; 2] = [libc::SIGINT, libc::SIGQUIT];

impl Ignored {
    fn locked<T>(&self, body: impl FnOnce(&mut u32, &mut [libc::sigaction; 2]) -> T) -> T {
        while self.lock.swap(1, Acquire) != 0 {
            // SAFETY: no arguments.
            unsafe { libc::sched_yield() };
        }
        // SAFETY: the lock is held; a sigaction of zeroes or of whatever was saved is valid.
        let done = unsafe {
            let saved = &mut *self.saved.get();
            if *self.calls.get() == 0 {
                *saved = std::mem::MaybeUninit::zeroed();
            }
            body(&mut *self.calls.get(), saved.assume_init_mut())
        };
        self.lock.store(0, Release);
        done
    }
}

/// A system(3) under way; dropping it, also by cancellation, puts signal dispositions and mask
/// back.
struct Quiet {
    /// What the shell inherits.
    actions: [libc::sigaction; 2],
    mask: libc::sigset_t,
}

impl Quiet {
    fn new() -> Quiet {
        // SAFETY: zeroed structures are valid out-parameters; the calls only change this thread and
        // process as asked.
        unsafe {
            let actions = IGNORED.locked(|calls, saved| {
                let mut ignore: libc::sigaction = std::mem::zeroed();
                ignore.sa_sigaction = libc::SIG_IGN;
                if *calls == 0 {
                    for (signal, old) in QUIET.into_iter().zip(saved.iter_mut()) {
                        libc::sigaction(signal, &ignore, old);
                    }
                }
                *calls += 1;
                *saved
            });
            let mut quiet = Quiet { actions, mask: std::mem::zeroed() };
            let mut block: libc::sigset_t = std::mem::zeroed();
            libc::sigaddset(&mut block, libc::SIGCHLD);
            libc::pthread_sigmask(libc::SIG_BLOCK, &block, &mut quiet.mask);
            quiet
        }
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        IGNORED.locked(|calls, saved| {
            *calls -= 1;
            if *calls == 0 {
                for (signal, old) in QUIET.into_iter().zip(saved.iter()) {
                    // SAFETY: a disposition that `new` read.
                    unsafe { libc::sigaction(signal, old, null_mut()) };
                }
            }
        });
        // SAFETY: the mask that `new` read.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &self.mask, null_mut()) };
    }
}

/// A shell that is waited for: a cancelled system(3) leaves nothing running.
struct Shell(pid_t);

impl Drop for Shell {
    fn drop(&mut self) {
        if self.0 == 0 {
            return;
        }
        // SAFETY: our own child, not waited for by anybody else.
        unsafe {
            syscall6(libc::SYS_kill, self.0 as usize, libc::SIGKILL as usize, 0, 0, 0, 0);
            let wait = || syscall6(libc::SYS_wait4, self.0 as usize, 0, 0, 0, 0, 0);
            while wait() == -libc::EINTR as isize {}
        }
    }
}

/// Waits for child `pid` and stores its status; false if there is no such child. A cancellation
/// point.
fn await_child(entry: Option<&Entry>, pid: pid_t, status: &mut c_int) -> bool {
    let _wait = entry.map(|e| e.kernel_wait(WaitKind::Child));
    let waitpid = next!(waitpid: fn(pid_t, *mut c_int, c_int) -> pid_t);
    while waitpid(pid, status, 0) < 0 {
        if errno::get() != libc::EINTR {
            return false;
        }
    }
    entry.iter().for_each(|e| own_children::collected(&e.engine, pid));
    true
}

/// system(3).
///
/// # Safety
/// As for the C function.
pub unsafe fn system(command: *const c_char) -> c_int {
    if command.is_null() {
        // SAFETY: runs a shell that exits at once.
        return unsafe { (system(c"exit 0".as_ptr()) == 0) as c_int };
    }
    let entry = enter();
    let quiet = Quiet::new();
    let mut status: c_int = 127 << 8;
    let mut pid = 0;
    // SAFETY: a zeroed attribute is initialised before use; the child gets the caller's
    // dispositions and mask back.
    let failed = unsafe {
        let mut attr: libc::posix_spawnattr_t = std::mem::zeroed();
        libc::posix_spawnattr_init(&mut attr);
        let mut default: libc::sigset_t = std::mem::zeroed();
        for (signal, old) in QUIET.into_iter().zip(&quiet.actions) {
            if old.sa_sigaction != libc::SIG_IGN {
                libc::sigaddset(&mut default, signal);
            }
        }
        libc::posix_spawnattr_setsigmask(&mut attr, &quiet.mask);
        libc::posix_spawnattr_setsigdefault(&mut attr, &default);
        let flags = libc::POSIX_SPAWN_SETSIGDEF | libc::POSIX_SPAWN_SETSIGMASK;
        libc::posix_spawnattr_setflags(&mut attr, flags as libc::c_short);
        let failed = shell(&mut pid, command, std::ptr::null(), (&raw const attr).cast());
        libc::posix_spawnattr_destroy(&mut attr);
        failed
    };
    if failed == 0 {
        let mut child = Shell(pid);
        if !await_child(entry.as_ref(), pid, &mut status) {
            status = -1;
        }
        child.0 = 0;
    }
    drop(quiet);
    if failed != 0 && failed != libc::ENOENT && failed != libc::EACCES {
        errno::set(failed);
        return -1;
    }
    status
}

/// A stream made by [`popen`].
struct Stream {
    /// Null: free.
    file: AtomicPtr<libc::FILE>,
    /// The shell's pid in the high half, the descriptor in the low half; 0 while the stream is
    /// being made.
    child: AtomicU64,
}

static STREAMS: [Stream; 256] =
    [const { Stream { file: AtomicPtr::new(null_mut()), child: AtomicU64::new(0) } }; 256];
/// How many are in use: `fclose` looks no further when there are none.
static OPEN: AtomicU32 = AtomicU32::new(0);
/// In a place that is taken before its stream is there.
const TAKEN: *mut libc::FILE = std::ptr::without_provenance_mut(1);

impl Stream {
    fn take() -> Option<&'static Stream> {
        let place = STREAMS
            .iter()
            .find(|s| s.file.compare_exchange(null_mut(), TAKEN, SeqCst, SeqCst).is_ok())?;
        OPEN.fetch_add(1, SeqCst);
        Some(place)
    }

    fn give_back(&self) {
        self.child.store(0, SeqCst);
        self.file.store(null_mut(), SeqCst);
        OPEN.fetch_sub(1, SeqCst);
    }

    /// Gives the place of `file` back and tells its child.
    fn remove(file: *mut libc::FILE) -> Option<pid_t> {
        if OPEN.load(SeqCst) == 0 {
            return None;
        }
        let place = STREAMS.iter().find(|s| s.file.load(SeqCst) == file)?;
        let child = place.child.load(SeqCst);
        place.give_back();
        Some((child >> 32) as pid_t)
    }
}

/// popen(3).
///
/// # Safety
/// As for the C function.
pub unsafe fn popen(command: *const c_char, mode: *const c_char) -> *mut libc::FILE {
    let real = next!(popen: fn(*const c_char, *const c_char) -> *mut libc::FILE);
    // SAFETY: popen(3) has two C strings.
    let text = unsafe { std::ffi::CStr::from_ptr(mode) }.to_bytes();
    let (reads, writes) = (text.contains(&b'r'), text.contains(&b'w'));
    if reads == writes || !text.iter().all(|letter| b"rwe".contains(letter)) {
        errno::set(libc::EINVAL);
        return null_mut();
    }
    let Some(place) = crate::shim::session::engine().and_then(|_| Stream::take()) else {
        return real(command, mode);
    };
    // SAFETY: as above.
    match unsafe { open_stream(command, reads, text.contains(&b'e')) } {
        Ok((stream, child)) => {
            place.child.store(child, SeqCst);
            place.file.store(stream, SeqCst);
            stream
        }
        Err(code) => {
            place.give_back();
            errno::set(code);
            null_mut()
        }
    }
}

/// A pipe, one end for the child's standard input or output, the other in a stream of the same
/// mode: the stream, and what [`Stream::child`] holds.
///
/// # Safety
/// `command` is a C string.
unsafe fn open_stream(
    command: *const c_char,
    reads: bool,
    cloexec: bool,
) -> Result<(*mut libc::FILE, u64), c_int> {
    // SAFETY: descriptors, file actions and stream of our own.
    unsafe {
        let mut ends = [0; 2];
        if libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) != 0 {
            return Err(errno::get());
        }
        let (mine, theirs) = if reads { (ends[0], ends[1]) } else { (ends[1], ends[0]) };
        let stream = libc::fdopen(mine, if reads { c"r".as_ptr() } else { c"w".as_ptr() });
        if stream.is_null() {
            let code = errno::get();
            libc::close(mine);
            libc::close(theirs);
            return Err(code);
        }
        let mut actions: libc::posix_spawn_file_actions_t = std::mem::zeroed();
        libc::posix_spawn_file_actions_init(&mut actions);
        // The child must not inherit the streams of earlier calls (POSIX). One that has the number
        // of the child's end goes when that is put there. (From a number to itself dup2 clears
        // close-on-exec, in file actions.)
        let target = reads as c_int;
        for child in
            STREAMS.iter().map(|other| other.child.load(SeqCst)).filter(|&child| child != 0)
        {
            let other = child as u32 as c_int;
            if other != target && other != theirs {
                libc::posix_spawn_file_actions_addclose(&mut actions, other);
            }
        }
        libc::posix_spawn_file_actions_adddup2(&mut actions, theirs, target);
        let mut pid = 0;
        let failed = shell(&mut pid, command, (&raw const actions).cast(), std::ptr::null());
        libc::posix_spawn_file_actions_destroy(&mut actions);
        libc::close(theirs);
        if failed != 0 {
            next!(fclose: fn(*mut libc::FILE) -> c_int)(stream);
            return Err(failed);
        }
        if !cloexec {
            libc::fcntl(mine, libc::F_SETFD, 0);
        }
        Ok((stream, (pid as u64) << 32 | mine as u64))
    }
}

/// Closes a stream of [`popen`] and waits for its child: the child's status. `None` of any other
/// stream, which is left open.
pub fn close_and_wait(stream: *mut libc::FILE) -> Option<c_int> {
    let pid = Stream::remove(stream)?;
    written_files::closing(next!(fileno: fn(*mut libc::FILE) -> c_int)(stream));
    let mut status = 0;
    let entry = enter();
    next!(fclose: fn(*mut libc::FILE) -> c_int)(stream);
    Some(if await_child(entry.as_ref(), pid, &mut status) { status } else { -1 })
}

/// pclose(3).
pub fn pclose(stream: *mut libc::FILE) -> c_int {
    let closed = close_and_wait(stream);
    closed.unwrap_or_else(|| next!(pclose: fn(*mut libc::FILE) -> c_int)(stream))
}
