//! posix_spawn(3): a credit for the child, as before a fork.

use crate::enter::enter;
use crate::environ::Environ;
use crate::next;
use crate::program::{self, Named};
use libc::{c_char, c_int, c_void, pid_t};
use std::sync::atomic::Ordering::SeqCst;

/// An array of strings, NULL-terminated.
pub type Strings = *const *const c_char;
type Spawn =
    unsafe extern "C-unwind" fn(*mut pid_t, *const c_char, *const c_void, *const c_void, Strings, Strings) -> c_int;

/// # Safety
/// As for posix_spawn(3).
unsafe fn spawn_with(
    real: Spawn,
    pid: *mut pid_t,
    named: Named,
    actions: *const c_void,
    attr: *const c_void,
    argv: Strings,
    env: Strings,
) -> c_int {
    let (Named::Path(path) | Named::File(path) | Named::At(_, path)) = named;
    let plain = |env: Strings| {
        // SAFETY: the caller's arguments.
        unsafe { real(pid, path, actions, attr, argv, env) }
    };
    let Some(entry) = enter() else { return plain(env) };
    crate::timerfd::share_all();
    let page = entry.engine.page;
    let Some(child) = page.credit(entry.engine.pid, page.birth_of_child(entry.me)) else { return plain(env) };
    // It names the credit where queues, in which this thread is not, have their key.
    entry.slot().key.store(child.word(), SeqCst);
    // SAFETY: the caller's arguments.
    let traced = unsafe { program::ask(&entry.engine, entry.me, program::ASKS_FOR_CHILD, named) };
    let mut number: pid_t = 0;
    // SAFETY: the caller's arguments.
    let failed = match unsafe { Environ::new(env, child) } {
        // SAFETY: as above.
        Some(mut new) => unsafe { real(&mut number, path, actions, attr, argv, new.pointer()) },
        None => libc::ENOMEM,
    };
    if traced {
        // It has gone when it has seen the child.
        entry.engine.give_back(entry.me);
    }
    if failed != 0 {
        page.release(child.index());
        return failed;
    }
    page.place(child, number as u32);
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
    unsafe { spawn_with(real, pid, Named::Path(path), actions, attr, argv, env) }
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
    unsafe { spawn_with(real, pid, Named::File(file), actions, attr, argv, env) }
}
