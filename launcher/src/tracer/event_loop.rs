//! The tracer's loop: what its tracees report, what the session's threads ask for, whose waits have
//! ended.
//!
//! All three make the tracer's word in the region count up (its own SIGCHLD handler does for the
//! first), and it sleeps only while the word is what it was before it looked for all three.
//!
//! A traced thread's slot says *foreign* while it runs, so the exact look tells whether it sleeps.
//! In a call with a time-out the time-out is taken away, and the slot says *kernel* with a
//! deadline; when that has come the thread is interrupted and gets the answer of a time-out. A
//! sleep is a wait for the slot's own word, in which the thread parks like any other.

use crate::proc;
use crate::report::messages;
use crate::session::real_now;
use crate::tracer::calls::SYSCALL;
use crate::tracer::policy::cpu_affinity::Together;
use crate::tracer::policy::environment::Variables;
use crate::tracer::policy::exec_setup::Kit;
use crate::tracer::policy::sockets::Hurried;
use crate::tracer::policy::timer_table::Timers;
use crate::tracer::policy::tracees::{Doing, Process, Thread};
use crate::tracer::ptrace::memory::Memory;
use crate::tracer::ptrace::stop::{Event, Failed, Go, Stopped};
use crate::tracer::tracer_sleep::Attention;
use engine::Engine;
use engine::region::slot::Slot;
use engine::region::tracer_word::{GIVES_BACK, NONE, STOPPED, TRACED, owned};
use engine::sys::GATE;
use libc::pid_t;
use posix::names::FLUX;
use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
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
    messages::configure(None, page.header.verbose.load(SeqCst) as u8);
    let engine = Engine { page, pid: std::process::id(), real_now, process: std::process::id };
    let library = std::env::var_os(FLUX.library.text())?;
    let kit = Kit::new(engine, &path)?;
    WORD.store((&raw const page.header.tracer).cast_mut(), SeqCst);
    // SAFETY: the handler is async-signal-safe.
    unsafe { libc::signal(libc::SIGCHLD, child_reports as *const () as libc::sighandler_t) };
    let mut attention = Attention::new().ok()?;
    let mut tracer = Tracer {
        engine,
        kit,
        variables: Variables { session: path, library },
        threads: HashMap::new(),
        processes: HashMap::new(),
        early: HashMap::new(),
        asking: vec![],
        expiring: 0,
        woken: HashSet::new(),
        keeps: None,
        timers: Timers::default(),
        shift: 0,
        together: Together::default(),
        hurried: Hurried::default(),
    };
    loop {
        let word = &page.header.tracer;
        let seen = word.load(SeqCst);
        let mut reported = tracer.reports();
        while attention.expects(reported) && word.load(SeqCst) == seen {
            reported = tracer.reports();
        }
        if page.header.tracer_asked.swap(0, SeqCst) != 0 {
            tracer.requests();
        }
        tracer.expire();
        tracer.keep_time();
        let until = [tracer.oversee(), tracer.adopt()].into_iter().flatten().min();
        if word.load(SeqCst) == seen {
            tracer.together.rest();
        }
        attention.sleep(word, seen, until);
    }
}

/// The tracer.
pub struct Tracer {
    pub(in crate::tracer) engine: Engine,
    pub(in crate::tracer) kit: Kit,
    pub(in crate::tracer) variables: Variables,
    pub(in crate::tracer) threads: HashMap<pid_t, Thread>,
    pub(in crate::tracer) processes: HashMap<pid_t, Process>,
    /// Children that have stopped before their creator has reported them: how, and when in real
    /// time.
    pub(in crate::tracer) early: HashMap<pid_t, (Event, u64)>,
    /// Threads that burn the processor, and what they do is looked at.
    pub(in crate::tracer) asking: Vec<pid_t>,
    /// Threads whose wait the tracer has to end.
    pub(in crate::tracer) expiring: usize,
    /// Threads whose time has come, and who may not have come to rest since.
    pub(in crate::tracer) woken: HashSet<pid_t>,
    /// The slot that is parked until the earliest deadline of a timer.
    pub(in crate::tracer) keeps: Option<usize>,
    /// Timers that end in signals.
    pub(in crate::tracer) timers: Timers,
    /// What clock_settime(2) had done when the deadlines of timers were last right.
    pub(in crate::tracer) shift: i64,
    pub(in crate::tracer) together: Together,
    pub(in crate::tracer) hurried: Hurried,
}

impl Tracer {
    pub(in crate::tracer) fn slot(&self, index: usize) -> &'static Slot {
        &self.engine.page.slots[index]
    }

    /// All that tracees have to report; false if nothing.
    fn reports(&mut self) -> bool {
        let mut any = false;
        loop {
            let mut status = 0;
            // SAFETY: a valid out-parameter.
            let tid = unsafe { libc::waitpid(-1, &mut status, libc::__WALL | libc::WNOHANG) };
            if tid <= 0 {
                return any;
            }
            any = true;
            if !libc::WIFSTOPPED(status) {
                self.ended(tid);
                continue;
            }
            let event = Event::of(status);
            if event == Event::Exec {
                self.renumber(tid);
            }
            if self.threads.contains_key(&tid) {
                self.report(tid, event);
            } else {
                self.early.insert(tid, (event, real_now()));
            }
        }
    }

    /// Deals with a stop of a thread that is known.
    pub(in crate::tracer) fn report(&mut self, tid: pid_t, event: Event) {
        if let Err(failed @ Failed::Request(..)) = self.stopped(tid, event) {
            messages::verbose(1, || format!("tracer: {failed}"));
            // It cannot be left stopped for ever.
            // SAFETY: plain numbers.
            unsafe { libc::kill(tid, libc::SIGKILL) };
        }
    }

    fn stopped(&mut self, tid: pid_t, event: Event) -> Result<(), Failed> {
        let stopped = Stopped::reported(tid);
        let Some(thread) = self.threads.get_mut(&tid) else { return Ok(()) };
        thread.running = None;
        thread.switches += 1;
        if let Some(slot) = thread.slot.map(|index| &self.engine.page.slots[index]) {
            let _ = slot.tracer.compare_exchange(STOPPED, TRACED, SeqCst, SeqCst);
        }
        let (paused, leaves) =
            (std::mem::take(&mut thread.paused), matches!(thread.doing, Doing::Leaves));
        if paused {
            self.continued(tid);
        }
        if leaves && event != Event::Exec {
            return self.leave(stopped, event);
        }
        match event {
            Event::Seccomp => self.call(stopped),
            Event::SyscallExit => self.call_done(stopped),
            Event::Child => self.child(stopped),
            Event::Exec => self.executed(stopped),
            Event::GroupStop => self.group_stop(stopped),
            Event::Interrupted => self.found(stopped),
            Event::Signal(signal) => self.signal(stopped, signal),
        }
    }

    /// Goes on, to the end of the call it is in if that matters.
    pub(in crate::tracer) fn go(&mut self, stopped: Stopped, signal: i32) -> Result<(), Failed> {
        self.together.part();
        self.goes(stopped, signal)
    }

    /// The same for a thread whose call has been answered.
    pub(in crate::tracer) fn goes(&mut self, stopped: Stopped, signal: i32) -> Result<(), Failed> {
        let Some(thread) = self.threads.get_mut(&stopped.tid()) else { return Ok(()) };
        let how = match thread.doing {
            Doing::Waits(_) | Doing::Changed(_) | Doing::Then(_) => Go::ToSyscallExit,
            Doing::Runs if thread.asks.is_some() => Go::ToSyscallExit,
            _ => Go::On,
        };
        thread.running = Some(stopped.go(how, signal)?);
        Ok(())
    }

    fn leave(&mut self, stopped: Stopped, event: Event) -> Result<(), Failed> {
        let thread = self.threads.remove(&stopped.tid());
        if event == Event::Child {
            // Its child is let go like itself.
            let child = stopped.message()? as pid_t;
            self.threads.insert(child, Thread::new(child, None, Doing::Leaves, None));
            if let Some((event, _)) = self.early.remove(&child) {
                self.report(child, event);
            }
        }
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
        // The slot of one that asks is still the library's.
        let own =
            thread.slot.filter(|&index| owned(self.engine.page.slots[index].tracer.load(SeqCst)));
        if let Some(slot) = own.map(|index| &self.engine.page.slots[index]) {
            // A request waits until the thread has let go of the processor, so the count is the
            // last one.
            stopped.message()?;
            slot.key.store(runs(thread.process, tid), SeqCst);
            let _ = slot.tracer.compare_exchange(TRACED, STOPPED, SeqCst, SeqCst);
        } else if self.processes.get(&thread.process).is_some_and(|process| process.library) {
            stopped.message()?;
            thread.paused = true;
            self.paused(tid);
        }
        let Some(thread) = self.threads.get_mut(&tid) else { return Ok(()) };
        thread.running = Some(stopped.go(Go::Listen, 0)?);
        self.engine.kick_keeper();
        Ok(())
    }

    /// A signal is about to be delivered, and may have interrupted a wait. If a handler runs the
    /// wait is over; else the kernel starts most calls again, and the wait goes on.
    ///
    /// One that is ignored would not have interrupted an untraced thread, and the calls that it has
    /// made fail (epoll_wait(2) does) are started again here.
    fn signal(&mut self, stopped: Stopped, signal: i32) -> Result<(), Failed> {
        let tid = stopped.tid();
        if self.has_timers(tid) {
            let mut info = stopped.signal_info()?;
            if self.taken(tid, &mut info) {
                stopped.set_signal_info(&info)?;
            }
        }
        let mut regs = stopped.registers()?;
        if regs.r9 >> 32 == GATE as u64 {
            // No handler is to find the gate open. If the call is made again it stops, as one that
            // a hook makes.
            regs.r9 = regs.r9 as u32 as u64;
            stopped.set_registers(&regs)?;
        }
        let failed = regs.orig_rax as i64 >= 0 && regs.rax as i64 == -(libc::EINTR as i64);
        let again = self.threads.get_mut(&tid).and_then(|thread| thread.again.take());
        if failed || again.is_some() {
            let [caught, ignored] = ["SigCgt:", "SigIgn:"].map(|which| in_set(tid, which, signal));
            let harmless = ignored || !caught && HARMLESS.contains(&signal);
            match again {
                Some(wait)
                    if !harmless && wait.ends_between(&self.engine, Memory(tid), &mut regs) =>
                {
                    stopped.set_registers(&regs)?;
                }
                Some(wait) => {
                    if caught || !harmless && STOPS.contains(&signal) {
                        wait.write_left(&self.engine, Memory(tid), true);
                    }
                    if !caught && (harmless || !failed) {
                        self.threads.entry(tid).and_modify(|thread| thread.again = Some(wait));
                    }
                }
                None => {}
            }
            // Another may be about to run a handler, and then it has failed.
            if failed && harmless && deliverable(tid) == 0 {
                (regs.rax, regs.rip) = (regs.orig_rax, regs.rip - SYSCALL);
                stopped.set_registers(&regs)?;
            }
        }
        self.go(stopped, signal)
    }
}

/// Signals that stop a process that does not catch them.
const STOPS: [i32; 4] = [libc::SIGSTOP, libc::SIGTSTP, libc::SIGTTIN, libc::SIGTTOU];

/// Signals that do nothing to a process that does not catch them. (SIGCONT belongs to a stop, which
/// is no harmless one.)
const HARMLESS: [i32; 3] = [libc::SIGCHLD, libc::SIGURG, libc::SIGWINCH];

/// Is `signal` in a set of the thread's `status` file?
pub(in crate::tracer) fn in_set(tid: pid_t, which: &str, signal: i32) -> bool {
    set(&status(tid), which) >> (signal - 1) & 1 != 0
}

/// Is the thread not asleep?
pub(in crate::tracer) fn runs_now(tid: pid_t) -> bool {
    let status = status(tid);
    let state = status.lines().find_map(|line| line.strip_prefix("State:"));
    state.is_some_and(|state| !state.trim_start().starts_with(['S', 'T', 'Z', 'X']))
}

/// The signals that are pending for the thread or its process.
pub(in crate::tracer) fn pending(tid: pid_t) -> u64 {
    let status = status(tid);
    set(&status, "SigPnd:") | set(&status, "ShdPnd:")
}

/// Those of them that it does not block.
pub(in crate::tracer) fn deliverable(tid: pid_t) -> u64 {
    let status = status(tid);
    (set(&status, "SigPnd:") | set(&status, "ShdPnd:")) & !set(&status, "SigBlk:")
}

/// What the thread's `status` file says. See proc(5).
pub(in crate::tracer) fn status(tid: pid_t) -> String {
    proc::text(&format!("/proc/{tid}/status"))
}

fn set(status: &str, which: &str) -> u64 {
    let set = status.lines().find_map(|line| line.strip_prefix(which));
    set.and_then(|set| u64::from_str_radix(set.trim(), 16).ok()).unwrap_or(0)
}

/// How often the thread has been put on a processor.
pub(in crate::tracer) fn runs(pid: pid_t, tid: pid_t) -> u64 {
    let text = proc::text(&format!("/proc/{pid}/task/{tid}/schedstat"));
    text.split_ascii_whitespace().nth(2).and_then(|count| count.parse().ok()).unwrap_or(0)
}
