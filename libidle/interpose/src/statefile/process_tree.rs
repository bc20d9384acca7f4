//! A tree of processes whose state is shown by a state file: what libidle.so is without a launcher.
//!
//! The first process makes the region and opens the state file. Its descendants inherit both as
//! descriptors ([`inherited_fds`]), named in the environment; so there is no path that could get
//! lost, and nobody who has to stay.

use super::{keeper_thread, verbose};
use crate::shim::inherited_fds;
use crate::shim::library::{self, Library};
use crate::shim::session::{self, LIBRARY, env};
use crate::shim::vdso;
use engine::arch::syscall::syscall6;
use engine::keeper::liveness;
use engine::region::sizes::CLOCKS;
use engine::statefile::file::{self, StateFile};
use engine::statefile::open::Name;
use engine::{ClockMode, Engine, Page};
use posix::errno::is_error;
use posix::names::{FLUX, LIBIDLE, LIBIDLE_CHILDREN, LIBIDLE_STATEFILE, LIBIDLE_VERBOSE, Names};
use posix::session_name::LONGEST;
use posix::time::Spec;
use std::ffi::CStr;
use std::sync::atomic::Ordering::SeqCst;

/// Where the state file is if nobody says.
const DEFAULT: &CStr = c".libidle_state";

/// libidle.so, as `library!` wants it.
pub struct Libidle;

impl Library for Libidle {
    fn names(&self) -> &'static Names {
        &LIBIDLE
    }

    /// That of the tree, or a new one.
    fn region(&self) -> Option<&'static Page> {
        if env(FLUX.session.c()).is_some() {
            // The launcher tracks the whole session, and its library is loaded too.
            return None;
        }
        match env(LIBIDLE.session.c()) {
            Some(numbers) => join(numbers),
            None => create(),
        }
    }

    fn joined(&self, _: &Page) {
        keeper_thread::need();
    }

    /// A program started by one that is not tracked, or alone, is not tracked either.
    fn constructed(&self) {
        // A wait that no hook sees is found by somebody who looks.
        if let Some(engine) = session::engine().filter(|engine| engine.page.real())
            && liveness::nobody_keeps(engine.page)
        {
            library::ensure_thread(&engine);
        }
        let untracked = session::engine().is_none() && env(FLUX.session.c()).is_none();
        if untracked || session::alone() {
            // SAFETY: libc is initialised, and no thread reads the environment yet.
            unsafe { libc::setenv(LIBIDLE.session.c().as_ptr(), inherited_fds::NONE.as_ptr(), 1) };
        }
    }

    /// The child is tracked like its parent; or, where only the first process is, by a region of
    /// its own of which nobody is told: its objects stay what they are.
    fn forked(&self) {
        let real = session::page().is_some_and(Page::real);
        if real && session::alone() {
            inherited_fds::give_up();
            session::replace_page(private());
            keeper_thread::none();
        } else if real {
            keeper_thread::need();
        }
    }

    fn session_of_next_image<'a>(&self, into: &'a mut [u8; LONGEST]) -> &'a [u8] {
        inherited_fds::text(into)
    }

    fn own_thread(&self) -> u32 {
        keeper_thread::tid()
    }

    fn stop_own_thread(&self) -> bool {
        keeper_thread::stop()
    }

    fn restart_own_thread(&self) {
        keeper_thread::need();
    }

    fn start_own_thread(&self, engine: &Engine) {
        keeper_thread::start(engine);
    }

    fn print_row(&self, engine: &Engine, about_to: Option<usize>) {
        verbose::print(engine, about_to);
    }
}

fn private() -> Option<&'static Page> {
    let prot = (libc::PROT_READ | libc::PROT_WRITE) as usize;
    let flags = (libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE) as usize;
    // SAFETY: a fresh mapping, zeroed like a new region.
    let at = unsafe { syscall6(libc::SYS_mmap, 0, size_of::<Page>(), prot, flags, usize::MAX, 0) };
    if is_error(at) {
        return None;
    }
    // SAFETY: it is that large and stays.
    let page = unsafe { &*(at as *const Page) };
    init(page);
    Some(page)
}

fn init(page: &Page) {
    let none = [const { Spec { sec: 0, nsec: 0 } }; CLOCKS];
    page.init(ClockMode::Real, vdso::monotonic(), &none, session::getpid(), 0);
}

fn join(numbers: &CStr) -> Option<&'static Page> {
    let mut numbers = numbers.to_str().ok()?.split(',').map(|number| number.parse::<i32>());
    let mut next = || numbers.next()?.ok();
    let (region, file, log) = (next()?, next()?, next()?);
    let page = session::map(region).filter(|page| page.valid() && page.real())?;
    inherited_fds::inherit(region, file, log);
    if page.header.idle.alone.load(SeqCst) != 0 {
        inherited_fds::close_on_exec(true);
    }
    Some(page)
}

fn create() -> Option<&'static Page> {
    let given = env(LIBIDLE_STATEFILE.c()).filter(|path| !path.is_empty());
    let (path, name) = given.map_or((DEFAULT, Name::Default), |path| (path, Name::Given));
    let made = StateFile::open(path, name, file::say).and_then(|file| {
        let serial = file.read().ok_or("it is no state file")?;
        let page = make(file.fd).ok_or("there is no memory or no descriptor for it")?;
        page.track(file::mine(), serial);
        Ok(page)
    });
    match made {
        Ok(page) => {
            find_library();
            Some(page)
        }
        Err(reason) => {
            refuse(path, reason);
            None
        }
    }
}

/// One line: why the program runs untracked.
fn refuse(path: &CStr, reason: &str) {
    let mut line = [0u8; 200];
    let mut len = 0;
    let room = line.len() - reason.len().min(100) - 60;
    let path = path.to_bytes();
    for part in [
        b"cannot use ",
        &path[..path.len().min(room)],
        b" as state file: ",
        reason.as_bytes(),
        b"; the program runs untracked",
    ] {
        let part = &part[..part.len().min(line.len() - len)];
        line[len..len + part.len()].copy_from_slice(part);
        len += part.len();
    }
    file::say(
        std::str::from_utf8(&line[..len])
            .unwrap_or("cannot use the state file; the program runs untracked"),
    );
}

/// Makes the region, and keeps it and the state file.
fn make(file: i32) -> Option<&'static Page> {
    // SAFETY: a name; a descriptor of our own.
    let fd = unsafe {
        let fd = syscall6(
            libc::SYS_memfd_create,
            c"libidle".as_ptr() as usize,
            (libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING) as usize,
            0,
            0,
            0,
            0,
        );
        if fd < 0 || syscall6(libc::SYS_ftruncate, fd as usize, size_of::<Page>(), 0, 0, 0, 0) != 0
        {
            return None;
        }
        // A program that could shrink the file would kill all that have it mapped (SIGBUS).
        let seals = (libc::F_SEAL_SHRINK | libc::F_SEAL_GROW | libc::F_SEAL_SEAL) as usize;
        syscall6(libc::SYS_fcntl, fd as usize, libc::F_ADD_SEALS as usize, seals, 0, 0, 0);
        fd as i32
    };
    let page = session::map(fd)?;
    init(page);
    let first_only = env(LIBIDLE_CHILDREN.c()).is_some_and(|value| value == c"0");
    page.header.idle.alone.store(first_only as u32, SeqCst);
    let kept = inherited_fds::keep(fd, file);
    show_rows(page);
    if first_only {
        inherited_fds::close_on_exec(true);
    }
    kept.then_some(page)
}

/// Prints rows if anybody wants them.
fn show_rows(page: &Page) {
    let Some(to) = env(LIBIDLE_VERBOSE.c()).filter(|value| !matches!(value.to_bytes(), b"" | b"0"))
    else {
        return;
    };
    let mut how = verbose::STDOUT;
    if to != c"1" {
        let flags = libc::O_WRONLY
            | libc::O_CREAT
            | libc::O_TRUNC
            | libc::O_APPEND
            | libc::O_CLOEXEC
            // A FIFO that nobody reads would hold the program up.
            | libc::O_NONBLOCK
            | libc::O_NOCTTY;
        // SAFETY: a path.
        let fd = unsafe {
            syscall6(libc::SYS_open, to.as_ptr() as usize, flags as usize, 0o666, 0, 0, 0)
        };
        if fd >= 0 {
            // One that somebody reads waits like any other.
            let blocks = (flags & !libc::O_NONBLOCK) as usize;
            // SAFETY: plain numbers.
            unsafe {
                syscall6(libc::SYS_fcntl, fd as usize, libc::F_SETFL as usize, blocks, 0, 0, 0)
            };
        }
        if fd < 0 || !inherited_fds::keep_log(fd as i32) {
            file::say("cannot write to the file named by LIBIDLE_VERBOSE; no rows are printed");
            return;
        }
        how = verbose::FILE;
    }
    page.header.verbose.store(how, SeqCst);
}

/// The path of this library, for children that clear their environment.
fn find_library() {
    // SAFETY: a valid out-parameter; the address is in this library.
    let name = unsafe {
        let mut info: libc::Dl_info = std::mem::zeroed();
        if libc::dladdr(find_library as *const _, &mut info) == 0 || info.dli_fname.is_null() {
            return;
        }
        CStr::from_ptr(info.dli_fname)
    };
    if name.to_bytes().starts_with(b"/") {
        LIBRARY.keep(name);
        return;
    }
    let mut path = [0u8; 512];
    // SAFETY: a buffer of our own.
    let len =
        unsafe { syscall6(libc::SYS_getcwd, path.as_mut_ptr() as usize, path.len(), 0, 0, 0, 0) };
    let name = name.to_bytes_with_nul();
    if len > 1 && len as usize + name.len() <= path.len() {
        let end = len as usize;
        path[end - 1] = b'/';
        path[end..end + name.len()].copy_from_slice(name);
        if let Ok(path) = CStr::from_bytes_until_nul(&path) {
            LIBRARY.keep(path);
        }
    }
}
