//! posix_spawn(3): a credit for the child, as before a fork.

use crate::next;
use crate::shim::entry::enter;
use crate::shim::exec_environ::Environ;
use crate::shim::numbers;
use crate::shim::own_children;
use crate::shim::program_image;
use crate::shim::session;
use engine::programs::elf::Program;
use engine::region::tracer_word::ASKS_FOR_CHILD;
use libc::{c_char, c_int, c_void, pid_t};
use std::sync::atomic::Ordering::SeqCst;

/// An array of strings, NULL-terminated.
pub type Strings = *const *const c_char;

/// Spawns with `real`, given where to store the child's number and the environment to use.
/// `program` says what it is.
///
/// # Safety
/// As for posix_spawn(3).
unsafe fn spawn_with(
    program: impl FnOnce() -> Option<Program>,
    pid: *mut pid_t,
    env: Strings,
    real: impl FnOnce(*mut pid_t, Strings) -> c_int,
) -> c_int {
    let Some(entry) = enter().filter(|_| !session::alone()) else {
        return real(pid, env);
    };
    crate::shim::timer_fds::share_all();
    let page = entry.engine.page;
    let Some(child) = page.credit(entry.engine.pid, page.birth_of_child(entry.me)) else {
        return real(pid, env);
    };
    let program = program();
    // The request names the credit where queues, in which this thread is not, have their key.
    entry.slot().asker().child.store(child.word(), SeqCst);
    let traced = entry.engine.ask_for(entry.me, ASKS_FOR_CHILD, program);
    entry.engine.page.awake();
    let mut number: pid_t = 0;
    // SAFETY: `env` is null or an environment array.
    let failed = match unsafe { Environ::new(env, child, program) } {
        Some(mut new) => real(&mut number, new.pointer()),
        None => libc::ENOMEM,
    };
    if traced {
        // It goes when it has seen the child; perhaps there was none.
        entry.engine.give_back(entry.me);
    }
    if failed != 0 {
        page.release(child.index());
        return failed;
    }
    if !numbers::nested() {
        own_children::place(&entry.engine, child, number as u32);
    }
    if !pid.is_null() {
        // SAFETY: posix_spawn(3) stores the child's number where it is not null.
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
    let real = next!(
        posix_spawn: fn(
            *mut pid_t, *const c_char, *const c_void, *const c_void, Strings, Strings
        ) -> c_int
    );
    // SAFETY: what is called has this function's contract.
    unsafe {
        spawn_with(
            || program_image::path(path),
            pid,
            env,
            |pid, env| real(pid, path, actions, attr, argv, env),
        )
    }
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
    let real = next!(
        posix_spawnp: fn(
            *mut pid_t, *const c_char, *const c_void, *const c_void, Strings, Strings
        ) -> c_int
    );
    // SAFETY: what is called has this function's contract.
    unsafe {
        spawn_with(
            || program_image::search(file).map(|found| found.program),
            pid,
            env,
            |pid, env| real(pid, file, actions, attr, argv, env),
        )
    }
}
