//! The handlers that this process has for signals, as the kernel tells of them.

use crate::next;
use crate::shim::signal_mask;
use engine::arch::syscall::syscall6;
use libc::c_int;

/// The handler of a signal.
pub struct Handler {
    /// Which signal.
    pub signal: usize,
    /// Has it `SA_RESTART`?
    pub restarts: bool,
}

/// All of them, but for the signals that libc uses itself, 32 and 33.
pub fn all() -> impl Iterator<Item = Handler> {
    (1..32).chain(34..=64).filter_map(of)
}

/// The kernel's `struct sigaction`.
#[repr(C)]
struct Action {
    handler: usize,
    flags: u64,
    restorer: usize,
    mask: u64,
}

fn action(signal: usize) -> Action {
    let mut now = Action { handler: 0, flags: 0, restorer: 0, mask: 0 };
    // SAFETY: rt_sigaction reads into a structure of the kernel's layout.
    unsafe { syscall6(libc::SYS_rt_sigaction, signal, 0, &raw mut now as usize, 8, 0, 0) };
    now
}

fn of(signal: usize) -> Option<Handler> {
    let now = action(signal);
    let restarts = now.flags & libc::SA_RESTART as u64 != 0;
    (now.handler > libc::SIG_IGN).then_some(Handler { signal, restarts })
}

/// Is the signal ignored where it is not blocked, by the program's choice or by default
/// (signal(7))?
pub fn ignored(signal: c_int) -> bool {
    match action(signal as usize).handler {
        libc::SIG_DFL => {
            [libc::SIGCHLD, libc::SIGCONT, libc::SIGURG, libc::SIGWINCH].contains(&signal)
        }
        handler => handler == libc::SIG_IGN,
    }
}

/// Which signals of a set have one.
pub fn among(set: u64) -> u64 {
    let of = |signal: usize| 1 << (signal - 1) & set;
    if set == 0 { 0 } else { all().fold(0, |found, handler| found | of(handler.signal)) }
}

/// A handler has interrupted the calling thread: would the kernel have started the call again?
/// Which handler it was nobody knows, so the answer is yes only if that holds for all whose signals
/// the thread does not block.
pub fn restart() -> bool {
    let blocked = signal_mask::blocked();
    all().all(|handler| handler.restarts || blocked >> (handler.signal - 1) & 1 != 0)
}

/// The sigaction(2) beneath the hook.
pub fn next_sigaction(
    signal: c_int,
    new: *const libc::sigaction,
    old: *mut libc::sigaction,
) -> c_int {
    next!(sigaction: fn(c_int, *const libc::sigaction, *mut libc::sigaction) -> c_int)(
        signal, new, old,
    )
}
