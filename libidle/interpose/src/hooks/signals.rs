//! Waiting for signals, and sending them.
//!
//! A signal makes a thread run that nobody promised anything: the kernel chooses which. So a sender
//! counts, before and after, and time does not jump until every thread has been looked at once more
//! (`signals_sent` in the shared page).

use crate::hooks::descriptors::kernel_waits;
use crate::hooks::poll::{outcome, poll_until};
use crate::next;
use crate::shim::await_sleep::await_asleep;
use crate::shim::clock_id;
use crate::shim::entry::{Entry, What, enter};
use crate::shim::guard::Masked;
use crate::shim::polling_wait;
use crate::shim::session;
use crate::shim::signal_handlers;
use crate::shim::spin_loop;
use crate::shim::timer_signals;
use crate::shim::tls::tls;
use engine::region::forced::Forced;
use engine::sys::syscall6;
use libc::{
    POLLIN, c_int, c_uint, c_void, pid_t, pollfd, pthread_t, siginfo_t, sigset_t, timespec,
};
use posix::errno::{self, Errno};
use std::ptr::null_mut;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};

kernel_waits! { What::Signal;
    /// pause(2).
    fn pause() -> c_int;
    /// sigsuspend(2).
    fn sigsuspend(mask: *const sigset_t) -> c_int;
    /// sigpause(3), as BSD has it.
    fn sigpause(mask: c_int) -> c_int;
    /// sigpause(3), as XSI has it.
    fn __xpg_sigpause(signal: c_int) -> c_int;
    /// sigwait(3).
    fn sigwait(set: *const sigset_t, signal: *mut c_int) -> c_int;
    /// The real sigwaitinfo(2) in a wait.
    fn sigwaitinfo(set: *const sigset_t, info: *mut siginfo_t) -> c_int;
}

/// sigwaitinfo(2), by which signals of timers are taken.
///
/// # Safety
/// As for the C function.
pub unsafe fn sigwaitinfo_taking(set: *const sigset_t, info: *mut siginfo_t) -> c_int {
    // SAFETY: the caller's arguments.
    unsafe { taking(info, |info| sigwaitinfo(set, info), |&got| got > 0) }
}

/// sigwait(3), likewise. It is never interrupted.
///
/// # Safety
/// As for the C function.
pub unsafe fn sigwait_taking(set: *const sigset_t, signal: *mut c_int) -> c_int {
    loop {
        // SAFETY: the caller's set.
        match unsafe { sigwaitinfo_taking(set, null_mut()) } {
            got if got > 0 => {
                // SAFETY: the caller's pointer.
                unsafe { signal.write(got) };
                return 0;
            }
            _ if crate::shim::errno::get() == libc::EINTR => {}
            _ => return crate::shim::errno::get(),
        }
    }
}

/// `call` waits for a signal, of which it tells at `info`, or at a place of this function's own
/// where that is null. If it has `got` one, that one is taken.
///
/// # Safety `call` writes there what the kernel says of a signal.
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
pub unsafe fn sigtimedwait_taking(
    set: *const sigset_t,
    info: *mut siginfo_t,
    timeout: *const timespec,
) -> Result<c_int, Errno> {
    // SAFETY: the caller's arguments.
    unsafe { taking(info, |info| sigtimedwait(set, info, timeout), Result::is_ok) }
}

/// sigtimedwait(2): a signalfd on the same set says when to try. All signals are blocked here, and
/// those let in by the waits for which the thread may run a handler.
///
/// # Safety
/// As for the C function.
unsafe fn sigtimedwait(
    set: *const sigset_t,
    info: *mut siginfo_t,
    timeout: *const timespec,
) -> Result<c_int, Errno> {
    let real = next!(sigtimedwait: fn(*const sigset_t, *mut siginfo_t, *const timespec) -> c_int);
    let Some(entry) = enter() else {
        // SAFETY: the caller's arguments.
        return outcome(unsafe { real(set, info, timeout) });
    };
    if timeout.is_null() {
        let _wait = entry.kernel_wait(What::Signal);
        // SAFETY: the caller's arguments.
        return outcome(unsafe { real(set, info, timeout) });
    }
    // SAFETY: the caller's pointer.
    let ns = unsafe { clock_id::spec(timeout) }?.nanos().ok_or(Errno(libc::EINVAL))?;
    let deadline = clock_id::after(&entry.engine, ns);
    if !clock_id::readable(set.cast::<u64>()) {
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
        // SAFETY: the caller's arguments.
        match unsafe { pending_now(&entry, set, info) } {
            Err(Errno(libc::EAGAIN)) if ns != 0 && entry.now() < deadline => {}
            done => return done,
        }
        if fd.0 < 0 {
            // No descriptor left.
            return polling_wait::wait_deaf(&entry, What::Signal, deadline, mask, |time| {
                // SAFETY: the caller's arguments.
                outcome(unsafe { real(set, info, time) })
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
    // SAFETY: the caller's arguments.
    let number =
        errno::result(unsafe { syscall6(libc::SYS_rt_sigtimedwait, set, to, time, 8, 0, 0) })?;
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

/// Counts a signal that this process sends.
pub(super) fn count() {
    if let Some(engine) = session::engine() {
        engine.page.header.signals_sent.fetch_add(1, SeqCst);
        if engine.page.forced(tls().slot.get().wrapping_sub(1) as usize) == Some(Forced::Idle) {
            // See NOTE [Forced idle]. Nobody but the keeper will find out that all is at rest
            // again.
            engine.page.awake();
            engine.kick_keeper();
        }
    }
}

/// Whom a signal may interrupt.
enum To {
    /// A process, or several where the number is not positive.
    Process(pid_t),
    /// A thread by its id.
    Thread(pid_t),
    /// A thread of this process.
    Own(pthread_t),
    /// Not known.
    Anybody,
}

/// A signal is about to be sent; see [`crate::shim::await_sleep`].
fn sending(to: To) {
    let Some(engine) = session::engine() else { return };
    count();
    await_asleep(&engine, |slot| match to {
        To::Process(pid) if pid > 0 => slot.pid.load(Relaxed) == pid as u32,
        To::Thread(tid) => slot.tid.load(Relaxed) == tid as u32,
        // The main thread's slot has no pthread_t.
        To::Own(thread) => {
            slot.pid.load(Relaxed) == engine.pid
                && [0, thread].contains(&slot.pthread.load(Relaxed))
        }
        To::Process(_) | To::Anybody => true,
    });
}

macro_rules! senders {
    ($($(#[$doc:meta])* fn $name:ident[$signal:ident, $to:expr]($($arg:ident: $t:ty),*) -> c_int;)*) => {$(
        $(#[$doc])*
        ///
        /// # Safety
        /// As for the C function.
        pub unsafe fn $name($($arg: $t),*) -> c_int {
            let real = next!($name: fn($($t),*) -> c_int);
            if $signal == 0 {
                // Only asks whether there is somebody.
                spin_loop::futile();
                // SAFETY: the caller's arguments.
                return unsafe { real($($arg),*) };
            }
            spin_loop::progress();
            sending($to);
            // SAFETY: the caller's arguments.
            let done = unsafe { real($($arg),*) };
            count();
            done
        }
    )*};
}

senders! {
    /// kill(2).
    fn kill[signal, To::Process(pid)](pid: pid_t, signal: c_int) -> c_int;
    /// killpg(3).
    fn killpg[signal, To::Anybody](group: pid_t, signal: c_int) -> c_int;
    /// tgkill(2).
    fn tgkill[signal, To::Thread(thread)](group: pid_t, thread: pid_t, signal: c_int) -> c_int;
    /// pthread_kill(3).
    fn pthread_kill[signal, To::Own(thread)](thread: pthread_t, signal: c_int) -> c_int;
    /// sigqueue(3).
    fn sigqueue[signal, To::Process(pid)](pid: pid_t, signal: c_int, value: *mut c_void) -> c_int;
    /// pthread_sigqueue(3).
    fn pthread_sigqueue[signal, To::Own(thread)](thread: pthread_t, signal: c_int, value: *mut c_void) -> c_int;
    /// pidfd_send_signal(2).
    fn pidfd_send_signal[signal, To::Anybody](fd: c_int, signal: c_int, info: *mut siginfo_t, flags: c_uint) -> c_int;
}
