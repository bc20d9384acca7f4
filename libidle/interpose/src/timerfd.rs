//! timerfd_create(2) and its relatives, in virtual time.
//!
//! The descriptor stays a real timerfd, so polling, passing and closing it are the kernel's. It is never armed for the
//! program's own time: whoever of this process waits for descriptors, or reads the timer, takes the earliest timer's
//! deadline as his own, and when it comes the timer is *fired*: armed to expire at once. How often it has expired is
//! counted here and put in place of the kernel's count when it is read.

use crate::clockid;
use crate::enter::What;
use crate::errno::{Errno, kernel};
use crate::guard::FutexLock;
use crate::hooks::poll::poll_until;
use crate::next;
use crate::session;
use engine::sys::{self, syscall6};
use engine::time::{NEVER, Spec};
use engine::{Engine, Kind};
use libc::{c_int, clockid_t, itimerspec, timespec};
use std::cell::UnsafeCell;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};

/// Timers of a process that are followed. More run in real time.
const TIMERS: usize = 512;

#[derive(Clone, Copy)]
struct Timer {
    /// The descriptor, -1 when free.
    fd: c_int,
    clock: clockid_t,
    /// Absolute virtual ns, or [`NEVER`].
    deadline: u64,
    /// ns, 0 for one shot.
    interval: u64,
    /// Expirations since the last read.
    expired: u64,
}

const FREE: Timer = Timer { fd: -1, clock: 0, deadline: NEVER, interval: 0, expired: 0 };

struct Table(UnsafeCell<[Timer; TIMERS]>, FutexLock);

// SAFETY: the array is only touched in `with`, under the lock.
unsafe impl Sync for Table {}

static TABLE: Table = Table(UnsafeCell::new([FREE; TIMERS]), FutexLock::new());
/// Entries of the table that were ever used: how far the scans go.
static USED: AtomicU32 = AtomicU32::new(0);

/// Does this process have timers at all? Spares all others the look.
#[inline]
pub fn any() -> bool {
    USED.load(Relaxed) != 0
}

fn with<R>(body: impl FnOnce(&mut [Timer]) -> R) -> R {
    let _locked = TABLE.1.lock();
    // SAFETY: under the lock; `body` can't get at the table otherwise.
    let all = unsafe { &mut *TABLE.0.get() };
    body(&mut all[..(USED.load(Relaxed) as usize).min(TIMERS)])
}

/// Is `fd` one of them?
pub fn is_timer(fd: c_int) -> bool {
    any() && with(|timers| timers.iter().any(|t| t.fd == fd))
}

/// The earliest deadline of this process's timers.
pub fn earliest() -> u64 {
    if !any() {
        return NEVER;
    }
    with(|timers| timers.iter().filter(|t| t.fd >= 0).map(|t| t.deadline).min().unwrap_or(NEVER))
}

/// Fires the timers whose time has come.
pub fn fire_due(engine: &Engine) {
    if !any() {
        return;
    }
    let now = engine.now();
    with(|timers| {
        for timer in timers.iter_mut().filter(|t| t.fd >= 0 && t.deadline <= now) {
            let times = match timer.interval {
                0 => 1,
                interval => (now - timer.deadline) / interval + 1,
            };
            timer.expired = timer.expired.saturating_add(times);
            timer.deadline = match timer.interval {
                0 => NEVER,
                interval => timer.deadline.saturating_add(times.saturating_mul(interval)),
            };
            arm(timer.fd, 1);
        }
    });
}

/// Does `wait`, which waits for descriptors until the virtual instant it is given (0: not at all, [`NEVER`]: for ever), in
/// pieces that end with this process's timers: each is fired when its time has come, and the wait goes on if nothing
/// came of that.
pub fn beside(
    engine: &Engine,
    deadline: u64,
    mut wait: impl FnMut(u64) -> Result<c_int, Errno>,
) -> Result<c_int, Errno> {
    loop {
        if !any() {
            return wait(deadline);
        }
        fire_due(engine);
        // Never quite for ever: a timer that is set meanwhile rings the bell of a wait that has an end.
        let until = deadline.min(earliest()).min(NEVER - 1);
        let ready = wait(until)?;
        if ready != 0 || deadline == 0 || (until == deadline && engine.now() >= deadline) {
            return Ok(ready);
        }
    }
}

/// read(2) of a timer: waits for it unless it is non-blocking, and answers with the expirations counted here.
///
/// # Safety
/// As for the C function.
pub unsafe fn read(fd: c_int, buf: *mut libc::c_void, n: usize) -> isize {
    let real = next!(read: fn(c_int, *mut libc::c_void, usize) -> isize);
    if let Some(entry) = crate::enter::enter() {
        let flags = next!(fcntl: fn(c_int, c_int, usize) -> c_int);
        fire_due(&entry.engine);
        // SAFETY: plain numbers, and a set of our own.
        unsafe {
            if flags(fd, libc::F_GETFL, 0) & libc::O_NONBLOCK == 0 && n >= 8 {
                let mut set = libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
                if let Err(Errno(code)) = poll_until(&entry, &mut set, 1, NEVER, std::ptr::null()) {
                    crate::errno::set(code);
                    return -1;
                }
            }
        }
    }
    // SAFETY: the caller's arguments.
    let got = unsafe { real(fd, buf, n) };
    if got == 8
        && let Some(count) = take_count(fd)
    {
        // SAFETY: the kernel has just written these 8 bytes.
        unsafe { buf.cast::<u64>().write_unaligned(count) };
    }
    got
}

/// Arms the real timer to expire in `ns`, or disarms it with 0. Returns the kernel's answer.
fn arm(fd: c_int, ns: i64) -> isize {
    let none = timespec { tv_sec: 0, tv_nsec: 0 };
    let new = itimerspec { it_interval: none, it_value: timespec { tv_sec: 0, tv_nsec: ns } };
    // SAFETY: a valid itimerspec.
    unsafe { syscall6(libc::SYS_timerfd_settime, fd as usize, 0, &raw const new as usize, 0, 0, 0) }
}

/// The descriptor was closed, or is about to be another file.
pub fn forget(fd: c_int) {
    if any() {
        with(|timers| timers.iter_mut().filter(|t| t.fd == fd).for_each(|t| *t = FREE));
    }
}

/// What a read of `fd` is to answer: the expirations since the last one.
pub fn take_count(fd: c_int) -> Option<u64> {
    with(|timers| {
        let timer = timers.iter_mut().find(|t| t.fd == fd)?;
        Some(std::mem::take(&mut timer.expired)).filter(|&n| n != 0)
    })
}

/// timerfd_create(2).
///
/// # Safety
/// None beyond being called from C.
pub unsafe fn create(clock: clockid_t, flags: c_int) -> Result<c_int, Errno> {
    // SAFETY: plain numbers.
    let raw = unsafe { syscall6(libc::SYS_timerfd_create, clock as usize, flags as usize, 0, 0, 0, 0) };
    let fd = kernel(raw)? as c_int;
    if session::engine().is_some() {
        let _locked = TABLE.1.lock();
        // SAFETY: under the lock.
        let all = unsafe { &mut *TABLE.0.get() };
        if let Some(at) = all.iter().position(|t| t.fd < 0 || t.fd == fd) {
            all[at] = Timer { fd, clock, ..FREE };
            USED.fetch_max(at as u32 + 1, SeqCst);
        }
    }
    Ok(fd)
}

fn remaining(engine: &Engine, timer: &Timer) -> itimerspec {
    let spec = |ns: u64| {
        let s = Spec::from_nanos(ns);
        timespec { tv_sec: s.sec, tv_nsec: s.nsec }
    };
    // An armed timer whose time has just come still shows a moment: zero would say that it is disarmed.
    let left = if timer.deadline == NEVER { 0 } else { timer.deadline.saturating_sub(engine.now()).max(1) };
    itimerspec { it_interval: spec(timer.interval), it_value: spec(left) }
}

/// timerfd_settime(2).
///
/// # Safety
/// As for the C function.
pub unsafe fn settime(fd: c_int, flags: c_int, new: *const itimerspec, old: *mut itimerspec) -> Result<c_int, Errno> {
    let engine = session::engine().filter(|_| is_timer(fd) && clockid::plausible(new));
    let Some(engine) = engine else {
        // SAFETY: the kernel checks the pointers.
        let raw = unsafe {
            syscall6(libc::SYS_timerfd_settime, fd as usize, flags as usize, new as usize, old as usize, 0, 0)
        };
        return kernel(raw).map(|v| v as c_int);
    };
    // SAFETY: plausible, and the caller vouches for it.
    let new = unsafe { &*new };
    let value = Spec { sec: new.it_value.tv_sec, nsec: new.it_value.tv_nsec };
    let interval = Spec { sec: new.it_interval.tv_sec, nsec: new.it_interval.tv_nsec };
    let (Some(ns), Some(interval)) = (value.nanos(), interval.nanos()) else { return Err(Errno(libc::EINVAL)) };
    if flags & !(libc::TFD_TIMER_ABSTIME | libc::TFD_TIMER_CANCEL_ON_SET) != 0 {
        return Err(Errno(libc::EINVAL));
    }
    let clock = with(|timers| timers.iter().find(|t| t.fd == fd).map_or(0, |t| t.clock));
    let deadline = match (ns, flags & libc::TFD_TIMER_ABSTIME != 0) {
        (0, _) => NEVER,
        (_, true) => clockid::instant(&engine, clock, value)?,
        (_, false) => clockid::after(&engine, ns),
    };
    kernel(arm(fd, 0))?;
    with(|timers| {
        let Some(timer) = timers.iter_mut().find(|t| t.fd == fd) else { return };
        if clockid::plausible(old) {
            // SAFETY: plausible, and the caller vouches for it.
            unsafe { *old = remaining(&engine, timer) };
        }
        *timer = Timer { fd, clock, deadline, interval, expired: 0 };
    });
    fire_due(&engine);
    ring_waiters(&engine, deadline);
    Ok(0)
}

/// timerfd_gettime(2).
///
/// # Safety
/// As for the C function.
pub unsafe fn gettime(fd: c_int, out: *mut itimerspec) -> Result<c_int, Errno> {
    if let Some(engine) = session::engine().filter(|_| is_timer(fd) && clockid::plausible(out)) {
        fire_due(&engine);
        with(|timers| {
            if let Some(timer) = timers.iter().find(|t| t.fd == fd) {
                // SAFETY: plausible, and the caller vouches for it.
                unsafe { *out = remaining(&engine, timer) };
            }
        });
        return Ok(0);
    }
    // SAFETY: the kernel checks the pointer.
    let raw = unsafe { syscall6(libc::SYS_timerfd_gettime, fd as usize, out as usize, 0, 0, 0, 0) };
    kernel(raw).map(|v| v as c_int)
}

/// Threads of this process that wait for descriptors longer than until `deadline` must take it into account: their bells
/// ring, they find nothing, and wait again.
fn ring_waiters(engine: &Engine, deadline: u64) {
    for slot in &engine.page.slots[..engine.page.high()] {
        let waits = slot.pid.load(Relaxed) == engine.pid
            && slot.state.load().kind() == Kind::Kernel
            && [What::Ready as u32, What::Descriptor as u32].contains(&slot.what.load(Relaxed))
            && slot.deadline.load(SeqCst) > deadline;
        let bell = slot.bell.load(SeqCst);
        if waits && bell > 0 {
            sys::ring(engine.pid, engine.pid, bell);
        }
    }
}

/// In a forked child: the lock may have been another thread's. The timers are shared with the parent, as the files are.
pub fn reset() {
    TABLE.1.reset();
}
