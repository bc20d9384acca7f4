//! longjmp(3) out of a signal handler, and with it out of the wait that the handler interrupted.
//!
//! The wait's slot still says that the thread waits, and may be in a queue. The target's stack
//! pointer tells whether the wait is left: it is in the jmp_buf, mangled with the thread's pointer
//! guard.

use crate::next;
use crate::shim::session;
use crate::shim::tls::tls;
use crate::shim::wait_queue;
use engine::arch::stack_pointer_of_jump;
use libc::{c_int, c_void};
use posix::time::NEVER;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};

/// Ends the waits that a jump to stack pointer `to` leaves.
fn leave_waits(to: usize) {
    let Some(engine) = session::engine() else { return };
    let tls = tls();
    while let Some(me) = tls.slot.get().checked_sub(1) {
        let slot = &engine.page.slots[me as usize];
        if tls.waiting.get() == me + 1 && to > tls.wait_sp.get() {
            tls.waiting.set(0);
            engine.abandon_lock(me as usize);
            wait_queue::forget(&engine, me as usize);
            slot.deadline.store(NEVER, SeqCst);
            engine.set_own(me as usize, crate::shim::entry::base());
        }
        // In a slot of a handler's own: does the jump leave the wait that the handler interrupted?
        let Some((outer, sp)) =
            crate::shim::handler_slot::interrupted(slot).filter(|&(_, sp)| to > sp)
        else {
            return;
        };
        engine.page.slots[outer as usize - 1].covered.store(0, SeqCst);
        tls.slot.set(outer);
        tls.waiting.set(outer);
        tls.wait_sp.set(sp);
        slot.handler().outer.store(0, Relaxed);
        engine.page.release(me as usize);
    }
}

macro_rules! jumps {
    ($($(#[$doc:meta])* fn $name:ident;)*) => {$(
        $(#[$doc])*
        ///
        /// # Safety
        /// As for the C function.
        pub unsafe fn $name(env: *mut c_void, value: c_int) {
            // SAFETY: longjmp(3) has a buffer that setjmp(3) has filled in.
            leave_waits(unsafe { stack_pointer_of_jump(env.cast()) });
            next!($name: fn(*mut c_void, c_int) -> ())(env, value)
        }
    )*};
}

jumps! {
    /// longjmp(3).
    fn longjmp;
    /// _longjmp(3).
    fn _longjmp;
    /// siglongjmp(3).
    fn siglongjmp;
    /// __longjmp_chk (`_FORTIFY_SOURCE`).
    fn __longjmp_chk;
}
