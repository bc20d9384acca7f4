//! A fault of the launcher's own: one line, and the session ends.
//!
//! Without this a thread that panics would be gone, and the programs would wait for ever for what
//! it does.

use crate::cli::OWN_FAILURE;
use crate::proc;
use crate::report::messages;
use nix::sys::signal::{Signal, kill};
use std::panic::{self, PanicHookInfo};
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::SeqCst;

/// Rounds of killing: a process may have forked before it was killed.
const ROUNDS: u32 = 100;

/// From now on a panic of any thread ends this process, and all below it.
pub fn end_all() {
    panic::set_hook(Box::new(|info| {
        static FIRST: AtomicBool = AtomicBool::new(true);
        if FIRST.swap(false, SeqCst) {
            messages::say(&text(info));
            (0..ROUNDS).take_while(|_| kill_all()).count();
        }
        // SAFETY: ends the process at once: destructors may wait for what is broken.
        unsafe { libc::_exit(OWN_FAILURE.into()) }
    }));
}

/// Kills all processes below this one; false if there is none.
fn kill_all() -> bool {
    let living = proc::living(0);
    for &pid in &living {
        let _ = kill(pid, Signal::SIGKILL);
    }
    !living.is_empty()
}

fn text(info: &PanicHookInfo) -> String {
    let why = info.payload_as_str().unwrap_or("a panic");
    let at = info.location().map_or(String::new(), |at| format!(" ({}:{})", at.file(), at.line()));
    format!("internal error: {why}{at}; ending the session")
}
