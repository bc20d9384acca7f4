//! timerfd_create(2) and its relatives, in virtual time: see [`engine::schedule::timerfd`] for how
//! they work, and [`interpose::shim::timer_fds`] for what a process keeps of them.

use engine::arch::syscall::syscall6;
use engine::schedule::timerfd::{CANCELED, SHARED};
use engine::{Engine, Kind, Page};
use interpose::shim::clock_id::SessionClocks;
use interpose::shim::entry::{Entry, WaitKind, enter};
use interpose::shim::errno;
use interpose::shim::fd_set::TRACKED;
use interpose::shim::numbers;
use interpose::shim::open_fds;
use interpose::shim::readiness::none_ready;
use interpose::shim::session;
use interpose::shim::timer_fds::{expire, find, mark, with};
use interpose::shim::user_memory::{readable, store};
use libc::{c_int, clockid_t, itimerspec};
use posix::clock::Clocks;
use posix::errno::{Errno, result};
use posix::timer;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};

/// timerfd_create(2).
///
/// # Safety
/// None beyond being called from C.
pub unsafe fn create(clock: clockid_t, flags: c_int) -> Result<c_int, Errno> {
    // SAFETY: plain numbers.
    let raw =
        unsafe { syscall6(libc::SYS_timerfd_create, clock as usize, flags as usize, 0, 0, 0, 0) };
    let fd = result(raw)? as c_int;
    if let Some(entry) = enter().filter(|_| (0..TRACKED as c_int).contains(&fd)) {
        let (engine, page) = (entry.engine, entry.engine.page);
        // One that finds no slot runs in real time.
        if let Some(index) =
            page.claim_timer(numbers::mine().0, fd, clock, page.birth_of_child(entry.me))
        {
            let named = engine.name_timer(fd, index);
            debug_assert!(named.is_ok(), "a fresh timer takes any interval");
            mark(fd, true);
        }
    }
    Ok(fd)
}

/// timerfd_settime(2).
///
/// # Safety
/// As for the C function.
pub unsafe fn settime(
    fd: c_int,
    flags: c_int,
    new: *const itimerspec,
    old: *mut itimerspec,
) -> Result<c_int, Errno> {
    let real = || {
        let (fd, flags) = (fd as usize, flags as usize);
        // SAFETY: the kernel checks the pointers.
        result(unsafe {
            syscall6(libc::SYS_timerfd_settime, fd, flags, new as usize, old as usize, 0, 0)
        })
        .map(|v| v as c_int)
    };
    const KNOWN: c_int = libc::TFD_TIMER_ABSTIME | libc::TFD_TIMER_CANCEL_ON_SET;
    let engine = session::engine().filter(|_| flags & !KNOWN == 0 && readable(new));
    let Some((engine, index)) = engine.and_then(|engine| Some((engine, find(&engine, fd)?))) else {
        return real();
    };
    let clock = engine.page.slots[index].timer().clock.load(Relaxed) as clockid_t;
    let absolute = flags & libc::TFD_TIMER_ABSTIME != 0;
    let clocks = SessionClocks(&engine);
    // SAFETY: readable, and the caller vouches for it.
    let Ok(to) = timer::setting(unsafe { *new.cast() }, absolute, clock, &clocks) else {
        return real();
    };
    let now = clocks.now();
    let before = with(&engine, index, fd, |locked| {
        let before = locked.gettime(now);
        locked
            .set(fd, now, to, flags & libc::TFD_TIMER_CANCEL_ON_SET != 0)
            .map_err(|code| Errno(-code as i32))?;
        Ok(before)
    })?;
    engine.arm(to.expired.first.ns(), now.ns());
    store(old.cast(), before)
}

/// timerfd_gettime(2).
///
/// # Safety
/// As for the C function.
pub unsafe fn gettime(fd: c_int, out: *mut itimerspec) -> Result<c_int, Errno> {
    let Some((engine, index)) =
        session::engine().and_then(|engine| Some((engine, find(&engine, fd)?)))
    else {
        // SAFETY: the kernel checks the pointer.
        let raw =
            unsafe { syscall6(libc::SYS_timerfd_gettime, fd as usize, out as usize, 0, 0, 0, 0) };
        return result(raw).map(|v| v as c_int);
    };
    let now = SessionClocks(&engine).now();
    let told = with(&engine, index, fd, |locked| locked.gettime(now));
    if out.is_null() {
        return Err(Errno(libc::EFAULT));
    }
    store(out.cast(), told)
}

/// A read of `n` bytes from `fd`, which may be a timer: `real` is the call, `put` writes what it is
/// to have read. `None` where it is no timer any more.
pub fn read(
    fd: c_int,
    n: usize,
    mut real: impl FnMut() -> isize,
    put: impl FnOnce([u8; 8]),
) -> Option<isize> {
    let entry = enter()?;
    let engine = entry.engine;
    let index = match engine.timer_of(fd) {
        Ok(index) => index?,
        Err(_) => {
            mark(fd, false);
            return None;
        }
    };
    expire(&entry);
    if !canceled(&engine, index, fd) {
        let got = if n < 8 || nonblocking(fd) { real() } else { blocking(&entry, fd, real) };
        if got != 8 || !canceled(&engine, index, fd) {
            if got == 8 {
                let count = with(&engine, index, fd, |locked| {
                    let now = SessionClocks(&engine).now();
                    let count = locked.take_expirations(now);
                    engine.arm(locked.slot().deadline.load(Relaxed), now.ns());
                    count
                });
                // Set anew between the kernel's answer and here: it has expired once for this
                // reader all the same.
                put(count.max(1).to_ne_bytes());
            }
            return Some(got);
        }
    }
    errno::set(libc::ECANCELED);
    Some(-1)
}

fn nonblocking(fd: c_int) -> bool {
    // SAFETY: plain numbers.
    let flags =
        unsafe { syscall6(libc::SYS_fcntl, fd as usize, libc::F_GETFL as usize, 0, 0, 0, 0) }
            as c_int;
    flags & libc::O_NONBLOCK != 0
}

fn blocking(entry: &Entry, fd: c_int, mut real: impl FnMut() -> isize) -> isize {
    let nothing = || {
        let mut set = libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
        none_ready(&mut set, 1)
    };
    loop {
        // Ready for somebody, at least: unless another reader is quicker, the call does not wait.
        let wait = entry.kernel_wait_turning(WaitKind::Descriptor, nothing);
        if wait.is_some() || !nothing() {
            return real();
        }
    }
}

/// Was the clock set, and does the program want to know? Tells once.
fn canceled(engine: &Engine, index: usize, fd: c_int) -> bool {
    let flags = &engine.page.slots[index].timer().flags;
    flags.load(SeqCst) & CANCELED != 0
        && with(engine, index, fd, |locked| {
            let was = locked.take_canceled();
            if was {
                let _ = engine.name_timer(fd, index);
                // What has expired is forgotten with it, but an interval goes on.
                locked.take_expirations(SessionClocks(engine).now());
            }
            was
        })
}

/// A new program image: it has the timers of the former one that were not closed on exec.
pub fn after_exec(page: &Page, pid: u32) {
    if page.header.timers.load(SeqCst) == 0 {
        return;
    }
    let mine = |i: &usize| {
        page.slots[*i].state.load().kind() == Kind::Timer && page.slots[*i].pid.load(Relaxed) == pid
    };
    for index in (0..page.high()).filter(mine) {
        page.slots[index].timer().flags.fetch_or(SHARED, SeqCst);
        page.slots[index].pid.store(0, SeqCst);
    }
    let Some(engine) = session::engine() else { return };
    engine.free_after_exec();
    open_fds::each(|fd| {
        if let Some(index) = find(&engine, fd) {
            mark(fd, true);
            with(&engine, index, fd, |_| ());
        }
    });
}
