//! The tracer's loop: what its tracees report, what the session's threads ask for, whose waits have ended.
//!
//! All three make the tracer's word in the region count up (its own SIGCHLD handler does for the first), and it sleeps only
//! while the word is what it was before it looked for all three.
//!
//! A traced thread's slot says *foreign* while it runs, so the exact look tells whether it sleeps. In a call with a time-out
//! the time-out is taken away, and the slot says *kernel* with a deadline; when that has come the thread is interrupted and
//! gets the answer of a time-out. A sleep is a wait for the slot's own word, in which the thread parks like any other.

use super::environ::Variables;
use super::filter::Range;
use super::inject::step;
use super::memory::Memory;
use super::programs::{Kit, SPINNING, meets};
use super::rules::{Do, decide};
use super::stop::{Event, Failed, Go, Stopped, seize};
use super::threads::{Before, Doing, Process, Thread};
use super::waits::{Call, Wait};
use crate::session::real_now;
use crate::{program, report};
use engine::elf::Program;
use engine::page::SLOTS;
use engine::slots::{Credit, Slot};
use engine::tracing::{ASKS, ASKS_FOR_CHILD, GIVES_BACK, GRANTED, NONE, REFUSED, STOPPED, TRACED, Trace};
use engine::{Engine, Kind, Page, Reason, sys};
use libc::{c_long, pid_t, user_regs_struct};
use nix::sys::signal::SigSet;
use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::mem::offset_of;
use std::path::PathBuf;
use std::sync::atomic::AtomicPtr;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::SeqCst;

/// The tracer's word, for the signal handler.
static WORD: AtomicPtr<AtomicU32> = AtomicPtr::new(std::ptr::null_mut());

extern "C" fn child_reports(_: i32) {
    // SAFETY: null, or mapped for the life of the process.
    if let Some(word) = unsafe { WORD.load(SeqCst).as_ref() } {
        word.fetch_add(1, SeqCst);
    }
}

/// The tracer's process, for the region at `path`. Ends with the launcher.
pub fn run(path: OsString) -> Option<()> {
    let page = crate::session::map(&path).ok()?;
    report::configure(None, page.header.verbose.load(SeqCst) as u8);
    let engine = Engine { page, pid: std::process::id(), real_now, process: std::process::id };
    let library = std::env::var_os("FLUX_LIBRARY")?;
    let kit = Kit::new(engine, &path)?;
    WORD.store((&raw const page.header.tracer).cast_mut(), SeqCst);
    // SAFETY: the handler is async-signal-safe.
    unsafe { libc::signal(libc::SIGCHLD, child_reports as *const () as libc::sighandler_t) };
    // The launcher's threads have it blocked.
    SigSet::empty().thread_set_mask().ok()?;
    let mut tracer = Tracer {
        engine,
        kit,
        variables: Variables { session: path, library },
        threads: HashMap::new(),
        processes: HashMap::new(),
        early: HashSet::new(),
        expiring: 0,
    };
    loop {
        let seen = page.header.tracer.load(SeqCst);
        tracer.reports();
        if page.header.tracer_asked.swap(0, SeqCst) != 0 {
            tracer.requests();
        }
        tracer.expire();
        sys::futex_wait(&page.header.tracer, seen, None, false);
    }
}

struct Tracer {
    engine: Engine,
    kit: Kit,
    variables: Variables,
    threads: HashMap<pid_t, Thread>,
    processes: HashMap<pid_t, Process>,
    /// Children that have stopped before their creator has reported them.
    early: HashSet<pid_t>,
    /// Threads whose wait the tracer has to end.
    expiring: usize,
}

impl Tracer {
    fn slot(&self, index: usize) -> &'static Slot {
        &self.engine.page.slots[index]
    }

    /// All that tracees have to report.
    fn reports(&mut self) {
        loop {
            let mut status = 0;
            // SAFETY: a valid out-parameter.
            let tid = unsafe { libc::waitpid(-1, &mut status, libc::__WALL | libc::WNOHANG) };
            if tid <= 0 {
                return;
            }

            if !libc::WIFSTOPPED(status) {
                self.ended(tid);
            } else if self.threads.contains_key(&tid) {
                if let Err(Failed::Request(..)) = self.stopped(tid, Event::of(status)).inspect_err(|e| {
                    if *e != Failed::Died {
                        report::verbose(1, || format!("tracer: {e}"));
                    }
                }) {
                    // It cannot be left stopped for ever.
                    // SAFETY: plain numbers.
                    unsafe { libc::kill(tid, libc::SIGKILL) };
                }
            } else {
                self.early.insert(tid);
            }
        }
    }

    /// A thread has ended, and whoever waits for it has been woken: its slot goes back.
    fn ended(&mut self, tid: pid_t) {
        self.early.remove(&tid);
        let Some(thread) = self.threads.remove(&tid) else { return };
        self.forget(tid, &thread);
        if !self.threads.values().any(|t| t.process == thread.process) {
            self.processes.remove(&thread.process);
        }
    }

    fn forget(&mut self, tid: pid_t, thread: &Thread) {
        if matches!(&thread.doing, Doing::Waits(wait) if !wait.sleep) {
            self.expiring -= 1;
        }
        let Some(index) = thread.slot.filter(|&index| self.slot(index).tracer.load(SeqCst) >= TRACED) else { return };
        self.slot(index).tracer.store(NONE, SeqCst);
        self.engine.page.release(index);
        if tid == thread.process {
            // Its parent may have been sent SIGCHLD.
            self.engine.page.header.signals_sent.fetch_add(1, SeqCst);
        }
        self.engine.kick_keeper();
    }

    fn stopped(&mut self, tid: pid_t, event: Event) -> Result<(), Failed> {
        let stopped = Stopped::reported(tid);
        let Some(thread) = self.threads.get_mut(&tid) else { return Ok(()) };
        thread.running = None;
        if let Some(slot) = thread.slot.map(|index| &self.engine.page.slots[index]) {
            let _ = slot.tracer.compare_exchange(STOPPED, TRACED, SeqCst, SeqCst);
        }
        if matches!(thread.doing, Doing::Leaves) && event != Event::Exec {
            return self.leave(stopped, event);
        }
        match event {
            Event::Seccomp => self.call(stopped),
            Event::SyscallExit => self.call_done(stopped),
            Event::Child => self.child(stopped),
            Event::Exec => self.executed(stopped),
            Event::GroupStop => self.group_stop(stopped),
            Event::Interrupted => self.go(stopped, 0),
            Event::Signal(signal) => self.signal(stopped, signal),
        }
    }

    /// Goes on, to the end of the call it is in if that matters.
    fn go(&mut self, stopped: Stopped, signal: i32) -> Result<(), Failed> {
        let Some(thread) = self.threads.get_mut(&stopped.tid()) else { return Ok(()) };
        let how = match thread.doing {
            Doing::Waits(_) | Doing::Changed(_) => Go::ToSyscallExit,
            _ => Go::On,
        };
        thread.running = Some(stopped.go(how, signal)?);
        Ok(())
    }

    fn leave(&mut self, stopped: Stopped, event: Event) -> Result<(), Failed> {
        let thread = self.threads.remove(&stopped.tid());
        let signal = if let Event::Signal(signal) = event { signal } else { 0 };
        stopped.detach(signal)?;
        if let Some(index) = thread.and_then(|t| t.slot) {
            self.engine.answer(index, GIVES_BACK, NONE);
        }
        Ok(())
    }

    fn group_stop(&mut self, stopped: Stopped) -> Result<(), Failed> {
        let tid = stopped.tid();
        let Some(thread) = self.threads.get_mut(&tid) else { return Ok(()) };
        if let Some(slot) = thread.slot.map(|index| &self.engine.page.slots[index]) {
            slot.key.store(runs(thread.process, tid), SeqCst);
            let _ = slot.tracer.compare_exchange(TRACED, STOPPED, SeqCst, SeqCst);
        }
        thread.running = Some(stopped.go(Go::Listen, 0)?);
        self.engine.kick_keeper();
        Ok(())
    }

    /// A signal is about to be delivered, and has interrupted the wait that the thread was in. If a handler runs the wait is
    /// over; else the kernel starts the call again, and the wait goes on. One that is ignored would not have interrupted
    /// an untraced thread.
    fn signal(&mut self, stopped: Stopped, signal: i32) -> Result<(), Failed> {
        let tid = stopped.tid();
        if let Some(thread) = self.threads.get_mut(&tid)
            && let Some(wait) = thread.again.take()
        {
            let [caught, ignored] = ["SigCgt:", "SigIgn:"].map(|which| in_set(tid, which, signal));
            if caught || !ignored && STOPS.contains(&signal) {
                wait.write_left(&self.engine, Memory(tid), true);
            }
            thread.again = (!caught).then_some(wait);
        }
        self.go(stopped, signal)
    }

    /// Before a call that the filter stops.
    fn call(&mut self, stopped: Stopped) -> Result<(), Failed> {
        let tid = stopped.tid();
        let engine = self.engine;
        let regs = stopped.registers()?;
        let Some(thread) = self.threads.get_mut(&tid) else { return Ok(()) };
        let again = thread.again.take().filter(|wait| wait.is(&regs)).map(|wait| wait.deadline);
        let call = Call { engine: &engine, memory: Memory(tid), regs: &regs, again };
        let done = decide(&call);
        let reads =
            matches!(regs.orig_rax as c_long, libc::SYS_clock_gettime | libc::SYS_gettimeofday | libc::SYS_time);
        if reads && engine.frozen() && matches!(done, Do::Answer(_)) {
            self.clock_read(tid, &regs);
        } else if let Some(process) = self.processes.get_mut(&self.threads[&tid].process) {
            process.reads = 0;
        }
        match done {
            Do::Pass => self.go(stopped, 0),
            Do::Answer(answer) => self.answer(stopped, regs, answer),
            Do::Wait(wait) => match self.threads[&tid].slot {
                Some(me) if wait.sleep => self.sleep(stopped, me, wait),
                Some(me) => self.wait(stopped, me, wait),
                None => self.go(stopped, 0),
            },
            Do::Change(changed, word) => {
                stopped.set_registers(&changed)?;
                self.set_doing(tid, Doing::Changed(Box::new(Before { registers: regs, word })));
                self.go(stopped, 0)
            }
        }
    }

    fn set_doing(&mut self, tid: pid_t, doing: Doing) {
        if let Some(thread) = self.threads.get_mut(&tid) {
            thread.doing = doing;
        }
    }

    /// The call is not made.
    fn answer(&mut self, stopped: Stopped, mut regs: user_regs_struct, answer: i64) -> Result<(), Failed> {
        regs.orig_rax = u64::MAX;
        regs.rax = answer as u64;
        stopped.set_registers(&regs)?;
        self.go(stopped, 0)
    }

    /// A frozen clock is read where no hook counts: here a loop that spins is noticed.
    fn clock_read(&mut self, tid: pid_t, regs: &user_regs_struct) {
        /// Reads between two steps of the clock.
        const STEP: u32 = 1024;
        /// The longest step, as a power of two of ns: a minute.
        const LONGEST: u32 = 36;
        let Some(thread) = self.threads.get_mut(&tid) else { return };
        let Some(process) = self.processes.get_mut(&thread.process) else { return };
        let Some(space) = process.space else { return };
        // Reads through the vDSO stop only when they are many; all others always do.
        let many = !process.filtered.first().is_some_and(|own| own.start <= regs.rip && regs.rip < own.end);
        let switches = switches(tid);
        // The last stop was one.
        let slept = many && switches > std::mem::replace(&mut thread.switches, switches) + 1;
        if slept || process.reads == 0 {
            process.reads = 1;
            let _ = Memory(tid).write(space.counter, &0u32);
            return;
        }
        process.reads = if many { process.reads.max(SPINNING) + STEP } else { process.reads + 1 };
        if many {
            let _ = Memory(tid).write(space.counter, &(SPINNING - STEP));
        }
        let over = process.reads.saturating_sub(SPINNING);
        if over > 0 && (many || over.is_multiple_of(64)) {
            self.engine.creep(thread.slot.unwrap_or(SLOTS), 1 << (10 + over / STEP).min(LONGEST));
        }
    }

    /// A sleep: over already, or the thread parks.
    fn sleep(&mut self, stopped: Stopped, me: usize, wait: Box<Wait>) -> Result<(), Failed> {
        let (engine, slot, tid) = (self.engine, self.slot(me), stopped.tid());
        let regs = wait.before;
        if engine.now() >= wait.deadline {
            return self.answer(stopped, regs, 0);
        }
        slot.what.store(wait.what as u32, SeqCst);
        let seq = slot.state.prepare();
        if engine.begin_park(me, seq, wait.deadline, false).is_err() {
            slot.state.resume(Kind::Foreign);
            return self.answer(stopped, regs, 0);
        }
        engine.arm(wait.deadline, engine.now());
        let space = self.processes.get(&self.threads[&tid].process).and_then(|p| p.space);
        let state = slot.state.load();
        let word = space.map_or(0, |space| space.region) + (offset_of!(Page, slots) + me * size_of::<Slot>()) as u64;
        let parked = if state.kind() == Kind::Parked { state.0 } else { !state.0 };
        let futex = user_regs_struct {
            orig_rax: libc::SYS_futex as u64,
            rdi: word + offset_of!(Slot, state) as u64,
            rsi: libc::FUTEX_WAIT as u64,
            rdx: parked as u64,
            r10: 0,
            ..regs
        };
        stopped.set_registers(&futex)?;
        self.set_doing(tid, Doing::Waits(wait));
        self.go(stopped, 0)
    }

    /// A wait that the kernel ends, or the tracer at its deadline.
    fn wait(&mut self, stopped: Stopped, me: usize, wait: Box<Wait>) -> Result<(), Failed> {
        stopped.set_registers(&wait.during)?;
        self.slot(me).what.store(wait.what as u32, SeqCst);
        self.engine.enter_kernel_stopped(me, wait.deadline);
        self.set_doing(stopped.tid(), Doing::Waits(wait));
        self.expiring += 1;
        self.go(stopped, 0)?;
        self.engine.looked_for(me);
        Ok(())
    }

    /// Interrupts those whose deadline has come.
    fn expire(&mut self) {
        if self.expiring == 0 {
            return;
        }
        for thread in self.threads.values_mut() {
            let (Doing::Waits(wait), Some(me), Some(running)) = (&mut thread.doing, thread.slot, &thread.running)
            else {
                continue;
            };
            let waits = self.engine.page.slots[me].state.load().waits();
            if !wait.sleep && !wait.told && !waits {
                wait.told = true;
                let _ = running.interrupt();
            }
        }
    }

    /// After a call that waited or was changed.
    fn call_done(&mut self, stopped: Stopped) -> Result<(), Failed> {
        let tid = stopped.tid();
        let Some(thread) = self.threads.get_mut(&tid) else { return Ok(()) };
        let slot = thread.slot;
        match std::mem::replace(&mut thread.doing, Doing::Runs) {
            Doing::Waits(wait) => {
                if !wait.sleep {
                    self.expiring -= 1;
                }
                match slot {
                    Some(me) => self.wait_done(stopped, me, wait),
                    None => self.go(stopped, 0),
                }
            }
            Doing::Changed(before) => {
                let mut regs = stopped.registers()?;
                arguments_of(&before.registers, &mut regs);
                if let Some((at, word)) = before.word {
                    let _ = Memory(tid).write(at, &word);
                }
                stopped.set_registers(&regs)?;
                self.go(stopped, 0)
            }
            doing => {
                thread.doing = doing;
                self.go(stopped, 0)
            }
        }
    }

    fn wait_done(&mut self, stopped: Stopped, me: usize, wait: Box<Wait>) -> Result<(), Failed> {
        let (engine, slot, tid) = (self.engine, self.slot(me), stopped.tid());
        let mut regs = stopped.registers()?;
        let answer = regs.rax as i64;
        arguments_of(&wait.before, &mut regs);
        regs.orig_rax = wait.before.orig_rax;
        let seen = slot.state.load();
        if wait.sleep && seen.waits() && slot.state.promise(seen.seq(), Reason::Interrupted).is_some() {
            engine.page.set_busy(me);
        }
        slot.deadline.store(engine::time::NEVER, SeqCst);
        let reason = slot.state.resume(Kind::Foreign);
        let interrupted = (-516..=-512).contains(&answer) || answer == -(libc::EINTR as i64);
        let timed_out = reason == Reason::TimedOut && (wait.sleep || interrupted);
        if timed_out && wait.early(&engine) || wait.sleep && !timed_out && !interrupted {
            // The clock was set back meanwhile, or the word was woken for no reason: once more.
            regs.rax = regs.orig_rax;
            regs.rip -= SYSCALL;
            let absolute = wait.instant.is_some();
            self.threads.entry(tid).and_modify(|thread| thread.again = (!absolute).then_some(wait));
        } else if timed_out {
            regs.rax = wait.timed_out as u64;
            wait.clear_sets(Memory(tid));
            wait.write_left(&engine, Memory(tid), false);
        } else if interrupted && (wait.sleep || answer != -(libc::EINTR as i64)) {
            // ERESTARTNOHAND: EINTR after a handler, else once more.
            regs.rax = -514i64 as u64;
            self.threads.entry(tid).and_modify(|thread| thread.again = Some(wait));
        } else {
            wait.write_left(&engine, Memory(tid), answer == -(libc::EINTR as i64));
        }
        stopped.set_registers(&regs)?;
        self.go(stopped, 0)
    }

    /// A child was made. It is stopped, or will be.
    fn child(&mut self, stopped: Stopped) -> Result<(), Failed> {
        let tid = stopped.tid();
        let child = stopped.message()? as pid_t;
        let Some(creator) = self.threads.get(&tid) else { return Ok(()) };
        let (process, slot) = (creator.process, creator.slot);
        let asked = matches!(creator.doing, Doing::AskedForChild);
        let thread = !asked && PathBuf::from(format!("/proc/{process}/task/{child}")).exists();
        let page = self.engine.page;
        let (childs_slot, doing) = match slot {
            Some(me) if asked => {
                let credit = credit_of(page, me).inspect(|&credit| page.place(credit, child as u32));
                let ours = |&index: &usize| page.slots[index].pid.load(SeqCst) == child as u32;
                (credit.map(Credit::index).filter(ours), Doing::Asked)
            }
            Some(me) => {
                let pid = if thread { process } else { child };
                let claimed = page.claim(Kind::Foreign, pid as u32, child as u32, page.birth_of_child(me));
                (claimed.inspect(|&index| page.slots[index].tracer.store(TRACED, SeqCst)), Doing::Runs)
            }
            None => (None, Doing::Runs),
        };
        let process = if thread { process } else { child };
        if !thread && let Some(parent) = self.processes.get(&creator.process).cloned() {
            self.processes.insert(process, parent);
        }
        self.threads
            .insert(child, Thread { process, slot: childs_slot, doing, again: None, running: None, switches: 0 });
        if self.early.remove(&child) {
            self.go(Stopped::reported(child), 0)?;
        }
        if !asked {
            return self.go(stopped, 0);
        }
        self.threads.remove(&tid);
        stopped.detach(0)?;
        if let Some(me) = slot {
            self.engine.answer(me, GRANTED, NONE);
        }
        Ok(())
    }

    /// A program was executed, perhaps by a thread that was not the leader and is now. The others are gone.
    fn executed(&mut self, stopped: Stopped) -> Result<(), Failed> {
        let tid = stopped.tid();
        let former = stopped.message()? as pid_t;
        let Some(mut thread) = self.threads.remove(&former).or_else(|| self.threads.remove(&tid)) else {
            return Ok(());
        };
        let others: Vec<pid_t> =
            self.threads.iter().filter(|(_, t)| t.process == thread.process).map(|(&tid, _)| tid).collect();
        for other in others {
            if let Some(thread) = self.threads.remove(&other) {
                self.forget(other, &thread);
            }
        }
        (thread.doing, thread.again, thread.process) = (Doing::Runs, None, tid);
        let page = self.engine.page;
        let slot = thread.slot.or_else(|| page.claim(Kind::Foreign, tid as u32, tid as u32, tid as u64));
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
        let stopped = step(stopped, &mut late)?;
        for signal in late {
            // SAFETY: plain numbers.
            unsafe { libc::syscall(libc::SYS_tgkill, tid, tid, signal) };
        }
        let program = program::of_file(&PathBuf::from(format!("/proc/{tid}/exe")));
        let filtered = self.processes.remove(&tid).map_or(vec![], |p| p.filtered);
        if program == Some(Program::OtherLibc) {
            self.variables.set(&stopped, program, 0)?;
        }
        match program {
            Some(Program::Static | Program::OtherLibc) => {
                let (stopped, ready) = self.kit.prepare(stopped, &filtered)?;
                match ready {
                    Some(ready) => {
                        let process = Process { space: Some(ready.space), filtered: ready.filtered, reads: 0 };
                        self.processes.insert(tid, process);
                        self.go(stopped, 0)
                    }
                    None => self.let_go(stopped, slot, program, &filtered),
                }
            }
            _ => self.let_go(stopped, slot, program, &filtered),
        }
    }

    /// The slot becomes the tracer's, for thread `tid` that runs.
    fn take(&mut self, index: usize, tid: pid_t) {
        let slot = self.slot(index);
        slot.tracer.store(TRACED, SeqCst);
        slot.pid.store(tid as u32, SeqCst);
        slot.tid.store(tid as u32, SeqCst);
        slot.state.set(Kind::Foreign);
        self.engine.page.set_busy(index);
    }

    /// A program that needs no tracer, or one that nothing can be done for.
    fn let_go(
        &mut self,
        stopped: Stopped,
        slot: Option<usize>,
        program: Option<Program>,
        filtered: &[Range],
    ) -> Result<(), Failed> {
        let tid = stopped.tid();
        if let Some(index) = slot {
            let slot = self.slot(index);
            slot.tid.store(0, SeqCst);
            slot.state.set(Kind::New);
            self.variables.set(&stopped, program, self.engine.page.as_credit(index).word())?;
        }
        if meets(tid, filtered) {
            // Without a tracer its calls would fail.
            self.processes.insert(tid, Process { space: None, filtered: filtered.to_vec(), reads: 0 });
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
    fn requests(&mut self) {
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

    fn come(&mut self, index: usize, request: u32, tid: pid_t) {
        let pid = self.slot(index).pid.load(SeqCst) as pid_t;
        match seize(tid, true) {
            Ok(running) => {
                let doing = if request == ASKS { Doing::Asked } else { Doing::AskedForChild };
                let running = Some(running);
                let thread = Thread { process: pid, slot: Some(index), doing, again: None, running, switches: 0 };
                self.threads.insert(tid, thread);
                if !self.engine.answer(index, request, GRANTED) {
                    self.give_back(index);
                }
            }
            Err(failed) => {
                if matches!(failed, Failed::Request(.., libc::EPERM))
                    && self.engine.page.header.trace.swap(Trace::None as u32, SeqCst) != Trace::None as u32
                {
                    report::say(&format!("{failed}; statically linked programs run in real time"));
                }
                self.engine.answer(index, request, REFUSED);
            }
        }
    }

    fn give_back(&mut self, index: usize) {
        let asker = |t: &&mut Thread| t.slot == Some(index) && matches!(t.doing, Doing::Asked | Doing::AskedForChild);
        match self.threads.values_mut().find(asker) {
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

/// Length of the instruction.
const SYSCALL: u64 = 2;

/// The registers of a call's arguments are preserved by it.
fn arguments_of(before: &user_regs_struct, regs: &mut user_regs_struct) {
    (regs.rdi, regs.rsi, regs.rdx) = (before.rdi, before.rsi, before.rdx);
    (regs.r10, regs.r8, regs.r9) = (before.r10, before.r8, before.r9);
}

/// The credit that a thread has taken for its next child: while it asks it is in no queue, and names it where queues have
/// their key.
fn credit_of(page: &Page, asker: usize) -> Option<Credit> {
    Credit::from_word(page.slots[asker].key.load(SeqCst))
}

/// Signals that stop a process that does not catch them.
const STOPS: [i32; 4] = [libc::SIGSTOP, libc::SIGTSTP, libc::SIGTTIN, libc::SIGTTOU];

/// Is `signal` in a set of the thread's `status` file?
fn in_set(tid: pid_t, which: &str, signal: i32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{tid}/status")).unwrap_or_default();
    let set = status.lines().find_map(|line| line.strip_prefix(which));
    set.and_then(|set| u64::from_str_radix(set.trim(), 16).ok()).is_some_and(|set| set >> (signal - 1) & 1 != 0)
}

/// How often the thread has given up the processor by itself.
fn switches(tid: pid_t) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{tid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
    line.and_then(|count| count.trim().parse().ok()).unwrap_or(0)
}

/// How often the thread has been put on a processor.
fn runs(pid: pid_t, tid: pid_t) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/task/{tid}/schedstat")).unwrap_or_default();
    text.split_ascii_whitespace().nth(2).and_then(|count| count.parse().ok()).unwrap_or(0)
}
