//! posix_spawn(3), and system(3) and popen(3), which libc builds on calls of its own that no hook sees.

use crate::enter::{What, enter};
use crate::environ::Environ;
use crate::{errno, next};
use engine::Kind;
use libc::{c_char, c_int, c_void, pid_t};
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};

type Strings = *const *const c_char;
type Spawn =
    unsafe extern "C-unwind" fn(*mut pid_t, *const c_char, *const c_void, *const c_void, Strings, Strings) -> c_int;

/// # Safety
/// As for posix_spawn(3).
unsafe fn spawn_with(
    real: Spawn,
    pid: *mut pid_t,
    path: *const c_char,
    actions: *const c_void,
    attr: *const c_void,
    argv: Strings,
    env: Strings,
) -> c_int {
    let plain = |env: Strings| {
        // SAFETY: the caller's arguments.
        unsafe { real(pid, path, actions, attr, argv, env) }
    };
    let Some(entry) = enter() else { return plain(env) };
    let page = entry.engine.page;
    let Some(child) = page.claim(Kind::New, 0, 0, page.birth_of_child(entry.me)) else { return plain(env) };
    let mut number: pid_t = 0;
    // SAFETY: the caller's arguments.
    let failed = match unsafe { Environ::new(env, child) } {
        // SAFETY: as above.
        Some(mut new) => unsafe { real(&mut number, path, actions, attr, argv, new.pointer()) },
        None => libc::ENOMEM,
    };
    if failed != 0 {
        page.release(child);
        return failed;
    }
    let _ = page.slots[child].pid.compare_exchange(0, number as u32, SeqCst, SeqCst);
    if !pid.is_null() {
        // SAFETY: the caller's pointer.
        unsafe { *pid = number };
    }
    0
}

/// posix_spawn(3).
///
/// # Safety
/// As for the C function.
pub unsafe fn posix_spawn(
    pid: *mut pid_t,
    path: *const c_char,
    actions: *const c_void,
    attr: *const c_void,
    argv: Strings,
    env: Strings,
) -> c_int {
    let real =
        next!(posix_spawn: fn(*mut pid_t, *const c_char, *const c_void, *const c_void, Strings, Strings) -> c_int);
    // SAFETY: the caller's arguments.
    unsafe { spawn_with(real, pid, path, actions, attr, argv, env) }
}

/// posix_spawnp(3).
///
/// # Safety
/// As for the C function.
pub unsafe fn posix_spawnp(
    pid: *mut pid_t,
    file: *const c_char,
    actions: *const c_void,
    attr: *const c_void,
    argv: Strings,
    env: Strings,
) -> c_int {
    let real =
        next!(posix_spawnp: fn(*mut pid_t, *const c_char, *const c_void, *const c_void, Strings, Strings) -> c_int);
    // SAFETY: the caller's arguments.
    unsafe { spawn_with(real, pid, file, actions, attr, argv, env) }
}

const SHELL: &std::ffi::CStr = c"/bin/sh";

unsafe extern "C" {
    static environ: Strings;
}

/// Starts `sh -c command`.
///
/// # Safety
/// `command` is a C string; actions and attributes are null or as for posix_spawn(3).
unsafe fn shell(pid: &mut pid_t, command: *const c_char, actions: *const c_void, attr: *const c_void) -> c_int {
    let argv = [c"sh".as_ptr(), c"-c".as_ptr(), command, std::ptr::null()];
    // SAFETY: arguments of our own and the caller's.
    unsafe { posix_spawn(pid, SHELL.as_ptr(), actions, attr, argv.as_ptr(), environ) }
}

/// Puts signal dispositions and mask back, also when the wait is cancelled.
struct Quiet {
    interrupt: libc::sigaction,
    quit: libc::sigaction,
    mask: libc::sigset_t,
}

impl Quiet {
    /// SIGINT and SIGQUIT ignored and SIGCHLD blocked, as POSIX wants while system(3) waits.
    fn new() -> Quiet {
        // SAFETY: zeroed structures are valid out-parameters; the calls only change this thread and process as asked.
        unsafe {
            let mut quiet: Quiet = std::mem::zeroed();
            let mut ignore: libc::sigaction = std::mem::zeroed();
            ignore.sa_sigaction = libc::SIG_IGN;
            libc::sigaction(libc::SIGINT, &ignore, &mut quiet.interrupt);
            libc::sigaction(libc::SIGQUIT, &ignore, &mut quiet.quit);
            let mut block: libc::sigset_t = std::mem::zeroed();
            libc::sigaddset(&mut block, libc::SIGCHLD);
            libc::pthread_sigmask(libc::SIG_BLOCK, &block, &mut quiet.mask);
            quiet
        }
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        // SAFETY: values that `new` read.
        unsafe {
            libc::sigaction(libc::SIGINT, &self.interrupt, std::ptr::null_mut());
            libc::sigaction(libc::SIGQUIT, &self.quit, std::ptr::null_mut());
            libc::pthread_sigmask(libc::SIG_SETMASK, &self.mask, std::ptr::null_mut());
        }
    }
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
    let quiet = Quiet::new();
    let mut status: c_int = 127 << 8;
    // SAFETY: a zeroed attribute is initialised before use; the child gets the caller's dispositions and mask back.
    let failed = unsafe {
        let mut attr: libc::posix_spawnattr_t = std::mem::zeroed();
        libc::posix_spawnattr_init(&mut attr);
        let mut default: libc::sigset_t = std::mem::zeroed();
        for (signal, old) in [(libc::SIGINT, &quiet.interrupt), (libc::SIGQUIT, &quiet.quit)] {
            if old.sa_sigaction != libc::SIG_IGN {
                libc::sigaddset(&mut default, signal);
            }
        }
        libc::posix_spawnattr_setsigmask(&mut attr, &quiet.mask);
        libc::posix_spawnattr_setsigdefault(&mut attr, &default);
        let flags = libc::POSIX_SPAWN_SETSIGDEF | libc::POSIX_SPAWN_SETSIGMASK;
        libc::posix_spawnattr_setflags(&mut attr, flags as libc::c_short);
        let mut pid = 0;
        let failed = shell(&mut pid, command, std::ptr::null(), (&raw const attr).cast());
        libc::posix_spawnattr_destroy(&mut attr);
        if failed == 0 {
            let entry = enter();
            let _wait = entry.as_ref().map(|e| e.kernel_wait(What::Child));
            let waitpid = next!(waitpid: fn(pid_t, *mut c_int, c_int) -> pid_t);
            while waitpid(pid, &mut status, 0) < 0 {
                if errno::get() != libc::EINTR {
                    status = -1;
                    break;
                }
            }
        }
        failed
    };
    drop(quiet);
    if failed != 0 && failed != libc::ENOENT && failed != libc::EACCES {
        errno::set(failed);
        return -1;
    }
    status
}

/// Streams made by [`popen`]: pid in the high half, descriptor in the low half; 0 is free.
static STREAMS: [AtomicU64; 256] = [const { AtomicU64::new(0) }; 256];

/// popen(3).
///
/// # Safety
/// As for the C function.
pub unsafe fn popen(command: *const c_char, mode: *const c_char) -> *mut libc::FILE {
    let real = next!(popen: fn(*const c_char, *const c_char) -> *mut libc::FILE);
    // SAFETY: the caller's string.
    let text = unsafe { std::ffi::CStr::from_ptr(mode) }.to_bytes();
    let (reads, writes) = (text.contains(&b'r'), text.contains(&b'w'));
    let place = STREAMS.iter().find(|s| s.compare_exchange(0, 1, SeqCst, SeqCst).is_ok());
    let (true, Some(place)) = (reads != writes && crate::session::engine().is_some(), place) else {
        // SAFETY: the caller's arguments.
        return unsafe { real(command, mode) };
    };
    // SAFETY: a pipe, one end for the child's standard input or output, the other in a stream of the same mode.
    let stream = unsafe { open_stream(command, text, reads, place) };
    if stream.is_null() {
        place.store(0, SeqCst);
    }
    stream
}

unsafe fn open_stream(command: *const c_char, mode: &[u8], reads: bool, place: &AtomicU64) -> *mut libc::FILE {
    // SAFETY: descriptors, file actions and stream of our own.
    unsafe {
        let mut ends = [0; 2];
        if libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) != 0 {
            return std::ptr::null_mut();
        }
        let (mine, theirs) = if reads { (ends[0], ends[1]) } else { (ends[1], ends[0]) };
        let stream = libc::fdopen(mine, if reads { c"r".as_ptr() } else { c"w".as_ptr() });
        let mut actions: libc::posix_spawn_file_actions_t = std::mem::zeroed();
        libc::posix_spawn_file_actions_init(&mut actions);
        libc::posix_spawn_file_actions_adddup2(&mut actions, theirs, reads as c_int);
        // The child must not inherit the streams of earlier calls (POSIX).
        for other in &STREAMS {
            let value = other.load(Relaxed);
            if value > 1 {
                libc::posix_spawn_file_actions_addclose(&mut actions, value as u32 as c_int);
            }
        }
        let mut pid = 0;
        let failed = shell(&mut pid, command, (&raw const actions).cast(), std::ptr::null());
        libc::posix_spawn_file_actions_destroy(&mut actions);
        libc::close(theirs);
        if failed != 0 || stream.is_null() {
            if stream.is_null() {
                libc::close(mine)
            } else {
                libc::fclose(stream)
            };
            errno::set(failed);
            return std::ptr::null_mut();
        }
        if !mode.contains(&b'e') {
            libc::fcntl(mine, libc::F_SETFD, 0);
        }
        place.store((pid as u64) << 32 | mine as u64, SeqCst);
        stream
    }
}

/// pclose(3).
///
/// # Safety
/// As for the C function.
pub unsafe fn pclose(stream: *mut libc::FILE) -> c_int {
    // SAFETY: the caller's stream.
    let fd = unsafe { libc::fileno(stream) };
    let found = STREAMS.iter().find(|s| {
        let value = s.load(SeqCst);
        value > 1 && value as u32 == fd as u32
    });
    let Some(place) = found else {
        // SAFETY: the caller's stream.
        return unsafe { next!(pclose: fn(*mut libc::FILE) -> c_int)(stream) };
    };
    let pid = (place.swap(0, SeqCst) >> 32) as pid_t;
    let mut status = 0;
    let entry = enter();
    // SAFETY: the caller's stream and our child.
    unsafe {
        libc::fclose(stream);
        let _wait = entry.as_ref().map(|e| e.kernel_wait(What::Child));
        let waitpid = next!(waitpid: fn(pid_t, *mut c_int, c_int) -> pid_t);
        while waitpid(pid, &mut status, 0) < 0 {
            if errno::get() != libc::EINTR {
                return -1;
            }
        }
    }
    status
}
