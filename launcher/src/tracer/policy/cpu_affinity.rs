//! A thread whose calls the tracer answers one after the other shares a processor with the tracer:
//! above all a thread that sleeps, and for which the clock jumps at once.
//!
//! Waking a thread on another processor, which has fallen idle meanwhile, takes longer than all
//! that the tracer does for a call; and the kernel wakes a stopped thread on an idle processor if
//! there is one, wherever the tracer runs. So after a number of answers in a row both are bound to
//! the processor that the tracer is on.
//!
//! Nobody can see the binding. It ends when the tracer lets any thread do anything else, such as
//! the calls that tell or change where a thread may run. A child gets the thread's own set before
//! its first instruction. And the binding ends before the tracer sleeps, a moment after the last
//! stop. If somebody outside has bound the thread elsewhere, it stays there.

use crate::patience::{ATTENTION, TOGETHER};
use crate::session::real_now;
use libc::pid_t;
use nix::sched::{CpuSet, sched_getaffinity, sched_getcpu, sched_setaffinity};
use nix::unistd::Pid;
use std::collections::HashSet;

const TRACER: Pid = Pid::from_raw(0);

/// See the module.
#[derive(Default)]
pub struct CpuAffinity {
    /// Who was answered last.
    thread: pid_t,
    /// How often in a row.
    answers: u32,
    /// When, in real time.
    last: u64,
    bound: Option<Bound>,
    /// Threads that have ever been bound.
    ever_bound: HashSet<pid_t>,
}

/// Where both are, and where each may run otherwise.
struct Bound {
    here: CpuSet,
    tracer: CpuSet,
    thread: CpuSet,
}

impl CpuAffinity {
    /// The stopped thread `tid` has got its answer, and is about to go on.
    pub fn answered(&mut self, tid: pid_t) {
        let now = real_now();
        if tid != self.thread || now - self.last > ATTENTION.ns() {
            self.part();
        }
        (self.thread, self.last) = (tid, now);
        self.answers += 1;
        if self.answers >= TOGETHER && self.bound.is_none() {
            // Where it may not be, the next try is as many answers away.
            self.answers = 0;
            self.bound = bind(tid);
            self.ever_bound.extend(self.bound.is_some().then_some(tid));
        }
    }

    /// Something else happens.
    pub fn part(&mut self) {
        self.answers = 0;
        let Some(bound) = self.bound.take() else { return };
        let _ = sched_setaffinity(TRACER, &bound.tracer);
        let thread = Pid::from_raw(self.thread);
        if sched_getaffinity(thread) == Ok(bound.here) {
            let _ = sched_setaffinity(thread, &bound.thread);
        }
    }

    /// The tracer is about to sleep.
    pub fn rest(&mut self) {
        if self.bound.is_some() {
            self.part();
        }
    }

    /// The stopped thread `creator` has created the stopped thread `child`, which may run where
    /// `creator` may. The child has the set that its creator had in that moment, so that of a
    /// creator which has never been bound is right. (The creator may have been let go since, and
    /// another thread bound: that `creator` is not bound now does not tell.)
    pub fn born(&self, creator: pid_t, child: pid_t) {
        if !self.ever_bound.contains(&creator) {
            return;
        }
        let own = match self.bound.as_ref().filter(|_| creator == self.thread) {
            Some(bound) => Ok(bound.thread),
            None => sched_getaffinity(Pid::from_raw(creator)),
        };
        let child = Pid::from_raw(child);
        if let Ok(own) = own
            && sched_getaffinity(child).is_ok_and(|set| set != own)
        {
            let _ = sched_setaffinity(child, &own);
        }
    }
}

/// Binds the stopped thread `tid` and the tracer to the tracer's processor; `None` if one of them
/// may not run there alone.
fn bind(tid: pid_t) -> Option<Bound> {
    let thread = Pid::from_raw(tid);
    let processor = sched_getcpu().ok()?;
    let mut here = CpuSet::new();
    here.set(processor).ok()?;
    let bound = Bound {
        here,
        tracer: sched_getaffinity(TRACER).ok()?,
        thread: sched_getaffinity(thread).ok()?,
    };
    if bound.thread.is_set(processor) != Ok(true) || sched_setaffinity(thread, &bound.here).is_err()
    {
        return None;
    }
    if sched_setaffinity(TRACER, &bound.here).is_err() {
        let _ = sched_setaffinity(thread, &bound.thread);
        return None;
    }
    Some(bound)
}
