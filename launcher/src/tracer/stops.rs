//! What tracees report: each stop is sent to where it is dealt with.

use super::children::unless_died;
use super::policy::thread::{Doing, Thread};
use super::ptrace::failed::Failed;
use super::ptrace::stop::Go;
use super::ptrace::thread_status::run_count;
use super::ptrace::wait::{Event, Report, Stopped, next_report};
use super::state::{Next, Tracer};
use crate::report::messages;
use crate::session::real_now;
use engine::region::tracer_word::{GIVES_BACK, NONE, STOPPED, TRACED, owned};
use libc::pid_t;
use std::sync::atomic::Ordering::SeqCst;

impl Tracer {
    /// All that tracees have to report; false if nothing.
    pub fn reports(&mut self) -> bool {
        let mut any = false;
        while let Ok(Some(report)) = next_report(false) {
            any = true;
            match report {
                Report::Ended(tid, _) => self.ended(tid),
                Report::Stopped(stopped, event) => {
                    if event == Event::Exec {
                        self.renumber(&stopped);
                    }
                    if self.tracees.threads.contains_key(&stopped.tid()) {
                        self.stopped(stopped, event);
                    } else {
                        self.early.insert(stopped.tid(), (stopped, event, real_now()));
                    }
                }
            }
        }
        any
    }

    /// Deals with a stop of a thread that is known, and with what follows from it.
    pub fn stopped(&mut self, stopped: Stopped, event: Event) {
        let mut next = Some((stopped, event));
        while let Some((stopped, event)) = next {
            let tid = stopped.tid();
            next = self.stop(stopped, event).unwrap_or_else(|failed| {
                if !failed.died() {
                    messages::verbose(1, || format!("tracer: {failed}"));
                    // It cannot be left stopped for ever.
                    // SAFETY: plain numbers.
                    unsafe { libc::kill(tid, libc::SIGKILL) };
                }
                None
            });
        }
    }

    fn stop(&mut self, stopped: Stopped, event: Event) -> Result<Next, Failed> {
        let tid = stopped.tid();
        let Some(thread) = self.tracees.threads.get_mut(&tid) else { return Ok(None) };
        thread.running = None;
        thread.switches += 1;
        if let Some(slot) = thread.slot.map(|index| &self.engine.page.slots[index]) {
            let _ = slot.tracer.compare_exchange(STOPPED, TRACED, SeqCst, SeqCst);
        }
        let (paused, leaves) =
            (std::mem::take(&mut thread.paused), matches!(thread.doing, Doing::Leaves));
        if paused {
            self.tracees.continued(tid);
        }
        match event {
            _ if leaves && event != Event::Exec => return self.leave(stopped, event),
            Event::Child => return self.child(stopped),
            Event::Seccomp => self.call(stopped)?,
            Event::SyscallExit => self.call_done(stopped)?,
            Event::Exec => self.executed(stopped)?,
            Event::GroupStop => self.group_stop(stopped)?,
            Event::Interrupted => self.spinners.interrupted(&mut self.tracees, stopped)?,
            Event::Signal(signal) => self.signal(stopped, signal)?,
        }
        Ok(None)
    }

    /// Lets go a thread that has been granted to be traced and has changed its mind.
    fn leave(&mut self, stopped: Stopped, event: Event) -> Result<Next, Failed> {
        let thread = self.tracees.threads.remove(&stopped.tid());
        let mut next = None;
        if event == Event::Child {
            // Its child is let go like itself.
            let child = stopped.message()? as pid_t;
            self.tracees.threads.insert(child, Thread::new(child, None, Doing::Leaves, None));
            next = self.early.remove(&child).map(|(stopped, event, _)| (stopped, event));
        }
        let signal = if let Event::Signal(signal) = event { signal } else { 0 };
        let next = unless_died(stopped.detach(signal), next)?;
        if let Some(index) = thread.and_then(|t| t.slot) {
            self.engine.answer(index, GIVES_BACK, NONE);
        }
        Ok(next)
    }

    /// A signal has stopped the process of the thread.
    fn group_stop(&mut self, stopped: Stopped) -> Result<(), Failed> {
        let tid = stopped.tid();
        let Some(thread) = self.tracees.threads.get_mut(&tid) else { return Ok(()) };
        // The slot of one that asks is still the library's.
        let own =
            thread.slot.filter(|&index| owned(self.engine.page.slots[index].tracer.load(SeqCst)));
        if let Some(slot) = own.map(|index| &self.engine.page.slots[index]) {
            // A request waits until the thread has let go of the processor, so the count is the
            // last one.
            stopped.message()?;
            slot.tracee().run_count.store(run_count(thread.process, tid), SeqCst);
            let _ = slot.tracer.compare_exchange(TRACED, STOPPED, SeqCst, SeqCst);
        } else if self.tracees.processes.get(&thread.process).is_some_and(|p| p.library) {
            stopped.message()?;
            thread.paused = true;
            self.tracees.paused(tid);
        }
        let Some(thread) = self.tracees.threads.get_mut(&tid) else { return Ok(()) };
        thread.running = Some(stopped.go(Go::Listen, 0)?);
        self.engine.kick_keeper();
        Ok(())
    }
}
