//! Tracees that execute a program.

use super::policy::exec_setup::{Found, meets};
use super::policy::process::{Descriptors, Kept, Process};
use super::policy::thread::{Doing, Thread};
use super::policy::timer_table::{ITIMER, Timer};
use super::policy::{privileges, timerfd};
use super::ptrace::failed::Failed;
use super::ptrace::inject::{again, step};
use super::ptrace::maps::Range;
use super::ptrace::wait::Stopped;
use super::state::Tracer;
use crate::program_kind;
use engine::Kind;
use engine::programs::elf::Program;
use engine::region::tracer_word::{NONE, TRACED, Trace};
use libc::pid_t;
use posix::names::FLUX_OUTSIDE;
use posix::time::{Instant, Span};
use posix::timer::Expired;
use std::path::PathBuf;
use std::sync::atomic::Ordering::SeqCst;

impl Tracer {
    /// A thread has executed a program. If no thread is known by its number, it has had another
    /// number till now: it was the only traced thread of its process, and not the leader.
    pub fn renumber(&mut self, stopped: &Stopped) {
        let (tid, Ok(former)) = (stopped.tid(), stopped.message()) else { return };
        let former = former as pid_t;
        if !self.tracees.threads.contains_key(&tid) && self.tracees.threads.contains_key(&former) {
            self.spinners.look_away(&mut self.tracees, former);
            let thread = self.tracees.threads.remove(&former);
            self.tracees.threads.extend(thread.map(|thread| (tid, thread)));
        }
    }

    /// A thread has executed a program. If it was not the leader of its process, it is now; the
    /// other threads are gone.
    pub fn executed(&mut self, stopped: Stopped) -> Result<(), Failed> {
        let tid = stopped.tid();
        let former = stopped.message()? as pid_t;
        for number in [former, tid] {
            self.spinners.look_away(&mut self.tracees, number);
        }
        let threads = &mut self.tracees.threads;
        let Some(mut thread) = threads.remove(&former).or_else(|| threads.remove(&tid)) else {
            return Ok(());
        };
        self.forget_all(tid);
        if let Some(leader) = self.tracees.threads.remove(&tid) {
            self.forget(&leader);
        }
        let doing = std::mem::replace(&mut thread.doing, Doing::Runs);
        (thread.again, thread.process, thread.base, thread.paused) =
            (None, tid, Kind::Foreign, false);
        if self.tracees.processes.get(&tid).is_some_and(|process| process.outside)
            || is_outside(tid)
        {
            return self.goes_outside(stopped, thread);
        }
        let file = PathBuf::from(format!("/proc/{tid}/exe"));
        let program = program_kind::of_file(&file);
        if let Some(process) = self.tracees.processes.get_mut(&tid)
            && process.library
            && !matches!(doing, Doing::Asked)
            && !program.is_some_and(Program::cannot_load)
        {
            // The hook has left a slot and an environment, as for any program with the library.
            (process.vdso, process.reads, thread.slot) = (None, 0, None);
            self.tracees.threads.insert(tid, thread);
            return self.tracees.go(stopped, 0);
        }
        let page = self.engine.page;
        let slot =
            thread.slot.or_else(|| page.claim(Kind::Foreign, tid as u32, tid as u32, tid as u64));
        thread.slot = slot;
        self.tracees.threads.insert(tid, thread);
        if let Some(index) = slot {
            self.take(index, tid);
            for i in (0..page.high()).filter(|&i| i != index) {
                let thread = !matches!(page.slots[i].state.load().kind(), Kind::Free | Kind::Timer);
                if page.slots[i].pid.load(SeqCst) == tid as u32 && thread {
                    page.release(i);
                }
            }
        }
        // Else the first injected call would be taken for the end of this one.
        let mut late = vec![];
        let mut stopped = step(stopped, &mut late)?;
        again(&stopped, late)?;
        let former = self.tracees.processes.remove(&tid).unwrap_or_default();
        let (filtered, mut gated, confined) = (former.filtered, former.gated, former.confined);
        let kept = privileges::inherited(&self.kit, tid, former.kept);
        if !gated && (self.engine.page.trace() == Trace::All || filtered.len() > MANY) {
            (stopped, gated) = self.kit.close_gate(stopped)?;
        }
        let left_by_library = slot.map_or(Expired::NOTHING, |i| Expired {
            first: Instant::from_ns(self.tracees.slot(i).credit().alarm_deadline.swap(0, SeqCst)),
            interval: Span::from_ns(self.tracees.slot(i).credit().alarm_interval.swap(0, SeqCst)),
        });
        let alarm = self.timers.table.get(tid, ITIMER).map(|alarm| alarm.expired);
        let alarm = alarm.filter(|expired| !expired.first.is_never());
        let alarm = alarm.or((!left_by_library.is_nothing()).then_some(left_by_library));
        self.timers.table.forget(tid);
        self.timers.keep_time();
        if program == Some(Program::OtherLibc) {
            stopped = self.variables.set(&self.kit, stopped, program, 0, kept)?;
        }
        match program {
            Some(kind) if kind.cannot_load() => {
                let found = Found {
                    alarm: !left_by_library.is_nothing(),
                    timers: timerfd::keep_open(&self.engine, tid),
                    gated,
                    kept,
                };
                let (stopped, ready) = self.kit.prepare(stopped, &filtered, found)?;
                match ready {
                    Some(ready) => {
                        let process = Process {
                            space: Some(ready.space),
                            filtered: ready.filtered,
                            reads_stop: ready.reads_stop,
                            go: program_kind::is_go(&file),
                            gated,
                            confined,
                            kept: Kept::of(kept),
                            ..Process::default()
                        };
                        self.tracees.processes.insert(tid, process);
                        if let Some(expired) = alarm {
                            self.timers.table.add(tid, Timer::alarm(expired));
                        }
                        self.timers.keep_time();
                        self.tracees.go(stopped, 0)
                    }
                    None => {
                        self.let_go(stopped, slot, program, Former { filtered, gated, kept }, alarm)
                    }
                }
            }
            _ => self.let_go(stopped, slot, program, Former { filtered, gated, kept }, alarm),
        }
    }

    /// The program is outside the session. Whoever has started it gives its slot back.
    fn goes_outside(&mut self, stopped: Stopped, mut thread: Thread) -> Result<(), Failed> {
        let tid = stopped.tid();
        if let Some(index) = thread.slot.take() {
            self.tracees.slot(index).tracer.store(NONE, SeqCst);
        }
        let former = self.tracees.processes.remove(&tid).unwrap_or_default();
        self.timers.table.forget(tid);
        self.timers.keep_time();
        if !former.gated && !meets(tid, &former.filtered) {
            return stopped.detach(0);
        }
        let Process { gated, filtered, .. } = former;
        let process = Process { outside: true, gated, filtered, ..Process::default() };
        self.tracees.processes.insert(tid, process);
        self.tracees.threads.insert(tid, thread);
        self.tracees.go(stopped, 0)
    }

    /// The slot becomes the tracer's, for thread `tid` that runs.
    fn take(&mut self, index: usize, tid: pid_t) {
        let slot = self.tracees.slot(index);
        slot.tracer.store(TRACED, SeqCst);
        slot.pid.store(tid as u32, SeqCst);
        slot.tid.store(tid as u32, SeqCst);
        self.engine.set_own(index, Kind::Foreign);
    }

    /// Lets go a program that needs no tracer, or for which the tracer can do nothing.
    fn let_go(
        &mut self,
        mut stopped: Stopped,
        slot: Option<usize>,
        program: Option<Program>,
        former: Former,
        alarm: Option<Expired>,
    ) -> Result<(), Failed> {
        let tid = stopped.tid();
        if let Some(index) = slot {
            let slot = self.tracees.slot(index);
            slot.tid.store(0, SeqCst);
            self.engine.set_own(index, Kind::New);
            if let Some(Expired { first, interval }) = alarm {
                // As the library leaves it.
                slot.credit().alarm_deadline.store(first.ns(), SeqCst);
                slot.credit().alarm_interval.store(interval.ns(), SeqCst);
            }
            let slot = self.engine.page.as_credit(index).word();
            stopped = self.variables.set(&self.kit, stopped, program, slot, former.kept)?;
        }
        if former.gated || meets(tid, &former.filtered) {
            // Without a tracer its calls would fail.
            let process = Process {
                library: former.gated,
                gated: former.gated,
                filtered: former.filtered,
                ..Process::default()
            };
            self.tracees.processes.insert(tid, process);
            if let Some(index) = slot {
                self.tracees.slot(index).tracer.store(NONE, SeqCst);
            }
            self.tracees.threads.entry(tid).and_modify(|thread| thread.slot = None);
            return self.tracees.go(stopped, 0);
        }
        if let Some(index) = slot {
            self.tracees.slot(index).tracer.store(NONE, SeqCst);
        }
        self.tracees.threads.remove(&tid);
        stopped.detach(0)
    }
}

/// Was the program that process `pid` has just executed started outside the session?
fn is_outside(pid: pid_t) -> bool {
    let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
    environment.split(|&byte| byte == 0).any(|line| FLUX_OUTSIDE.value_in(line).is_some())
}

/// At most so many ranges of former programs' code are filtered: the kernel takes some two hundred
/// filters, and a program may execute itself again and again. The last filter is the one that
/// depends on no address ([`super::policy::exec_setup::Kit::close_gate`]).
const MANY: usize = 32;

/// What a program has from those before it.
struct Former {
    filtered: Vec<Range>,
    gated: bool,
    /// A descriptor of the region.
    kept: Option<Descriptors>,
}
