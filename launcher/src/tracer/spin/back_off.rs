//! Back-offs of tracees that spin: when a thread backs off, for how long, and how that ends.

use super::spinners::{BackOff, Spinners, has_spun};
use crate::session::real_now;
use crate::tracer::policy::tracees::Tracees;
use crate::tracer::ptrace::failed::Failed;
use crate::tracer::ptrace::thread_status::run_count;
use crate::tracer::ptrace::wait::Stopped;
use engine::patience::LONGEST_BACK_OFF;
use engine::region::tracer_word::{BACKS_OFF, TRACED};
use engine::{Kind, Reason, WaitKind};
use libc::pid_t;
use posix::time::NEVER;
use std::sync::atomic::Ordering::SeqCst;

/// A value that the session's words never have: [`engine::region::slot_views::Thread::spin`] of a
/// thread that backs off and counts as running.
const VOID: u32 = 2;

impl Spinners {
    /// The thread of slot `me` spins, and asks once more from here on.
    pub(super) fn next_iteration(
        &mut self,
        tracees: &mut Tracees,
        stopped: Stopped,
        me: usize,
    ) -> Result<(), Failed> {
        let (slot, page, tid) = (tracees.slot(me), tracees.engine.page, stopped.tid());
        slot.thread().what.store(WaitKind::Spin as u32, SeqCst);
        slot.thread().spin.store(1, SeqCst);
        let words = page.words();
        slot.thread().spin.store(words, SeqCst);
        if let Some(spinner) = self.get(tid) {
            spinner.rule.next_iteration();
            spinner.until = spinner.next_look();
            spinner.iteration.begin(tracees, tid, words);
        }
        tracees.go(stopped, 0)
    }

    /// A poll iteration of the thread is over.
    pub(super) fn iteration_over(
        &mut self,
        tracees: &mut Tracees,
        stopped: Stopped,
        me: usize,
    ) -> Result<(), Failed> {
        let (engine, tid) = (tracees.engine, stopped.tid());
        let Some(spinner) = self.get(tid) else { return tracees.go(stopped, 0) };
        let words = spinner.iteration.has_words(tracees);
        let quiet = words && spinner.iteration.is_quiet(tracees, tid);
        let next = engine.next_sleeper(me).filter(|_| words);
        let Some(due) = next else { return self.next_iteration(tracees, stopped, me) };
        if due == NEVER && (spinner.rule.is_repeating() || !engine.frozen()) {
            // By the real clock.
            return self.let_alone(tracees, stopped);
        }
        let now = engine.now();
        let step = spinner.rule.step(engine.frozen()).ns();
        // A thread that is due at this very instant is woken first. A loop that repeats does so
        // until somebody is.
        let until =
            if spinner.rule.is_repeating() { due } else { now.saturating_add(step).min(due) }
                .max(now);
        let slot = tracees.slot(me);
        let Some(thread) = tracees.threads.get(&tid) else { return Ok(()) };
        // The registers have been read, so the thread has let go of the processor, and the count is
        // the last one.
        slot.tracee().run_count.store(run_count(thread.process, tid), SeqCst);
        let _ = slot.tracer.compare_exchange(TRACED, BACKS_OFF, SeqCst, SeqCst);
        spinner.until = real_now() + LONGEST_BACK_OFF.ns();
        let (own, jumps) = (quiet && until < due, engine.page.jumps_for_waits());
        spinner.back_off = Some(BackOff { stopped, own, quiet, jumps });
        if !quiet {
            slot.thread().spin.store(VOID, SeqCst);
        }
        engine.enter_kernel_stopped(me, if quiet { until } else { NEVER });
        if quiet {
            engine.looked_for(me);
        }
        Ok(())
    }

    /// The end of the back-off of thread `tid`, whose slot is `me`.
    pub(super) fn end_back_off(
        &mut self,
        tracees: &mut Tracees,
        tid: pid_t,
        me: usize,
    ) -> Result<(), Failed> {
        let engine = tracees.engine;
        let go = tracees.process_of(tid).is_some_and(|process| process.go);
        let Some(spinner) = self.get(tid) else { return Ok(()) };
        let Some(BackOff { stopped, own, quiet, jumps }) = spinner.back_off.take() else {
            return Ok(());
        };
        let slot = tracees.slot(me);
        // First of all it is not asleep any more: while it was, time must not pass its deadline.
        let _ = slot.tracer.compare_exchange(BACKS_OFF, TRACED, SeqCst, SeqCst);
        slot.deadline.store(NEVER, SeqCst);
        let timed_out = engine.resume(me, Kind::Foreign) == Reason::TimedOut;
        let jumped = engine.page.jumps_for_waits() != jumps;
        if own && timed_out || quiet && spinner.rule.is_repeating() && jumped {
            engine.count_creep();
        }
        if own && timed_out {
            spinner.rule.moved();
        } else if !go && jumped {
            // Something has happened, if only the time of another: it is from there that it asks
            // for nothing. (Of the deadlines in a program in Go some are always its runtime's.)
            spinner.rule.spins(0);
        }
        has_spun(tracees, tid, spinner.rule.iterations());
        self.next_iteration(tracees, stopped, me)
    }
}
