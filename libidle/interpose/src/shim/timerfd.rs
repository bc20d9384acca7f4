//! timerfd_create(2) and its relatives, in virtual time: see [`engine::schedule::timerfd`] for how
//! they work.
//!
//! What a process keeps of them is the set of descriptors that may be timers, so that read(2) need
//! not ask the kernel about all others. Which timer a descriptor is, is asked anew each time: it
//! may have been closed or replaced by ways that no hook sees.

use crate::hooks::poll::none_ready;
use crate::shim::clock_id;
use crate::shim::entry::{Entry, What, enter};
use crate::shim::errno;
use crate::shim::fd_set::{FdSet, sets};
use crate::shim::guard::Masked;
use crate::shim::open_fds;
use crate::shim::session;
use engine::schedule::timerfd::{ABSOLUTE, CANCEL_ON_SET, CANCELED, LOST, Locked, SHARED};
use engine::sys::syscall6;
use engine::{Engine, Kind, Page};
use libc::{c_int, clockid_t, itimerspec, timespec};
use posix::clock::is_time_of_day;
use posix::errno::{Errno, result};
use posix::time::{NEVER, Spec};
use std::sync::atomic::Ordering::{Relaxed, SeqCst};

/// Descriptors of this process that may be timers.
static TIMERS: FdSet<{ sets::TIMERS }> = FdSet::new();

/// Has this process timers at all? Spares all others the look.
#[inline]
pub fn any() -> bool {
    TIMERS.any()
}

/// May `fd` be one?
#[inline]
pub fn is_timer(fd: c_int) -> bool {
    TIMERS.contains(fd)
}

/// A running thread is about to look at descriptors: timers whose time has come by real time are
/// ready by then.
#[inline]
pub fn expire(entry: &Entry) {
    if any() {
        entry.engine.expire_now(entry.me);
    }
}

/// The timer that `fd` is.
fn find(engine: &Engine, fd: c_int) -> Option<usize> {
    engine.timer_of(fd).ok().flatten()
}

/// Does `body` with timer `index` locked; this process can reach it by `fd`.
fn with<R>(engine: &Engine, index: usize, fd: c_int, body: impl FnOnce(&Locked) -> R) -> R {
    let _masked = Masked::new();
    let locked = engine.lock_timer(index, session::gettid());
    if !crate::shim::wake_fd::borrowed() {
        locked.slot().pid.store(engine.pid, Relaxed);
        locked.slot().bell.store(fd, Relaxed);
    }
    body(&locked)
}

/// timerfd_create(2).
///
/// # Safety
/// None beyond being called from C.
pub unsafe fn create(clock: clockid_t, flags: c_int) -> Result<c_int, Errno> {
    // SAFETY: plain numbers.
    let raw =
        unsafe { syscall6(libc::SYS_timerfd_create, clock as usize, flags as usize, 0, 0, 0, 0) };
    let fd = result(raw)? as c_int;
    if let Some(entry) =
        enter().filter(|_| (0..crate::shim::fd_set::TRACKED as c_int).contains(&fd))
    {
        let (engine, page) = (entry.engine, entry.engine.page);
        // One that finds no slot runs in real time.
        if let Some(index) =
            page.claim_timer(session::getpid(), fd, clock, page.birth_of_child(entry.me))
        {
            let named = engine.name_timer(fd, index);
            debug_assert!(named.is_ok(), "a fresh timer takes any interval");
            TIMERS.set(fd, true);
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
    let engine = session::engine().filter(|_| flags & !KNOWN == 0 && clock_id::readable(new));
    let Some((engine, index)) = engine.and_then(|engine| Some((engine, find(&engine, fd)?))) else {
        return real();
    };
    // SAFETY: plausible, and the caller vouches for it.
    let new = unsafe { &*new };
    let value = Spec { sec: new.it_value.tv_sec, nsec: new.it_value.tv_nsec };
    let interval = Spec { sec: new.it_interval.tv_sec, nsec: new.it_interval.tv_nsec };
    let (Some(ns), Some(interval)) = (value.nanos(), interval.nanos()) else { return real() };
    let slot = &engine.page.slots[index];
    let clock = slot.what.load(Relaxed) as clockid_t;
    let absolute = flags & libc::TFD_TIMER_ABSTIME != 0;
    let (now, deadline) = match (ns, absolute) {
        (0, _) => (engine.now(), NEVER),
        (_, true) => (engine.now(), clock_id::instant(&engine, clock, value)?),
        (_, false) => (engine.now(), clock_id::after(&engine, ns)),
    };
    let settable = absolute && is_time_of_day(clock);
    let mut noted = if settable { ABSOLUTE } else { 0 };
    if settable && flags & libc::TFD_TIMER_CANCEL_ON_SET != 0 {
        noted |= CANCEL_ON_SET;
    }
    let before = with(&engine, index, fd, |locked| {
        let before = remaining(&engine, locked);
        locked.set(fd, now, deadline, interval, noted).map_err(|code| Errno(-code as i32))?;
        Ok(before)
    })?;
    engine.arm(deadline, now);
    // SAFETY: the caller's pointer.
    unsafe { store(old, before) }
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
    let now = with(&engine, index, fd, |locked| remaining(&engine, locked));
    if out.is_null() {
        return Err(Errno(libc::EFAULT));
    }
    // SAFETY: the caller's pointer.
    unsafe { store(out, now) }
}

fn remaining(engine: &Engine, locked: &Locked) -> itimerspec {
    let left = locked.left(engine.now());
    itimerspec {
        it_interval: as_timespec(locked.slot().interval().load(Relaxed)),
        it_value: as_timespec(left),
    }
}

/// Nanoseconds as C has them.
pub fn as_timespec(ns: u64) -> timespec {
    let spec = Spec::from_nanos(ns);
    timespec { tv_sec: spec.sec, tv_nsec: spec.nsec }
}

/// Writes an answer where the caller wants it, if it does.
///
/// # Safety
/// `to` is null, another address that the kernel would refuse, or valid.
pub unsafe fn store<T>(to: *mut T, value: T) -> Result<c_int, Errno> {
    if !to.is_null() {
        if !clock_id::writable(to) {
            return Err(Errno(libc::EFAULT));
        }
        // SAFETY: writable, and the caller vouches for it.
        unsafe { *to = value };
    }
    Ok(0)
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
            TIMERS.set(fd, false);
            return None;
        }
    };
    expire(&entry);
    if !canceled(&engine, index, fd) {
        let got = if n < 8 || nonblocking(fd) { real() } else { blocking(&entry, fd, real) };
        if got != 8 || !canceled(&engine, index, fd) {
            if got == 8 {
                let count = with(&engine, index, fd, |locked| {
                    let now = engine.now();
                    let count = locked.take_expirations(now);
                    engine.arm(locked.slot().deadline.load(Relaxed), now);
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
        // SAFETY: a set of our own.
        unsafe { none_ready(&mut set, 1) }
    };
    loop {
        // Ready for somebody, at least: unless another reader is quicker, the call does not wait.
        let wait = entry.kernel_wait_turning(What::Descriptor, nothing);
        if wait.is_some() || !nothing() {
            return real();
        }
    }
}

/// Was the clock set, and does the program want to know? Tells once.
fn canceled(engine: &Engine, index: usize, fd: c_int) -> bool {
    let flags = engine.page.slots[index].timer_flags();
    flags.load(SeqCst) & CANCELED != 0
        && with(engine, index, fd, |locked| {
            let was = locked.take_canceled();
            if was {
                let _ = engine.name_timer(fd, index);
                // What has expired is forgotten with it, but an interval goes on.
                locked.take_expirations(engine.now());
            }
            was
        })
}

/// `new` is a copy of `old`, or will be if that is open.
pub fn copied(old: c_int, new: c_int) {
    if is_timer(old) || is_timer(new) {
        TIMERS.set(new, is_timer(old));
        if is_timer(old)
            && let Some(engine) = session::engine()
        {
            share(&engine, old);
        }
    }
}

fn share(engine: &Engine, fd: c_int) {
    if let Some(index) = find(engine, fd) {
        engine.page.slots[index].timer_flags().fetch_or(SHARED, SeqCst);
    }
}

/// Other processes are about to get this one's descriptors.
pub fn share_all() {
    if any()
        && let Some(engine) = session::engine()
    {
        TIMERS.within(0, u32::MAX).for_each(|fd| share(&engine, fd as c_int));
    }
}

/// `fd` has come from elsewhere: is it a timer?
pub fn arrived(engine: &Engine, fd: c_int) {
    if engine.page.header.timers.load(SeqCst) == 0 {
        return;
    }
    if let Some(index) = find(engine, fd) {
        TIMERS.set(fd, true);
        let flags = engine.page.slots[index].timer_flags();
        flags.fetch_or(SHARED, SeqCst);
        if flags.load(SeqCst) & LOST != 0 {
            with(engine, index, fd, |locked| locked.tick());
        }
    } else {
        TIMERS.set(fd, false);
    }
}

/// The descriptor is about to be closed. A timer that nobody else can have ends here; of others the
/// launcher finds out.
pub fn forget(fd: c_int) {
    if !is_timer(fd) {
        return;
    }
    TIMERS.set(fd, false);
    let Some(engine) = session::engine() else { return };
    let Some(index) = find(&engine, fd) else { return };
    let _masked = Masked::new();
    let locked = engine.lock_timer(index, session::gettid());
    let slot = locked.slot();
    if (slot.pid.load(Relaxed), slot.bell.load(Relaxed)) != (engine.pid, fd) {
        return;
    }
    if slot.timer_flags().load(SeqCst) & SHARED == 0 {
        locked.release();
    } else {
        slot.pid.store(0, SeqCst);
    }
}

/// The same for a range of them.
pub fn forget_range(first: u32, last: u32) {
    TIMERS.within(first, last).for_each(|fd| forget(fd as c_int));
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
        page.slots[index].timer_flags().fetch_or(SHARED, SeqCst);
        page.slots[index].pid.store(0, SeqCst);
    }
    let Some(engine) = session::engine() else { return };
    open_fds::each(|fd| {
        if let Some(index) = find(&engine, fd) {
            TIMERS.set(fd, true);
            with(&engine, index, fd, |_| ());
        }
    });
}
