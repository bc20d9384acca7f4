//! The signal by which the session ends waits that nothing else ends (`--signal`): its handler, and
//! how that is hidden.
//!
//! It is installed at the first such wait, if the program has no use for the signal. What the
//! program then sees is the action that was there before; and if it chooses the default or to
//! ignore it, that is noted and the handler stays: a wait may be under way that it is to end. A
//! handler of the program's own takes its place.

use crate::next;
use crate::shim::session;
use crate::shim::timer_signals;
use crate::shim::tls::tls;
use libc::{SIG_DFL, SIG_ERR, SIG_IGN, c_int, sighandler_t};
use std::mem::zeroed;
use std::ptr::{null, null_mut};
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};

/// In the place of a slot's bell: the session's signal ends the wait, see `Engine::deliver`.
pub const SIGNAL: i32 = -1;
/// The same, and it has come.
pub const HEARD: i32 = -2;
/// Nothing is to end, and if it comes it must not be taken for a signal of the program's.
pub const QUIET: i32 = -3;

/// Is the program's own action to ignore it? Otherwise it is the default.
static IGNORED: AtomicBool = AtomicBool::new(false);

/// Notes that the signal has come.
extern "C" fn heard(_: c_int) {
    if let (Some(page), Some(me)) = (session::page(), tls().slot.get().checked_sub(1)) {
        let bell = &page.slots[me as usize].bell;
        for state in [SIGNAL, QUIET] {
            let _ = bell.compare_exchange(state, HEARD, SeqCst, Relaxed);
        }
    }
}

/// The address of the handler.
pub(crate) fn ours() -> usize {
    heard as extern "C" fn(c_int) as usize
}

unsafe fn real(signal: c_int, new: *const libc::sigaction, old: *mut libc::sigaction) -> c_int {
    // SAFETY: the caller's arguments.
    unsafe {
        next!(sigaction: fn(c_int, *const libc::sigaction, *mut libc::sigaction) -> c_int)(
            signal, new, old,
        )
    }
}

/// Is the signal ours? It is if the program has no use for it. SA_RESTART: semtimedop fails with
/// EINTR all the same (signal(7)), and if it ever comes to another thread's wait, that one is not
/// disturbed.
pub fn installed(signal: c_int) -> bool {
    // SAFETY: zeroes are a valid sigaction; the handler is async-signal-safe.
    unsafe {
        let mut action: libc::sigaction = zeroed();
        if signal == 0 || real(signal, null(), &mut action) != 0 {
            return false;
        }
        match action.sa_sigaction {
            before @ (SIG_DFL | SIG_IGN) => {
                IGNORED.store(before == SIG_IGN, Relaxed);
                action = zeroed();
                action.sa_sigaction = ours();
                action.sa_flags = libc::SA_RESTART;
                real(signal, &action, null_mut()) == 0
            }
            other => other == ours(),
        }
    }
}

/// Is it the session's signal, and is the handler there?
fn hidden(signal: c_int) -> bool {
    let number = session::page().map_or(0, |page| page.header.signal.load(Relaxed)) as c_int;
    // SAFETY: zeroes are a valid sigaction.
    let mut now: libc::sigaction = unsafe { zeroed() };
    // SAFETY: a valid out-parameter.
    signal != 0
        && signal == number
        && unsafe { real(signal, null(), &mut now) } == 0
        && now.sa_sigaction == ours()
}

/// The action that the program has chosen.
fn chosen() -> sighandler_t {
    if IGNORED.load(Relaxed) { SIG_IGN } else { SIG_DFL }
}

/// sigaction(2).
///
/// # Safety
/// As for the C function.
pub unsafe fn sigaction(
    signal: c_int,
    new: *const libc::sigaction,
    old: *mut libc::sigaction,
) -> c_int {
    if !hidden(signal) {
        // SAFETY: the caller's arguments.
        let call = || unsafe { real(signal, new, old) };
        if !timer_signals::of_timer(signal) {
            return call();
        }
        let (answer, before) = timer_signals::change(signal, call);
        // SAFETY: the kernel has just written there.
        if let Some(old) = unsafe { old.as_mut() }.filter(|_| answer == 0) {
            before.show(old);
        }
        return answer;
    }
    let before = chosen();
    // SAFETY: the caller's pointers.
    unsafe {
        if !new.is_null() {
            match (*new).sa_sigaction {
                action @ (SIG_DFL | SIG_IGN) => IGNORED.store(action == SIG_IGN, Relaxed),
                _ if real(signal, new, null_mut()) != 0 => return -1,
                _ => {}
            }
        }
        if !old.is_null() {
            *old = zeroed();
            (*old).sa_sigaction = before;
        }
    }
    0
}

/// signal(2).
///
/// # Safety
/// As for the C function.
pub unsafe fn signal(signal: c_int, action: sighandler_t) -> sighandler_t {
    let real = || {
        // SAFETY: the caller's arguments.
        unsafe { next!(signal: fn(c_int, sighandler_t) -> sighandler_t)(signal, action) }
    };
    if !hidden(signal) || action == SIG_ERR {
        if !timer_signals::of_timer(signal) {
            return real();
        }
        let (answer, before) = timer_signals::change(signal, real);
        return before.handler(answer);
    }
    let before = chosen();
    match action {
        SIG_DFL | SIG_IGN => IGNORED.store(action == SIG_IGN, Relaxed),
        _ if real() == SIG_ERR => return SIG_ERR,
        _ => {}
    }
    before
}
