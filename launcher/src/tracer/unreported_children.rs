//! Children that nobody reports.

use crate::patience::{UNREPORTED, UNREPORTED_LATE};
use crate::session::real_now;
use crate::tracer::calls::of_status;
use crate::tracer::event_loop::Tracer;
use crate::tracer::policy::tracees::{Doing, Thread};
use engine::Kind;
use engine::region::tracer_word::TRACED;
use libc::pid_t;
use std::collections::HashMap;
use std::sync::atomic::Ordering::SeqCst;

impl Tracer {
    /// Takes in children that have stopped so long ago that their creator must have been killed
    /// before it could report them. Real time at which to look again, if there are any. Little is
    /// lost if the report comes after all.
    pub(in crate::tracer) fn adopt(&mut self) -> Option<u64> {
        let now = real_now();
        let until = |tid, since| match since + UNREPORTED.ns() {
            late if late <= now && self.creator_lives(tid) => since + UNREPORTED_LATE.ns(),
            late => late,
        };
        let due: HashMap<_, _> =
            self.early.iter().map(|(&tid, &(_, since))| (tid, until(tid, since))).collect();
        let orphans: Vec<_> = self.early.extract_if(|tid, _| due[tid] <= now).collect();
        for (tid, (event, _)) in orphans {
            let [leader] = of_status(tid, ["Tgid:"]);
            let process = if leader == 0 { tid } else { leader as pid_t };
            let page = self.engine.page;
            let slot = page.claim(Kind::Foreign, process as u32, tid as u32, tid as u64);
            slot.inspect(|&index| page.slots[index].tracer.store(TRACED, SeqCst));
            self.processes.entry(process).or_insert_with(|| self.kit.process(process));
            self.threads.insert(tid, Thread::new(process, slot, Doing::Runs, None));
            self.report(tid, event);
        }
        self.early.keys().filter_map(|tid| due.get(tid)).copied().min()
    }

    /// Is a thread traced of the process that has made the new thread `tid`?
    fn creator_lives(&self, tid: pid_t) -> bool {
        let [leader, parent] = of_status(tid, ["Tgid:", "PPid:"]);
        let creator = if leader == tid as u64 { parent } else { leader };
        self.threads.values().any(|thread| thread.process as u64 == creator)
    }
}
