//! New threads and processes of tracees: those that their creator reports, and those that nobody
//! reports.

use super::policy::thread::{Doing, Thread};
use super::policy::timerfd;
use super::ptrace::failed::Failed;
use super::ptrace::thread_status::numbers;
use super::ptrace::wait::{Event, Stopped, is_tracee};
use super::state::{Next, Tracer};
use crate::patience::{UNREPORTED, UNREPORTED_LATE};
use crate::session::real_now;
use engine::region::tracer_word::{GRANTED, NONE, TRACED};
use engine::schedule::births::Credit;
use engine::{Kind, Page};
use libc::pid_t;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::Ordering::SeqCst;

impl Tracer {
    /// A child was made. It is stopped, or will be.
    pub fn child(&mut self, stopped: Stopped) -> Result<Next, Failed> {
        let tid = stopped.tid();
        let child = stopped.message()? as pid_t;
        self.tracees.affinity.born(tid, child);
        let Some(creator) = self.tracees.threads.get(&tid) else { return Ok(None) };
        let (creator_process, slot) = (creator.process, creator.slot);
        let asked = matches!(creator.doing, Doing::AskedForChild);
        let page = self.engine.page;
        let early = self.early.remove(&child);
        let mut next = None;
        // It may have been adopted already. Or it may have been killed, and collected.
        let is_new =
            !self.tracees.threads.contains_key(&child) && (early.is_some() || is_tracee(child));
        let credit = slot.filter(|_| asked).and_then(|me| credit_of(page, me));
        credit.inspect(|&credit| page.place(credit, child as u32));
        if is_new {
            let thread =
                !asked && PathBuf::from(format!("/proc/{creator_process}/task/{child}")).exists();
            let process = if thread { creator_process } else { child };
            let (childs_slot, doing) = match slot {
                Some(_) if asked => {
                    let ours = |&index: &usize| page.slots[index].pid.load(SeqCst) == child as u32;
                    (credit.map(Credit::index).filter(ours), Doing::Asked)
                }
                Some(me) => {
                    let claimed = page.claim(
                        Kind::Foreign,
                        process as u32,
                        child as u32,
                        page.birth_of_child(me),
                    );
                    (
                        claimed.inspect(|&index| page.slots[index].tracer.store(TRACED, SeqCst)),
                        Doing::Runs,
                    )
                }
                None => (None, Doing::Runs),
            };
            if !thread && let Some(parent) = self.tracees.processes.get(&creator_process).cloned() {
                if !parent.library && !parent.outside {
                    timerfd::share(&self.engine, creator_process);
                }
                self.tracees.processes.insert(process, parent);
            }
            self.tracees.threads.insert(child, Thread::new(process, childs_slot, doing, None));
            next = early.map(|(stopped, event, _)| (stopped, event));
        }
        if !asked {
            return unless_died(self.tracees.go(stopped, 0), next);
        }
        let went = if self.tracees.processes.contains_key(&creator_process) {
            self.asks_no_more(tid);
            self.tracees.go(stopped, 0)
        } else {
            self.tracees.threads.remove(&tid);
            stopped.detach(0)
        };
        let next = unless_died(went, next)?;
        if let Some(me) = slot {
            self.engine.answer(me, GRANTED, NONE);
        }
        Ok(next)
    }

    /// A thread that stays traced, and knows its slot better than the tracer.
    fn asks_no_more(&mut self, tid: pid_t) {
        self.tracees
            .threads
            .entry(tid)
            .and_modify(|thread| (thread.doing, thread.slot) = (Doing::Runs, None));
    }

    /// Takes in children that have stopped so long ago that their creator must have been killed
    /// before it could report them: their stops, which are to be dealt with. And the real time at
    /// which to look again, if there are more. Little is lost if the report comes after all.
    pub fn adopt(&mut self) -> (Vec<(Stopped, Event)>, Option<u64>) {
        if self.early.is_empty() {
            return (vec![], None);
        }
        let now = real_now();
        let until = |tid, since| match since + UNREPORTED.ns() {
            late if late <= now && self.creator_lives(tid) => since + UNREPORTED_LATE.ns(),
            late => late,
        };
        let due: HashMap<_, _> =
            self.early.iter().map(|(&tid, (_, _, since))| (tid, until(tid, *since))).collect();
        let orphans: Vec<_> = self.early.extract_if(|tid, _| due[tid] <= now).collect();
        for &(tid, _) in &orphans {
            let [leader] = numbers(tid, ["Tgid:"]);
            let process = if leader == 0 { tid } else { leader as pid_t };
            let page = self.engine.page;
            let slot = page.claim(Kind::Foreign, process as u32, tid as u32, tid as u64);
            slot.inspect(|&index| page.slots[index].tracer.store(TRACED, SeqCst));
            self.tracees.processes.entry(process).or_insert_with(|| self.kit.process(process));
            self.tracees.threads.insert(tid, Thread::new(process, slot, Doing::Runs, None));
        }
        let orphans = orphans.into_iter().map(|(_, (stopped, event, _))| (stopped, event));
        (orphans.collect(), self.early.keys().filter_map(|tid| due.get(tid)).copied().min())
    }

    /// Is a thread traced of the process that has made the new thread `tid`?
    fn creator_lives(&self, tid: pid_t) -> bool {
        let [leader, parent] = numbers(tid, ["Tgid:", "PPid:"]);
        let creator = if leader == tid as u64 { parent } else { leader };
        self.tracees.threads.values().any(|thread| thread.process as u64 == creator)
    }
}

/// What is to be done next, after a creator was let go on. It may have been killed meanwhile: the
/// stop of its child is dealt with all the same, or the child would be stopped for ever.
pub fn unless_died(went: Result<(), Failed>, next: Next) -> Result<Next, Failed> {
    match went {
        Err(failed) if next.is_none() || !failed.died() => Err(failed),
        _ => Ok(next),
    }
}

/// The credit that a thread has taken for its next child. While the thread asks it is in no queue,
/// and names the credit where queues have their key.
fn credit_of(page: &Page, asker: usize) -> Option<Credit> {
    Credit::from_word(page.slots[asker].asker().child.load(SeqCst))
}
