//! How tracees come and go: requests of the session's threads, children, executed programs.

use crate::program_kind;
use crate::report::messages;
use crate::tracer::event_loop::{Tracer, status};
use crate::tracer::policy::exec_setup::{Found, meets};
use crate::tracer::policy::filter::Range;
use crate::tracer::policy::privileges::Kept;
use crate::tracer::policy::timer_calls::ITIMER;
use crate::tracer::policy::timer_table::Timer;
use crate::tracer::policy::tracees::{Doing, Process, Thread};
use crate::tracer::ptrace::inject::{again, step};
use crate::tracer::ptrace::stop::{Failed, Stopped, seize};
use engine::programs::elf::Program;
use engine::region::tracer_word::{
    ASKS, ASKS_FOR_CHILD, GIVES_BACK, GRANTED, NONE, REFUSED, TRACED, Trace,
};
use engine::schedule::births::Credit;
use engine::{Kind, Page};
use libc::pid_t;
use look::process;
use posix::time::NEVER;
use std::path::PathBuf;
use std::sync::atomic::Ordering::SeqCst;

impl Tracer {
    /// A child was made. It is stopped, or will be.
    pub(in crate::tracer) fn child(&mut self, stopped: Stopped) -> Result<(), Failed> {
        let tid = stopped.tid();
        let child = stopped.message()? as pid_t;
        self.together.born(tid, child);
        let Some(creator) = self.threads.get(&tid) else { return Ok(()) };
        let (creator_process, slot) = (creator.process, creator.slot);
        let asked = matches!(creator.doing, Doing::AskedForChild);
        let page = self.engine.page;
        let early = self.early.remove(&child);
        // It may have been adopted. And it may have been killed, and collected.
        let is_new = !self.threads.contains_key(&child) && (early.is_some() || is_tracee(child));
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
            if !thread && let Some(parent) = self.processes.get(&creator_process).cloned() {
                if !parent.library {
                    self.share_timers(creator_process);
                }
                self.processes.insert(process, parent);
            }
            self.threads.insert(child, Thread::new(process, childs_slot, doing, None));
            if let Some((event, _)) = early {
                self.report(child, event);
            }
        }
        if !asked {
            return self.go(stopped, 0);
        }
        if self.processes.contains_key(&creator_process) {
            self.asks_no_more(tid);
            self.go(stopped, 0)?;
        } else {
            self.threads.remove(&tid);
            stopped.detach(0)?;
        }
        if let Some(me) = slot {
            self.engine.answer(me, GRANTED, NONE);
        }
        Ok(())
    }

    /// A thread of process `tid` has executed a program. If nobody is known by that number, it has
    /// had another till now: it was the only one of its process that was traced, and not the
    /// leader.
    pub(in crate::tracer) fn renumber(&mut self, tid: pid_t) {
        let Ok(former) = Stopped::reported(tid).message() else { return };
        if !self.threads.contains_key(&tid)
            && let Some(thread) = self.threads.remove(&(former as pid_t))
        {
            self.threads.insert(tid, thread);
        }
    }

    /// A thread that stays traced, and knows its slot better than the tracer.
    fn asks_no_more(&mut self, tid: pid_t) {
        self.threads
            .entry(tid)
            .and_modify(|thread| (thread.doing, thread.slot) = (Doing::Runs, None));
    }

    /// A program was executed, perhaps by a thread that was not the leader and is now. The others
    /// are gone.
    pub(in crate::tracer) fn executed(&mut self, stopped: Stopped) -> Result<(), Failed> {
        let tid = stopped.tid();
        let former = stopped.message()? as pid_t;
        let Some(mut thread) = self.threads.remove(&former).or_else(|| self.threads.remove(&tid))
        else {
            return Ok(());
        };
        self.forget_all(tid);
        if let Some(leader) = self.threads.remove(&tid) {
            self.forget(&leader);
        }
        self.stop_looking(&mut thread);
        let doing = std::mem::replace(&mut thread.doing, Doing::Runs);
        (thread.again, thread.process, thread.base, thread.paused) =
            (None, tid, Kind::Foreign, false);
        let file = PathBuf::from(format!("/proc/{tid}/exe"));
        let program = program_kind::of_file(&file);
        if let Some(process) = self.processes.get_mut(&tid)
            && process.library
            && !matches!(doing, Doing::Asked)
            && !program.is_some_and(Program::cannot_load)
        {
            // The hook has left a slot and an environment, as for any program with the library.
            (process.vdso, process.reads, thread.slot) = (None, 0, None);
            self.threads.insert(tid, thread);
            return self.go(stopped, 0);
        }
        let page = self.engine.page;
        let slot =
            thread.slot.or_else(|| page.claim(Kind::Foreign, tid as u32, tid as u32, tid as u64));
        thread.slot = slot;
        self.threads.insert(tid, thread);
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
        let former = self.processes.remove(&tid).unwrap_or_default();
        let (filtered, mut gated, confined) = (former.filtered, former.gated, former.confined);
        let kept = self.inherited(tid, former.kept);
        if !gated && (self.engine.page.trace() == Trace::All || filtered.len() > MANY) {
            (stopped, gated) = self.kit.close_gate(stopped)?;
        }
        let left_by_library = slot.map_or((0, 0), |i| {
            (self.slot(i).start.swap(0, SeqCst), self.slot(i).start_arg.swap(0, SeqCst))
        });
        let alarm = self.timers.get(tid, ITIMER).filter(|alarm| alarm.deadline != NEVER);
        let alarm = alarm.map(|alarm| (alarm.deadline, alarm.interval));
        let alarm = alarm.or((left_by_library.0 != 0).then_some(left_by_library));
        self.timers.forget(tid);
        self.keep_time();
        if program == Some(Program::OtherLibc) {
            stopped = self.variables.set(&self.kit, stopped, program, 0, kept)?;
        }
        match program {
            Some(kind) if kind.cannot_load() => {
                let found = Found {
                    alarm: left_by_library.0 != 0,
                    timers: self.keep_timers(tid),
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
                        self.processes.insert(tid, process);
                        if let Some((deadline, interval)) = alarm {
                            self.timers.add(tid, Timer::alarm(deadline, interval));
                        }
                        self.keep_time();
                        self.go(stopped, 0)
                    }
                    None => {
                        self.let_go(stopped, slot, program, Former { filtered, gated, kept }, alarm)
                    }
                }
            }
            _ => self.let_go(stopped, slot, program, Former { filtered, gated, kept }, alarm),
        }
    }

    /// The slot becomes the tracer's, for thread `tid` that runs.
    fn take(&mut self, index: usize, tid: pid_t) {
        let slot = self.slot(index);
        slot.tracer.store(TRACED, SeqCst);
        slot.pid.store(tid as u32, SeqCst);
        slot.tid.store(tid as u32, SeqCst);
        self.engine.set_own(index, Kind::Foreign);
    }

    /// A program that needs no tracer, or one that nothing can be done for.
    fn let_go(
        &mut self,
        mut stopped: Stopped,
        slot: Option<usize>,
        program: Option<Program>,
        former: Former,
        alarm: Option<(u64, u64)>,
    ) -> Result<(), Failed> {
        let tid = stopped.tid();
        if let Some(index) = slot {
            let slot = self.slot(index);
            slot.tid.store(0, SeqCst);
            self.engine.set_own(index, Kind::New);
            if let Some((deadline, interval)) = alarm {
                // As the library leaves it.
                slot.start.store(deadline, SeqCst);
                slot.start_arg.store(interval, SeqCst);
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
            self.processes.insert(tid, process);
            if let Some(index) = slot {
                self.slot(index).tracer.store(NONE, SeqCst);
            }
            self.threads.entry(tid).and_modify(|thread| thread.slot = None);
            return self.go(stopped, 0);
        }
        if let Some(index) = slot {
            self.slot(index).tracer.store(NONE, SeqCst);
        }
        self.threads.remove(&tid);
        stopped.detach(0)
    }

    /// Threads that want to be traced, or not any more.
    pub(in crate::tracer) fn requests(&mut self) {
        let page = self.engine.page;
        for index in 0..page.high() {
            let slot = &page.slots[index];
            let tid = match slot.tid.load(SeqCst) {
                0 => slot.pid.load(SeqCst),
                tid => tid,
            } as pid_t;
            match slot.tracer.load(SeqCst) {
                request @ (ASKS | ASKS_FOR_CHILD) => self.come(index, request, tid),
                GIVES_BACK => self.give_back(index),
                _ => {}
            }
        }
    }

    pub(in crate::tracer) fn come(&mut self, index: usize, request: u32, tid: pid_t) {
        let pid = self.slot(index).pid.load(SeqCst) as pid_t;
        if !self.is_here(index, pid, tid) {
            self.engine.answer(index, request, REFUSED);
            return;
        }
        let doing = if request == ASKS { Doing::Asked } else { Doing::AskedForChild };
        if let Some(thread) = self.threads.get_mut(&tid) {
            // Under `--trace=all` it is traced already.
            (thread.doing, thread.slot) = (doing, Some(index));
            if !self.engine.answer(index, request, GRANTED) {
                self.give_back(index);
            }
            return;
        }
        match seize(tid, true) {
            Ok(running) => {
                self.threads.insert(tid, Thread::new(pid, Some(index), doing, Some(running)));
                if !self.engine.answer(index, request, GRANTED) {
                    self.give_back(index);
                }
            }
            Err(failed) => {
                if matches!(failed, Failed::Request(.., libc::EPERM))
                    && !exception(tid)
                    && self.engine.page.header.trace.swap(Trace::None as u32, SeqCst)
                        != Trace::None as u32
                {
                    messages::say(&format!(
                        "{failed}; statically linked programs run in real time"
                    ));
                }
                self.engine.answer(index, request, REFUSED);
            }
        }
    }

    /// Is it the thread of these numbers that asks by slot `index`? In a PID namespace of its own
    /// it knows itself by those of a stranger here, who must not be touched, or of nobody.
    fn is_here(&self, index: usize, pid: pid_t, tid: pid_t) -> bool {
        let page = self.engine.page;
        let another = |i: usize| {
            let slot = &page.slots[i];
            let thread = !matches!(slot.state.load().kind(), Kind::Free | Kind::Timer);
            let same = slot.pid.load(SeqCst) == pid as u32 && slot.tid.load(SeqCst) == tid as u32;
            // A handler's slot stands beside that of the wait which it has interrupted.
            i != index && thread && same && slot.covered.load(SeqCst) != index as u32 + 1
        };
        process::descends(pid as u32, page.header.launcher.load(SeqCst)) == Ok(true)
            && !(0..page.high()).any(another)
    }

    pub(in crate::tracer) fn give_back(&mut self, index: usize) {
        let asker = |t: &&mut Thread| {
            t.slot == Some(index) && matches!(t.doing, Doing::Asked | Doing::AskedForChild)
        };
        match self.threads.values_mut().find(asker) {
            Some(thread) if self.processes.contains_key(&thread.process) => {
                (thread.doing, thread.slot) = (Doing::Runs, None);
                self.engine.answer(index, GIVES_BACK, NONE);
            }
            Some(thread) => {
                thread.doing = Doing::Leaves;
                if let Some(running) = &thread.running {
                    let _ = running.interrupt();
                }
            }
            None => drop(self.engine.answer(index, GIVES_BACK, NONE)),
        }
    }
}

/// So much code of former programs is filtered, and no filter is made for more: the kernel takes
/// some two hundred, and a program may execute itself again and again. One that depends on no
/// address ([`crate::tracer::policy::exec_setup::Kit::close_gate`]) is the last.
const MANY: usize = 32;

/// What a program has from those before it.
struct Former {
    filtered: Vec<Range>,
    gated: bool,
    /// A descriptor of the region.
    kept: Option<i32>,
}

/// The credit that a thread has taken for its next child: while it asks it is in no queue, and
/// names it where queues have their key.
fn credit_of(page: &Page, asker: usize) -> Option<Credit> {
    Credit::from_word(page.slots[asker].key.load(SeqCst))
}

/// Is the thread traced by this process? No more if it has been killed, and waitpid(2) has told of
/// it.
fn is_tracee(tid: pid_t) -> bool {
    let options = libc::WEXITED | libc::WSTOPPED | libc::WNOHANG | libc::WNOWAIT | libc::__WALL;
    // SAFETY: no status is asked for.
    unsafe { libc::waitid(libc::P_PID, tid as libc::id_t, std::ptr::null_mut(), options) == 0 }
}

/// Is it this thread alone that may not be traced, because it has been killed meanwhile or somebody
/// else traces it?
fn exception(tid: pid_t) -> bool {
    let status = status(tid);
    let field =
        |name| status.lines().find_map(|line| line.strip_prefix(name)).map_or("", str::trim);
    field("State:").starts_with(['Z', 'X']) || field("TracerPid:") != "0"
}
