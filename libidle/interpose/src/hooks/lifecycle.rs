//! The process's beginning and end: what the library's constructor and destructor do, and _exit(2).

use crate::hooks::fork;
use crate::next;
use crate::shim::library::library;
use crate::shim::numbers;
use crate::shim::session;
use crate::shim::tls::tls;
use engine::Kind;
use engine::region::slot::Slot;
use libc::c_int;
use std::sync::atomic::Ordering::Relaxed;

/// From the library's constructor: joins the session.
pub fn start() {
    if session::engine().is_some() {
        fork::register();
    }
    library().constructed();
}

/// From the library's destructor, near the end of exit(3): what still runs may wait, but comes back
/// to this state. The process's slots stay until the kernel has ended it.
#[unsafe(link_section = ".text.interpose")]
pub fn leave() {
    let Some(engine) = session::engine() else { return };
    crate::shim::tcp_push::settle();
    library().leaves();
    let Some(me) = tls().slot.get().checked_sub(1) else { return };
    let slot = &engine.page.slots[me as usize];
    let (pid, tid) = numbers::mine();
    if slot.pid.load(Relaxed) != pid {
        // A child of vfork(2) speaks through its parent's slot. The parent goes on as soon as the
        // memory is its own again, and may then sleep in waitpid(2) before the child is dead: until
        // then this one speaks for the child.
        engine.page.claim(Kind::Leaving, pid, tid, engine.page.birth_of_child(me as usize));
    } else if slot.tid.load(Relaxed) == tid {
        // The kernel is about to send SIGCHLD.
        // SAFETY: no arguments.
        let parent =
            unsafe { engine::arch::syscall::syscall6(libc::SYS_getppid, 0, 0, 0, 0, 0, 0) } as u32;
        let is_parent = |slot: &Slot| !numbers::nested() && slot.pid.load(Relaxed) == parent;
        crate::shim::await_sleep::await_asleep(&engine, |_, slot| is_parent(slot));
        crate::shim::forced::over(&engine, me as usize);
        tls().base.set(Kind::Leaving as u32);
        engine.set_own(me as usize, Kind::Leaving);
    }
}

/// _exit(2).
pub fn exit_now(status: c_int) {
    leave();
    next!(_exit: fn(c_int) -> ())(status)
}
