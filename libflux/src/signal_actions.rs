//! sigaction(2) and signal(2): the program sees the actions that it has chosen, and not the
//! handlers of this library that stand before them.

use crate::timer_signals;
use interpose::next;
use interpose::shim::session_signal::{choose, chosen, hidden};
use interpose::shim::signal_handlers::next_sigaction;
use libc::{SIG_DFL, SIG_ERR, SIG_IGN, c_int, sighandler_t};
use std::mem::zeroed;
use std::ptr::null_mut;

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
        let call = || next_sigaction(signal, new, old);
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
    // SAFETY: sigaction(2) has actions or null.
    unsafe {
        if !new.is_null() {
            match (*new).sa_sigaction {
                action @ (SIG_DFL | SIG_IGN) => choose(action),
                _ if next_sigaction(signal, new, null_mut()) != 0 => return -1,
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
pub fn signal(signal: c_int, action: sighandler_t) -> sighandler_t {
    let real = || next!(signal: fn(c_int, sighandler_t) -> sighandler_t)(signal, action);
    if !hidden(signal) || action == SIG_ERR {
        if !timer_signals::of_timer(signal) {
            return real();
        }
        let (answer, before) = timer_signals::change(signal, real);
        return before.handler(answer);
    }
    let before = chosen();
    match action {
        SIG_DFL | SIG_IGN => choose(action),
        _ if real() == SIG_ERR => return SIG_ERR,
        _ => {}
    }
    before
}
