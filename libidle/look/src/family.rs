//! Threads and processes without a slot of their own: libc's own threads, a program without the
//! library and what it starts, a child whose number is not known yet.

use crate::patience::ORPHANED;
use crate::process;
use crate::thread::{Files, Thread};
use crate::{ProcLook, Whose};
use engine::Kind;
use engine::region::layout::Page;
use engine::region::slot::Slot;
use engine::region::state::State;
use std::sync::atomic::Ordering::SeqCst;

impl ProcLook {
    /// Looks at all threads of a process that have no slot of their own (the process is without the
    /// library, or they are libc's threads), and at its children without a slot. Slot `index`
    /// speaks for them all. Its process is the ancestor that is `above` generations up.
    pub(crate) fn process(&mut self, index: usize, pid: u32, above: u32) -> Thread {
        /// Generations of processes without the library that start each other. The survey counts a
        /// deeper one as running.
        const DEEPEST: u32 = 8;
        if above > DEEPEST || !self.known(index, pid) {
            return Thread::Running;
        }
        let now = self.engine.real_now;
        let page = self.engine.page;
        let (mut runs, mut live, mut running) =
            (0u64, joined(page, pid) && !process::dead(pid), false);
        let asked = process::tasks(pid, |tid| {
            // A thread with a slot is looked at for its own sake, and its running does not count
            // here. But a thread that executes a program takes the leader's number. A slot of the
            // former image may still be parked under that number, and nobody looks at a parked
            // slot.
            let looked_at = |slot: usize| {
                tid != pid || above > 0 || page.slots[slot].state.load().kind() != Kind::Parked
            };
            let mut found = if tid == self.me || page.find(pid, tid).is_some_and(looked_at) {
                Thread::Gone
            } else if tid == pid && above == 0 {
                // The leader's files stay open; most processes have no other thread.
                self.thread(index, pid, tid, None)
            } else {
                match self.with_room(|| Files::open(pid, tid, now)) {
                    Ok(mut files) => files.look(None),
                    Err(e) if e.gone() => Thread::Gone,
                    Err(_) => Thread::Running,
                }
            };
            live |= matches!(found, Thread::Asleep(_) | Thread::Stopped(_));
            let mut count = |n: u64| runs = runs.wrapping_mul(31).wrapping_add(n);
            if let Thread::Asleep(n) | Thread::Stopped(n) = found {
                count(n.wrapping_add(tid as u64));
            }
            if found != Thread::Running {
                let _ = process::children(pid, tid, |child| {
                    if !has_slot(page, child) {
                        match self.process(index, child, above + 1) {
                            Thread::Asleep(n) | Thread::Stopped(n) => count(n),
                            Thread::Zombie | Thread::Gone => {}
                            Thread::Running => found = Thread::Running,
                        }
                    }
                    found != Thread::Running
                });
            }
            running = found == Thread::Running;
            !running
        });
        match asked {
            Err(e) if e.gone() => Thread::Gone,
            Err(e) => {
                if e.full() {
                    self.close_files();
                }
                Thread::Running
            }
            Ok(()) if running => Thread::Running,
            Ok(()) if live => Thread::Asleep(runs),
            Ok(()) => Thread::Gone,
        }
    }

    /// Looks at the children without a slot of a thread that waits where no hook sees it: it may
    /// have made them there, too, by clone(2) in line, and such a child has no slot before its own
    /// first hook. `None` if one of them runs, otherwise a number that changes if one runs or ends.
    ///
    /// The list of children takes the kernel's task lock. So the parent of a child that a former
    /// list has shown as a zombie has been woken by now: ask this first, then look at the parent.
    fn unseen_children(&mut self, index: usize, pid: u32, tid: u32) -> Option<u64> {
        let page = self.engine.page;
        let (mut runs, mut rest) = (0u64, true);
        let asked = process::children(pid, tid, |child| {
            if !has_slot(page, child) {
                match self.process(index, child, 1) {
                    Thread::Asleep(n) | Thread::Stopped(n) => {
                        runs = runs.wrapping_mul(31).wrapping_add(n.wrapping_add(child as u64));
                    }
                    Thread::Zombie | Thread::Gone => {}
                    Thread::Running => rest = false,
                }
            }
            rest
        });
        match asked {
            Err(e) if !e.gone() => {
                if e.full() {
                    self.close_files();
                }
                None
            }
            _ => rest.then_some(runs),
        }
    }

    /// Do the children rest that the thread of slot `index` may have made where no hook saw it?
    /// When the survey confirms what it has found, none of them may have run since.
    pub(crate) fn children_rest(&mut self, index: usize, confirms: bool) -> bool {
        let slot = &self.engine.page.slots[index];
        let (pid, tid) = (slot.pid.load(SeqCst), slot.tid.load(SeqCst));
        // A slot that speaks for a process speaks for its children, too. Of a thread that is not
        // known the look says that it runs.
        if pid == 0 || tid == 0 || !self.known(index, pid) {
            return true;
        }
        let now = self.unseen_children(index, pid, tid);
        let before = std::mem::replace(&mut self.note(index).children, now);
        now.is_some() && (!confirms || now == before)
    }

    /// A credit whose child's number is not known. Its maker is dead: perhaps the child was never
    /// made, or it is one of our descendants without a slot. While such a descendant runs, it may
    /// be about to adopt the credit.
    pub(crate) fn unplaced(&mut self, page: &Page, index: usize, seen: State) -> Thread {
        let maker = page.slots[index].credit().maker.load(SeqCst);
        if maker == 0 || !self.known(index, maker) {
            return Thread::Running;
        }
        if !process::dead(maker) {
            if self.patient && process::nested(maker) {
                self.place(page, index, maker);
            }
            return Thread::Running;
        }
        if self.whose == Whose::Slots {
            // The child is an orphan like any other. If it adopts late, it takes another slot.
            return if self.since(index, seen, 0) < ORPHANED.ns() {
                Thread::Running
            } else {
                Thread::Gone
            };
        }
        let root = self.engine.pid;
        let running = process::any_descendant(root, |pid| {
            !has_slot(page, pid) && self.process(index, pid, 1) == Thread::Running
        });
        if running { Thread::Running } else { Thread::Gone }
    }
}

impl ProcLook {
    /// In a PID namespace below the launcher's the maker does not know its child by the number that
    /// the launcher has for it, and a child without the library never says who it is. So the credit
    /// is for a child of the maker's that has no slot. If that is another credit's, it has a slot
    /// all the same, and that is what counts.
    fn place(&self, page: &Page, index: usize, maker: u32) {
        let _ = process::tasks(maker, |tid| {
            let mut found = false;
            let _ = process::children(maker, tid, |child| {
                found = !has_slot(page, child) && !process::dead(child);
                if found {
                    let pid = &page.slots[index].pid;
                    let _ = pid.compare_exchange(0, child, SeqCst, SeqCst);
                }
                !found
            });
            !found
        });
    }
}

/// Does the process have a slot?
fn has_slot(page: &Page, pid: u32) -> bool {
    page.slots[..page.high()].iter().any(|slot| slot.pid.load(SeqCst) == pid)
}

/// Does a thread of the process have a slot?
fn joined(page: &Page, pid: u32) -> bool {
    let one = |slot: &Slot| slot.pid.load(SeqCst) == pid && slot.tid.load(SeqCst) != 0;
    page.slots[..page.high()].iter().any(one)
}
