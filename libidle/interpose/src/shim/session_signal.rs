//! The signal by which the session ends waits that nothing else ends (`--signal`): its handler, and
//! how that is hidden.
//!
//! It is installed at the first such wait, if the program has no use for the signal. What the
//! program then sees is the action that was there before; and if it chooses the default or to
//! ignore it, that is noted and the handler stays: a wait may be under way that it is to end. A
//! handler of the program's own takes its place.

use crate::shim::reach;
use crate::shim::session;
use crate::shim::signal_handlers::next_sigaction;
use crate::shim::tls::tls;
use libc::{SIG_DFL, SIG_IGN, c_int, sighandler_t};
use std::mem::zeroed;
use std::ptr::{null, null_mut};
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};

/// In the place of a slot's wake fd: the session's signal ends the wait, see `Engine::deliver`.
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
        let wake = &page.slots[me as usize].thread().wake_fd;
        for state in [SIGNAL, QUIET] {
            let _ = wake.compare_exchange(state, HEARD, SeqCst, Relaxed);
        }
    }
}

/// The address of the handler.
pub fn ours() -> usize {
    heard as extern "C" fn(c_int) as usize
}

/// Is the signal ours? It is if the program has no use for it. SA_RESTART: semtimedop fails with
/// EINTR all the same (signal(7)), and if it ever comes to another thread's wait, that one is not
/// disturbed.
pub fn installed(signal: c_int) -> bool {
    // SAFETY: zeroes are a valid sigaction; the handler is async-signal-safe.
    unsafe {
        let mut action: libc::sigaction = zeroed();
        if signal == 0 || next_sigaction(signal, null(), &mut action) != 0 {
            return false;
        }
        match action.sa_sigaction {
            before @ (SIG_DFL | SIG_IGN) => {
                IGNORED.store(before == SIG_IGN, Relaxed);
                action = zeroed();
                action.sa_sigaction = ours();
                action.sa_flags = libc::SA_RESTART;
                let done = next_sigaction(signal, &action, null_mut()) == 0;
                if done {
                    reach::catches(signal);
                }
                done
            }
            other => other == ours(),
        }
    }
}

/// Is it the session's signal, and is the handler there?
pub fn hidden(signal: c_int) -> bool {
    let number = session::page().map_or(0, |page| page.header.signal.load(Relaxed)) as c_int;
    // SAFETY: zeroes are a valid sigaction.
    let mut now: libc::sigaction = unsafe { zeroed() };
    signal != 0
        && signal == number
        && next_sigaction(signal, null(), &mut now) == 0
        && now.sa_sigaction == ours()
}

/// The action that the program has chosen.
pub fn chosen() -> sighandler_t {
    if IGNORED.load(Relaxed) { SIG_IGN } else { SIG_DFL }
}

/// The program chooses the default action or to ignore the signal, while the handler stays.
pub fn choose(action: sighandler_t) {
    IGNORED.store(action == SIG_IGN, Relaxed);
}
