//! The children that this process has made and not collected yet, and what becomes of their slots.
//!
//! NOTE [Collected]. A dead child's slots are given back by the keeper when it next looks at them,
//! and it does not look beyond a thread that runs. So a parent that makes children one after the
//! other would leave a slot behind for each of them. A parent that has collected a child gives the
//! slot back itself. The birth key tells that the slot is still that child's, and not of a process
//! that got the same number: it is read after the state, and giving back is a compare-and-swap of
//! that state. What this process does not know of is left to the keeper: children of children, a
//! table that is too small, a traced child, a child with more slots than one, and a child that died
//! with the clock's lock, by which the keeper finds that out.

use engine::Engine;
use engine::region::tracer_word::NONE;
use engine::schedule::births::Credit;
use libc::{c_int, pid_t};
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};

/// Children that are remembered, by their number; of two in one place the younger.
const REMEMBERED: usize = 64;

/// A child that was made: its number in the upper half and its slot in the lower half, and its
/// birth key. Two that are written at once may mix: such a child is not found again.
struct Child(AtomicU64, AtomicU64);

#[unsafe(link_section = ".data.interpose")]
static CHILDREN: [Child; REMEMBERED] =
    [const { Child(AtomicU64::new(0), AtomicU64::new(0)) }; REMEMBERED];

/// The number of a child is known now.
#[unsafe(link_section = ".text.interpose")]
pub fn place(engine: &Engine, credit: Credit, pid: u32) {
    let index = credit.index();
    let child = &CHILDREN[pid as usize % REMEMBERED];
    child.1.store(engine.page.slots[index].birth.load(Relaxed), Relaxed);
    child.0.store((pid as u64) << 32 | index as u64, Relaxed);
    engine.page.place(credit, pid);
}

/// Does a status of wait(2) say that the process has ended? Otherwise it is still there.
pub fn ended(status: c_int) -> bool {
    libc::WIFEXITED(status) || libc::WIFSIGNALED(status)
}

/// The calling thread has collected the process with this number: see NOTE [Collected].
#[unsafe(link_section = ".text.interpose")]
pub fn collected(engine: &Engine, pid: pid_t) {
    let (pid, page) = (pid as u32, engine.page);
    let child = &CHILDREN[pid as usize % REMEMBERED];
    let (known, birth) = (child.0.load(Relaxed), child.1.load(Relaxed));
    let (its, index) = ((known >> 32) as u32, known as u32 as usize);
    let slots = &page.slots[..page.high()];
    let Some(slot) = slots.get(index).filter(|_| its == pid) else { return };
    let seen = slot.state.load();
    let holds_lock = || page.header.clock.holder().is_some_and(|token| token.owner() == index);
    let others = || slots.iter().enumerate().any(|(i, s)| i != index && s.pid.load(SeqCst) == pid);
    if slot.birth.load(SeqCst) == birth
        && slot.pid.load(SeqCst) == pid
        && slot.tracer.load(SeqCst) == NONE
        && !holds_lock()
        && !others()
    {
        // Whoever would have joined the thread is dead, too.
        page.release_seen(index, seen);
        // The kernel may have sent this process SIGCHLD.
        page.header.signals_sent.fetch_add(1, SeqCst);
    }
}
