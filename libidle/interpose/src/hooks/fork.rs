//! fork(2), _Fork(3) and a forking clone(2): the child is busy from before the parent goes on.
//! vfork(2) needs no hook: its child shares memory and thread-local storage, so the suspended
//! parent's slot speaks for it until it executes.

use crate::hooks::credentials;
use crate::next;
use crate::shim::entry::enter;
use crate::shim::forced;
use crate::shim::library::library;
use crate::shim::numbers;
use crate::shim::own_block;
use crate::shim::own_children;
use crate::shim::session;
use crate::shim::tls::tls;
use crate::shim::wake_fd;
use engine::Kind;
use engine::schedule::births::Credit;
use libc::{c_int, c_void, pid_t};
use std::sync::atomic::Ordering::{Relaxed, SeqCst};

/// Takes a slot for the child, to be found by it in its copy of the thread-local block.
#[unsafe(link_section = ".text.interpose")]
fn credit() -> Option<Credit> {
    let entry = enter().filter(|_| !session::alone())?;
    crate::hooks::exec::prepare();
    crate::shim::timer_fds::share_all();
    let page = entry.engine.page;
    let child = page.credit(entry.engine.pid, page.birth_of_child(entry.me))?;
    tls().fork_credit.set(child.word());
    entry.engine.page.awake();
    Some(child)
}

/// The parent's side once the child's number is known, or the fork has failed.
#[unsafe(link_section = ".text.interpose")]
fn settle(child: Option<Credit>, pid: pid_t) {
    tls().fork_credit.set(0);
    let (Some(child), Some(engine)) = (child, session::engine()) else { return };
    if pid < 0 {
        engine.page.release(child.index());
    } else if !numbers::nested() {
        own_children::place(&engine, child, pid as u32);
    }
}

/// The child's side: it is one thread in a new process. Runs before any other hook of it, from
/// `pthread_atfork`.
#[unsafe(link_section = ".text.interpose")]
pub extern "C" fn adopt() {
    if session::engine().is_none() || numbers::is_same_process() {
        return;
    }
    let (pid, tid) = numbers::renew();
    crate::hooks::threads::only_thread_left();
    wake_fd::discard_all();
    crate::shim::libc_threads::reset();
    library().forked();
    let Some(engine) = session::engine() else { return };
    let (tls, page) = (tls(), engine.page);
    let credit = Credit::from_word(tls.fork_credit.replace(0))
        .filter(|&credit| page.adopt(credit, pid, tid));
    let index = match credit {
        Some(credit) => Some(credit.index()),
        // A fork inside libc (daemon, forkpty), or the parent was killed and the credit given back.
        None => page.claim(Kind::Busy, pid, tid, pid as u64),
    };
    if let (Some(index), Some(old)) = (index, tls.slot.get().checked_sub(1)) {
        // The thread that forked is the same here, so it can be named the same.
        let pthread = page.slots[old as usize].thread().pthread.load(Relaxed);
        page.slots[index].thread().pthread.store(pthread, Relaxed);
    }
    tls.base.set(0);
    tls.slot.set(index.map_or(0, |i| i as u32 + 1));
    if let Some(index) = index {
        numbers::note(index);
        forced::again(&engine, index);
    }
    engine.page.awake();
}

/// Registers [`adopt`]. From the library's constructor, so it comes before the program's own
/// handlers.
pub fn register() {
    // SAFETY: a handler without state of its own.
    unsafe { libc::pthread_atfork(None, None, Some(adopt_unwind)) };
}

#[unsafe(link_section = ".text.interpose")]
unsafe extern "C" fn adopt_unwind() {
    adopt();
}

/// A call that forks, with what the parent does before and after, and the child.
pub(crate) fn around(call: impl FnOnce() -> pid_t) -> pid_t {
    let child = credit();
    let pid = call();
    if pid == 0 {
        adopt();
    } else {
        settle(child, pid);
    }
    pid
}

/// fork(2).
pub fn fork() -> pid_t {
    around(|| next!(fork: fn() -> pid_t)())
}

/// _Fork(3): runs no handlers.
pub fn fork_only() -> pid_t {
    around(|| next!(_Fork: fn() -> pid_t)())
}

/// Of these, CLONE_VM alone makes a process that shares this one's memory and goes on at the same
/// time.
const KINDS: c_int = libc::CLONE_VM | libc::CLONE_VFORK | libc::CLONE_THREAD;

type CloneFn = unsafe extern "C-unwind" fn(*mut c_void) -> c_int;

/// clone(2). A child with memory of its own is a fork; one that shares it is a thread made behind
/// pthread's back. A process takes a slot at its first hook, and is looked at before; a thread of
/// this process without a block of libc's has one from its beginning.
pub fn clone(
    start: CloneFn,
    stack: *mut c_void,
    flags: c_int,
    arg: *mut c_void,
    parent_tid: *mut pid_t,
    new_tls: *mut c_void,
    child_tid: *mut pid_t,
) -> c_int {
    let real = next!(
        clone: fn(
            CloneFn, *mut c_void, c_int, *mut c_void, *mut pid_t, *mut c_void, *mut pid_t
        ) -> c_int
    );
    if flags & (libc::CLONE_NEWUSER | libc::CLONE_NEWPID) != 0 {
        library().keep_session();
    }
    if flags & libc::CLONE_VM != 0 || flags & libc::CLONE_SETTLS != 0 {
        // A process that runs beside this one is looked at like one without the library.
        let child = if flags & KINDS == libc::CLONE_VM { credit() } else { None };
        let thread =
            without_block(flags, new_tls).then(|| Unblocked::new(flags & libc::CLONE_THREAD != 0));
        let (flags, new_tls) = match &thread {
            Some(Unblocked { block, .. }) if !block.is_null() => {
                (flags | libc::CLONE_SETTLS, *block)
            }
            _ => (flags, new_tls),
        };
        let pid = real(start, stack, flags, arg, parent_tid, new_tls, child_tid);
        if let Some(thread) = thread {
            thread.is(pid);
        }
        settle(child, pid);
        return pid;
    }
    let child = credit();
    tls().clone_fn.set(start as usize);
    tls().clone_arg.set(arg as usize);
    let pid = real(start_clone, stack, flags, arg, parent_tid, new_tls, child_tid);
    settle(child, pid);
    pid
}

/// Will the child of such a clone share memory with this thread and run beside it, without a block
/// of libc's?
fn without_block(flags: c_int, block: *mut c_void) -> bool {
    session::engine().is_some()
        && flags & (libc::CLONE_VM | libc::CLONE_VFORK) == libc::CLONE_VM
        && (flags & libc::CLONE_SETTLS == 0 || !own_block::is_one(block))
}

/// A thread that is to get a block.
struct Unblocked {
    /// Null if there can be none.
    block: *mut c_void,
    slot: Option<usize>,
}

impl Unblocked {
    fn new(thread: bool) -> Unblocked {
        let entry = if thread { enter() } else { None };
        let slot = entry.and_then(|entry| {
            let page = entry.engine.page;
            page.claim(Kind::Busy, entry.engine.pid, 0, page.birth_of_child(entry.me))
        });
        Unblocked { block: own_block::copy(slot.map_or(0, |slot| slot as u32 + 1)), slot }
    }

    /// It has this number, or none.
    fn is(self, tid: pid_t) {
        let (Some(slot), Some(engine)) = (self.slot, session::engine()) else { return };
        if tid < 0 {
            engine.page.release(slot);
        } else if !numbers::nested() {
            // Nobody has judged the thread before: this one is busy. In a PID namespace below the
            // launcher's the number is not the launcher's, and the slot is looked at as one of the
            // process.
            engine.page.slots[slot].tid.store(tid as u32, SeqCst);
        }
    }
}

unsafe extern "C-unwind" fn start_clone(_: *mut c_void) -> c_int {
    adopt();
    // SAFETY: stored by `clone` before the copy was made.
    unsafe {
        let start = std::mem::transmute::<usize, CloneFn>(tls().clone_fn.get());
        let code = start(tls().clone_arg.get() as *mut c_void);
        // libc ends this thread now, not the process.
        credentials::thread_ends();
        code
    }
}
