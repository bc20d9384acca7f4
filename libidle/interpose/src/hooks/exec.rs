//! The exec family. The slot stays with the process over exec(2): it becomes a credit that the new
//! image adopts. A child of vfork(2) speaks through its parent's slot, so it takes one of its own
//! here.

use crate::next;
use crate::shim::entry::enter;
use crate::shim::exec_environ::Environ;
use crate::shim::library::library;
use crate::shim::numbers;
use crate::shim::program_image;
use crate::shim::scratch::Scratch;
use crate::shim::session;
use engine::programs::elf::Program;
use engine::region::tracer_word::ASKS;
use engine::{Engine, Kind};
use libc::{c_char, c_int};
use std::cell::OnceCell;
use std::sync::atomic::Ordering::Relaxed;

type Strings = *const *const c_char;

unsafe extern "C" {
    static environ: Strings;
}

/// The program's environment.
fn own_environ() -> Strings {
    // SAFETY: libc's pointer; a program that changes it while executing another is on its own.
    unsafe { environ }
}

/// Turns the slot into a credit for the new image and calls `real` with the environment to use; on
/// return the exec has failed and the slot is as it was. `program` says what the image is.
///
/// # Safety
/// `env` is null or an environment array.
unsafe fn replace(
    program: impl FnOnce() -> Option<Program>,
    env: Strings,
    real: impl FnOnce(Strings) -> c_int,
) -> c_int {
    let Some(entry) = enter() else { return real(env) };
    let program = program();
    let (engine, page) = (entry.engine, entry.engine.page);
    let (pid, tid) = numbers::mine();
    let slot = entry.slot();
    let shared = slot.tid.load(Relaxed) != tid;
    crate::shim::timer_fds::share_all();
    // A process that is tracked alone stays so; its children are not.
    let alone = session::alone();
    if alone && shared {
        return real(env);
    }
    if alone {
        crate::shim::inherited_fds::close_on_exec(false);
    }
    let credit = if shared { borrowed(&engine, entry.me, pid) } else { Some(entry.me) };
    let Some(credit) = credit else { return real(env) };
    let traced = engine.ask_for(credit, ASKS, program);
    let mut left = false;
    if !shared {
        slot.credit().alarm_deadline.store(0, Relaxed);
        left = library().before_exec(&engine, credit);
        // No thread id until the new image adopts the slot: it may be a program that never will.
        slot.tid.store(0, Relaxed);
        slot.pid.store(pid, Relaxed);
        engine.set_own(credit, Kind::New);
    }
    // SAFETY: `env` is null or an environment array, by this function's contract.
    let failed = match unsafe { Environ::new(env, page.as_credit(credit), program) } {
        Some(mut new) => real(new.pointer()),
        None => real(env),
    };
    if traced {
        engine.give_back(credit);
    }
    if alone {
        crate::shim::inherited_fds::close_on_exec(true);
    }
    if shared {
        page.release(credit);
    } else {
        slot.tid.store(tid, Relaxed);
        library().exec_failed(left);
        engine.set_own(credit, Kind::Busy);
    }
    failed
}

/// A slot for the process of a vfork child.
fn borrowed(engine: &Engine, parent: usize, pid: u32) -> Option<usize> {
    engine.page.claim(Kind::New, pid, 0, engine.page.birth_of_child(parent))
}

/// The real execve(2).
fn real() -> extern "C-unwind" fn(*const c_char, Strings, Strings) -> c_int {
    next!(execve: fn(*const c_char, Strings, Strings) -> c_int)
}

/// Before a fork: each child would look it up again.
pub(super) fn prepare() {
    real();
}

/// execve(2).
///
/// # Safety
/// As for the C function.
#[unsafe(link_section = ".text.interpose")]
pub unsafe fn execve(path: *const c_char, argv: Strings, env: Strings) -> c_int {
    // SAFETY: execve(2) has a C string and an environment array.
    unsafe { replace(|| program_image::path(path), env, |env| real()(path, argv, env)) }
}

/// execv(3).
///
/// # Safety
/// As for the C function.
pub unsafe fn execv(path: *const c_char, argv: Strings) -> c_int {
    // SAFETY: what is called has this function's contract.
    unsafe { execve(path, argv, own_environ()) }
}

/// execvpe(3).
///
/// # Safety
/// As for the C function.
#[unsafe(link_section = ".text.interpose")]
pub unsafe fn execvpe(file: *const c_char, argv: Strings, env: Strings) -> c_int {
    let found = OnceCell::new();
    // SAFETY: what is called has this function's contract.
    unsafe {
        let program = || {
            found.get_or_init(|| program_image::search(file)).as_ref().map(|found| found.program)
        };
        let execute = |env| {
            // What has been found need not be looked for again. If it can't be executed, libc says
            // why.
            if let Some(Some(found)) = found.get() {
                real()(found.path().as_ptr(), argv, env);
            }
            next!(execvpe: fn(*const c_char, Strings, Strings) -> c_int)(file, argv, env)
        };
        replace(program, env, execute)
    }
}

/// execvp(3).
///
/// # Safety
/// As for the C function.
pub unsafe fn execvp(file: *const c_char, argv: Strings) -> c_int {
    // SAFETY: what is called has this function's contract.
    unsafe { execvpe(file, argv, own_environ()) }
}

/// fexecve(3).
///
/// # Safety
/// As for the C function.
pub unsafe fn fexecve(fd: c_int, argv: Strings, env: Strings) -> c_int {
    let real = next!(fexecve: fn(c_int, Strings, Strings) -> c_int);
    // SAFETY: execve(2) has a C string and an environment array.
    unsafe { replace(|| program_image::open(fd), env, |env| real(fd, argv, env)) }
}

/// execveat(2).
///
/// # Safety
/// As for the C function.
pub unsafe fn execveat(
    dir: c_int,
    path: *const c_char,
    argv: Strings,
    env: Strings,
    flags: c_int,
) -> c_int {
    let real = next!(execveat: fn(c_int, *const c_char, Strings, Strings, c_int) -> c_int);
    // SAFETY: what is called has this function's contract.
    unsafe {
        replace(
            || program_image::at(dir, path, flags),
            env,
            |env| real(dir, path, argv, env, flags),
        )
    }
}

/// Which of the three functions with a list of arguments was called.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum List {
    /// execl(3).
    Path = 0,
    /// execlp(3).
    File = 1,
    /// execle(3): the environment follows the list's NULL.
    Environment = 2,
}

/// execl, execlp and execle: `registers` are the five arguments after the first that came in
/// registers, `stack` the rest. Stable Rust can't define variadic functions, so a few instructions
/// save them ([`crate::exec_lists`]).
///
/// # Safety
/// As for the C functions, through their stubs.
pub unsafe extern "C-unwind" fn exec_list(
    kind: List,
    path: *const c_char,
    registers: Strings,
    stack: Strings,
) -> c_int {
    const IN_REGISTERS: usize = 5;
    // SAFETY: execl(3) has arguments up to a NULL, and execle(3) an environment after it.
    let argument = |i: usize| unsafe {
        if i < IN_REGISTERS { *registers.add(i) } else { *stack.add(i - IN_REGISTERS) }
    };
    let count = (0..).find(|&i| argument(i).is_null()).unwrap_or(0);
    // SAFETY: null pointers are valid.
    let Some(mut argv) = (unsafe { Scratch::<*const c_char, 64>::zeroed(count + 1) }) else {
        return -1;
    };
    for (i, to) in argv.slice()[..count].iter_mut().enumerate() {
        *to = argument(i);
    }
    let argv = argv.slice().as_ptr();
    // SAFETY: a C string and the array made above; the environment is execle's own.
    unsafe {
        match kind {
            List::Path => execv(path, argv),
            List::File => execvp(path, argv),
            List::Environment => execve(path, argv, argument(count + 1) as Strings),
        }
    }
}

/// Defines `execl`, `execlp` and `execle` in the library that exports them.
#[macro_export]
macro_rules! exec_lists {
    ($($name:ident = $kind:literal),*) => {$(
        engine::variadic_function! {
            {
                /// See [`interpose::hooks::exec::exec_list`].
                ///
                /// # Safety
                /// As for the C function of this name.
                #[unsafe(no_mangle)]
                pub unsafe extern "C"
            }
            $name, $kind, $crate::hooks::exec::exec_list
        }
    )*};
}
