//! Waiting for signals, and sending them.
//!
//! A signal makes a thread run that nobody promised anything: the kernel chooses which. So a sender
//! counts, before and after, and time does not jump until every thread has been looked at once more
//! (`signals_sent` in the shared page).

use crate::hooks::descriptors::kernel_waits;
use crate::next;
use crate::shim::await_sleep::await_asleep;
use crate::shim::entry::WaitKind;
use crate::shim::numbers;
use crate::shim::session;
use crate::shim::spin_loop;
use crate::shim::tls::tls;
use engine::region::forced::Forced;
use engine::region::slot::Slot;
use libc::{c_int, c_uint, c_void, pid_t, pthread_t, siginfo_t, sigset_t};
use std::sync::atomic::Ordering::{Relaxed, SeqCst};

kernel_waits! { WaitKind::Signal;
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

/// Counts a signal that this process sends.
pub fn count() {
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
    let own = |slot: &Slot| slot.pid.load(Relaxed) == engine.pid;
    // In a PID namespace below the launcher's the number of another process says nothing.
    let nested = numbers::nested();
    await_asleep(&engine, |index, slot| match to {
        To::Process(pid) if pid > 0 && nested => own(slot) && pid as u32 == numbers::getpid(),
        To::Process(pid) if pid > 0 => slot.pid.load(Relaxed) == pid as u32,
        To::Thread(tid) if nested => {
            own(slot) && numbers::here(index, slot.tid.load(Relaxed)) == tid as u32
        }
        To::Thread(tid) => slot.tid.load(Relaxed) == tid as u32,
        // The main thread's slot has no pthread_t.
        To::Own(thread) => own(slot) && [0, thread].contains(&slot.thread().pthread.load(Relaxed)),
        To::Process(_) | To::Anybody => true,
    });
}

macro_rules! senders {
    ($(
        $(#[$doc:meta])*
        fn $name:ident[$signal:ident, $to:expr]($($arg:ident: $t:ty),*) -> c_int;
    )*) => {$(
        $(#[$doc])*
        pub fn $name($($arg: $t),*) -> c_int {
            let real = next!($name: fn($($t),*) -> c_int);
            if $signal == 0 {
                // Only asks whether there is somebody.
                spin_loop::futile();
                return real($($arg),*);
            }
            spin_loop::progress();
            sending($to);
            let done = real($($arg),*);
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
