//! Waits for signals by which those of timers are taken: sigwait(3), sigwaitinfo(2),
//! sigtimedwait(2).

use crate::timer_signals;
use engine::arch::syscall::syscall6;
use interpose::hooks::poll::{limit, poll_until};
use interpose::hooks::signals;
use interpose::next;
use interpose::shim::entry::{Entry, WaitKind, enter};
use interpose::shim::errno::{self, outcome};
use interpose::shim::signal_mask::Masked;
use interpose::shim::user_memory;
use interpose::shim::{polling_wait, signal_handlers};
use libc::{POLLIN, c_int, pollfd, siginfo_t, sigset_t, timespec};
use posix::errno::{Errno, result};
use posix::time::NEVER;
use posix::wait::Call;
use std::ptr::null_mut;

/// sigwaitinfo(2), by which signals of timers are taken.
///
/// # Safety
/// As for the C function.
pub unsafe fn sigwaitinfo(set: *const sigset_t, info: *mut siginfo_t) -> c_int {
    // SAFETY: what the kernel is told to write, it writes as `siginfo_t`.
    unsafe { taking(info, |info| signals::sigwaitinfo(set, info), |&got| got > 0) }
}

/// sigwait(3), likewise. It is never interrupted.
///
/// # Safety
/// As for the C function.
pub unsafe fn sigwait(set: *const sigset_t, signal: *mut c_int) -> c_int {
    loop {
        // SAFETY: no information is wanted.
        match unsafe { sigwaitinfo(set, null_mut()) } {
            got if got > 0 => {
                // SAFETY: sigwait(3) stores the signal's number.
                unsafe { signal.write(got) };
                return 0;
            }
            _ if errno::get() == libc::EINTR => {}
            _ => return errno::get(),
        }
    }
}

/// `call` waits for a signal, of which it tells at `info`, or at a place of this function's own
/// where that is null. If it has `got` one, that one is taken.
///
/// # Safety
/// `call` writes there what the kernel says of a signal.
unsafe fn taking<R>(
    info: *mut siginfo_t,
    call: impl FnOnce(*mut siginfo_t) -> R,
    got: impl Fn(&R) -> bool,
) -> R {
    // SAFETY: zeroes are valid.
    let mut own = unsafe { std::mem::zeroed() };
    let info = if info.is_null() { &raw mut own } else { info };
    let answer = call(info);
    if got(&answer) {
        // SAFETY: written a moment ago.
        unsafe { timer_signals::taken_by(info) };
    }
    answer
}

/// sigtimedwait(2), likewise.
///
/// # Safety
/// As for the C function.
pub unsafe fn sigtimedwait(
    set: *const sigset_t,
    info: *mut siginfo_t,
    timeout: *const timespec,
) -> Result<c_int, Errno> {
    // SAFETY: what the kernel is told to write, it writes as `siginfo_t`.
    unsafe { taking(info, |info| wait_until(set, info, timeout), Result::is_ok) }
}

/// sigtimedwait(2): a signalfd on the same set says when to try. All signals are blocked here, and
/// those let in by the waits for which the thread may run a handler.
///
/// # Safety
/// As for the C function.
unsafe fn wait_until(
    set: *const sigset_t,
    info: *mut siginfo_t,
    timeout: *const timespec,
) -> Result<c_int, Errno> {
    let real = next!(sigtimedwait: fn(*const sigset_t, *mut siginfo_t, *const timespec) -> c_int);
    let Some(entry) = enter() else {
        return outcome(real(set, info, timeout));
    };
    let deadline =
        limit(&entry, Call::SigTimedWait, [set as u64, info as u64, timeout as u64, 0, 0, 0])?;
    if deadline == NEVER {
        let _wait = entry.kernel_wait(WaitKind::Signal);
        return outcome(real(set, info, timeout));
    }
    if !user_memory::readable(set.cast::<u64>()) {
        return Err(Errno(libc::EFAULT));
    }
    let masked = Masked::but_cancellation();
    // SAFETY: it can be read, and the kernel's sets have 8 bytes.
    let (asked, before) = (unsafe { set.cast::<u64>().read_unaligned() }, masked.before());
    // One that the thread does not block is taken before its handler has it. Without a handler it
    // is ignored, or deadly.
    let taken = asked & (before | signal_handlers::among(asked & !before));
    let mask = before | taken;
    let (set, mask) = (&raw const taken as *const sigset_t, &raw const mask as *const sigset_t);
    // SAFETY: a set of our own.
    let fd = Fd(unsafe { libc::signalfd(-1, set, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK) });
    loop {
        // SAFETY: what is called has this function's contract.
        match unsafe { pending_now(&entry, set, info) } {
            Err(Errno(libc::EAGAIN)) if entry.now() < deadline => {}
            done => return done,
        }
        if fd.0 < 0 {
            // No descriptor left.
            return polling_wait::wait_deaf(&entry, WaitKind::Signal, deadline, mask, |time| {
                outcome(real(set, info, time))
            });
        }
        let mut ready = pollfd { fd: fd.0, events: POLLIN, revents: 0 };
        // SAFETY: a set of our own.
        unsafe { poll_until(&entry, &mut ready, 1, deadline, mask) }?;
    }
}

/// A signal that is pending. A call of the library's own, which no filter stops; a cancellation
/// point like the one that waits.
///
/// # Safety
/// As for sigtimedwait(2).
unsafe fn pending_now(
    entry: &Entry,
    set: *const sigset_t,
    info: *mut siginfo_t,
) -> Result<c_int, Errno> {
    entry.cancellation_point();
    let now = timespec { tv_sec: 0, tv_nsec: 0 };
    let (set, to, time) = (set as usize, info as usize, &raw const now as usize);
    // SAFETY: the kernel checks the addresses.
    let number = result(unsafe { syscall6(libc::SYS_rt_sigtimedwait, set, to, time, 8, 0, 0) })?;
    // SAFETY: the kernel has just written there.
    if !info.is_null() && unsafe { (*info).si_code } == libc::SI_TKILL {
        // As libc does it.
        // SAFETY: as above.
        unsafe { (*info).si_code = libc::SI_USER };
    }
    Ok(number as c_int)
}

/// A descriptor closed when dropped, also by cancellation.
struct Fd(c_int);

impl Drop for Fd {
    fn drop(&mut self) {
        // SAFETY: our own descriptor.
        unsafe { syscall6(libc::SYS_close, self.0 as usize, 0, 0, 0, 0, 0) };
    }
}
