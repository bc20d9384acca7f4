//! The exact look: is a thread asleep in the kernel?
//!
//! `/proc/PID/task/TID/syscall` prints a number, and `stat` says `S`, both between two equal run counts (third field of
//! `schedstat`). Neither file alone is exact: a thread on its way to sleep shows `S` before it has let go of the
//! processor, one that is being switched shows a number. See proc(5).

use crate::proc::{self, Files, Thread};
use crate::{program, report, timers};
use engine::page::Page;
use engine::quiescence::{Found, Look};
use engine::state::State;
use engine::sys;
use engine::{Engine, Kind, Reason};
use nix::sys::resource::{Resource, getrlimit};
use std::collections::{HashMap, HashSet};
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::time::{Duration, Instant};

/// Threads whose files are kept open, three each, if the limit allows so many.
const OPEN: u64 = 2048;
/// Descriptors left for everything else.
const SPARE: u64 = 64;
/// A thread in its last steps that has been asleep for this long is waiting for somebody else, real time.
const LINGERING: Duration = Duration::from_millis(2);
/// Numbers below this one, or below the launcher's, may be those that a process has in a PID namespace of its own.
const LOW: u32 = 1024;

/// Looks through `/proc`.
pub struct ProcLook {
    engine: Engine,
    /// Asleep in the first pass: slot's state, run count.
    seen: HashMap<usize, (State, u64)>,
    /// The same when everybody was first found at rest, and [`Page::words`] then, while that waits for one who peeps.
    rest: HashMap<usize, (State, u64)>,
    words: u32,
    files: HashMap<(u32, u32), Files>,
    open: usize,
    /// Processes that are the launcher's descendants.
    ours: HashSet<u32>,
    /// Programs reported to run without the library.
    told: HashSet<String>,
    /// Threads in their last steps that are asleep: slot's state, run count, since when.
    lingering: HashMap<usize, (State, u64, Instant)>,
    /// Busy threads found asleep by the last patient look.
    stray: HashMap<usize, (State, u64)>,
    patient: bool,
    parked_too: bool,
    signals: u64,
}

impl ProcLook {
    /// A look for `engine`'s session.
    pub fn new(engine: Engine) -> ProcLook {
        let limit = getrlimit(Resource::RLIMIT_NOFILE).map_or(1024, |(now, _)| now);
        ProcLook {
            engine,
            seen: HashMap::new(),
            rest: HashMap::new(),
            words: 0,
            files: HashMap::new(),
            open: OPEN.min(limit.saturating_sub(SPARE) / 3).max(1) as usize,
            ours: HashSet::new(),
            told: HashSet::new(),
            lingering: HashMap::new(),
            stray: HashMap::new(),
            patient: false,
            parked_too: false,
            signals: 0,
        }
    }

    /// A survey begins. After a signal was sent, and when `thorough`, parked threads are looked at too.
    pub fn begin(&mut self, thorough: bool) {
        let h = &self.engine.page.header;
        self.seen.clear();
        self.signals = h.signals_sent.load(SeqCst);
        self.parked_too = thorough || self.signals != h.signals_seen.load(SeqCst);
        if self.parked_too {
            for i in 0..self.engine.page.high() {
                if self.engine.page.slots[i].state.load().kind() == Kind::Parked {
                    self.engine.page.set_busy(i);
                }
            }
        }
    }

    /// Nothing has moved for a while: busy threads may be looked at closer in the next survey.
    pub fn stalled(&mut self, stalled: bool) {
        self.patient = stalled;
        if !stalled {
            self.stray.clear();
        }
    }

    /// May what `/proc` says of number `pid` be believed? Slots hold numbers as their processes see them; in a PID
    /// namespace below ours they name somebody else here, or nobody.
    fn known(&mut self, pid: u32) -> bool {
        if self.ours.contains(&pid) {
            return true;
        }
        let launcher = self.engine.pid;
        match proc::descends(pid, launcher) {
            Ok(true) => self.ours.insert(pid),
            Ok(false) => false,
            Err(e) => proc::gone(&e) && !(pid < launcher.max(LOW) && proc::in_other_namespace(pid, launcher)),
        }
    }

    fn files(&mut self, pid: u32, tid: u32) -> Result<&Files, Thread> {
        let key = (pid, tid);
        if !self.files.contains_key(&key) {
            if !self.known(pid) {
                return Err(Thread::Running);
            }
            if self.files.len() >= self.open {
                self.files.clear();
            }
            let mut opened = Files::open(pid, tid);
            if opened.as_ref().is_err_and(proc::full) {
                self.files.clear();
                opened = Files::open(pid, tid);
            }
            match opened {
                Ok(files) => drop(self.files.insert(key, files)),
                Err(e) => return Err(if proc::gone(&e) { Thread::Gone } else { Thread::Running }),
            }
        }
        self.files.get(&key).ok_or(Thread::Running)
    }

    /// Looks at one thread. `since` is a run count from before: the thread must not have run since, and its system call
    /// need not be read again.
    fn thread(&mut self, pid: u32, tid: u32, since: Option<u64>) -> Thread {
        let found = self.files(pid, tid).map_or_else(|e| e, |f| f.look(since));
        if matches!(found, Thread::Gone | Thread::Zombie) {
            self.files.remove(&(pid, tid));
        }
        found
    }

    /// All threads of a process that have no slot of their own (it is without the shim, or they are libc's own), and its
    /// children that have no slot to speak for them either.
    fn process(&mut self, pid: u32) -> Thread {
        if !self.known(pid) {
            return Thread::Running;
        }
        let mut tasks = proc::tasks(pid);
        if tasks.as_ref().is_err_and(proc::full) {
            self.files.clear();
            tasks = proc::tasks(pid);
        }
        let tasks = match tasks {
            Ok(tasks) => tasks,
            Err(e) => return if proc::gone(&e) { Thread::Gone } else { Thread::Running },
        };
        let slots = &self.engine.page.slots[..self.engine.page.high()];
        let known: HashSet<u32> = slots
            .iter()
            .filter(|s| s.pid.load(SeqCst) == pid)
            .map(|s| s.tid.load(SeqCst))
            .filter(|&tid| tid != 0)
            .collect();
        let (mut runs, mut live) = (0u64, !known.is_empty() && !proc::dead(pid));
        for &tid in tasks.iter().filter(|tid| !known.contains(tid)) {
            match self.thread(pid, tid, None) {
                Thread::Asleep(n) | Thread::Stopped(n) => {
                    runs = runs.wrapping_mul(31).wrapping_add(n.wrapping_add(tid as u64));
                    live = true;
                }
                Thread::Zombie | Thread::Gone => {}
                Thread::Running => return Thread::Running,
            }
        }
        for child in tasks.into_iter().flat_map(|tid| proc::children(pid, tid)) {
            if has_slot(self.engine.page, child) {
                continue;
            }
            match self.process(child) {
                Thread::Asleep(n) | Thread::Stopped(n) => runs = runs.wrapping_mul(31).wrapping_add(n),
                Thread::Zombie | Thread::Gone => {}
                Thread::Running => return Thread::Running,
            }
        }
        if live { Thread::Asleep(runs) } else { Thread::Gone }
    }

    fn look(&mut self, page: &Page, index: usize, seen: State) -> Thread {
        let slot = &page.slots[index];
        let (pid, tid) = (slot.pid.load(SeqCst), slot.tid.load(SeqCst));
        match (pid, tid) {
            (0, _) => self.unplaced(page, slot.link.load(SeqCst)),
            (_, 0) if seen.kind() == Kind::Foreign || self.patient => self.process(pid),
            (_, 0) if proc::dead(pid) => Thread::Gone,
            (_, 0) => Thread::Running,
            _ => self.thread(pid, tid, None),
        }
    }

    /// A credit of process `maker`, whose child is not known by number. When the maker is dead, its child may never have
    /// been made, or it is one of our descendants without a slot; while one of those runs, it may be about to adopt.
    fn unplaced(&mut self, page: &Page, maker: u32) -> Thread {
        if maker == 0 || !self.known(maker) || !proc::dead(maker) {
            return Thread::Running;
        }
        let strangers = proc::descendants(self.engine.pid).into_iter().filter(|&pid| !has_slot(page, pid));
        for pid in strangers.collect::<Vec<_>>() {
            if self.process(pid) == Thread::Running {
                return Thread::Running;
            }
        }
        Thread::Gone
    }

    /// The thread, and perhaps its whole process, is gone: gives back what they held.
    ///
    /// NOTE [Killed]. `announced`: the thread had said that it ends. Otherwise its process is likely to be dying, and its
    /// threads go one by one: were each slot given back as its thread goes, there would be a moment in which nothing of
    /// the process counts any more and the parent still sleeps in waitpid(2). So a dying process counts as running until
    /// it is dead, and then gives back all its slots. If one thread alone has ended, by a system call that no hook saw or
    /// because the others are not marked yet, all parked threads are looked at again.
    fn bury(&mut self, page: &Page, index: usize, seen: State, announced: bool) -> Found {
        let pid = page.slots[index].pid.load(SeqCst);
        if pid == 0 {
            // Nobody's yet, see `unplaced`.
            page.header.signals_sent.fetch_add(1, SeqCst);
            self.release(page, index, seen);
        } else if !self.known(pid) {
            return Found::Running;
        } else if proc::dead(pid) {
            sys::task_lock_fence();
            for i in 0..page.high() {
                let seen = page.slots[i].state.load();
                if page.slots[i].pid.load(SeqCst) == pid && !timers::outlives(&page.slots[i], seen) {
                    self.release(page, i, seen);
                }
            }
            // The parent may have been sent SIGCHLD.
            page.header.signals_sent.fetch_add(1, SeqCst);
            self.ours.remove(&pid);
        } else if announced {
            self.release(page, index, seen);
        } else if proc::dying(pid) {
            return Found::Running;
        } else {
            page.header.signals_sent.fetch_add(1, SeqCst);
            self.release(page, index, seen);
        }
        Found::Changed
    }

    /// Gives a slot back, unless somebody else has done so since its state was `seen`.
    fn release(&mut self, page: &Page, index: usize, seen: State) {
        let slot = &page.slots[index];
        if seen.kind() == Kind::Free {
            return;
        }
        self.lingering.remove(&index);
        let joiner = slot.joiner.load(SeqCst).checked_sub(1).filter(|_| seen.kind() != Kind::Timer);
        if !page.release_seen(index, seen) {
            return;
        }
        if let Some(joiner) = joiner {
            let joiner = joiner as usize;
            self.engine.unpark(joiner, page.slots[joiner].state.load().seq(), Reason::Woken);
        }
    }

    /// A thread that is busy by its word: only looked at when nothing moves. It may have died, been stopped, missed its
    /// delivery, or be asleep in a call that no hook saw.
    fn busy(&mut self, page: &Page, index: usize, seen: State) -> Found {
        if !self.patient {
            return Found::Running;
        }
        match self.look(page, index, seen) {
            Thread::Gone | Thread::Zombie => self.bury(page, index, seen, false),
            Thread::Stopped(runs) => self.asleep(index, seen, runs),
            Thread::Asleep(runs) if self.stray.insert(index, (seen, runs)) == Some((seen, runs)) => {
                if page.slots[index].state.replace(seen, Kind::Foreign) {
                    self.stray.remove(&index);
                    if seen.kind() == Kind::New {
                        self.tell(page.slots[index].pid.load(SeqCst));
                    }
                }
                Found::Changed
            }
            Thread::Asleep(_) => {
                // By now it may be asleep in its next wait, which is nobody's fault.
                if page.slots[index].state.load() == seen {
                    self.engine.deliver_again(index);
                }
                Found::Running
            }
            Thread::Running => Found::Running,
        }
    }

    /// A process that never joined the session is part of it now; says so once for each program.
    fn tell(&mut self, pid: u32) {
        // One that has the library mapped is only late.
        let maps = std::fs::read_to_string(format!("/proc/{pid}/maps")).unwrap_or_default();
        let name = proc::name(pid, 0);
        if !maps.contains("/libflux.so") && self.told.insert(name.clone()) {
            report::verbose(1, || {
                let why = program::why_alone(pid).unwrap_or("it has not loaded libflux.so");
                format!("process {pid} ({name}) runs in real time: {why}")
            });
        }
    }

    /// A thread or process in its last steps: running until it is gone, but what it still writes (stdio's buffers) may
    /// have to wait for a reader.
    fn lingers(&mut self, page: &Page, index: usize, seen: State) -> Found {
        match self.look(page, index, seen) {
            Thread::Stopped(runs) => self.asleep(index, seen, runs),
            Thread::Asleep(runs) => {
                let fresh = (seen, runs, Instant::now());
                let known = self.lingering.entry(index).or_insert(fresh);
                if (known.0, known.1) != (seen, runs) {
                    *known = fresh;
                }
                if known.2.elapsed() < LINGERING {
                    return Found::Running;
                }
                self.asleep(index, seen, runs)
            }
            _ => Found::Running,
        }
    }

    /// Everybody is at rest: have those who peep done so since? They have run, and nobody else has.
    fn peeped(&mut self, page: &Page) -> bool {
        let peeps = |index: &usize| page.slots[*index].peeps();
        if !self.seen.keys().any(peeps) {
            self.rest.clear();
            return true;
        }
        let words = page.words();
        let was = |index| self.rest.get(index);
        let rests = words == self.words
            && self.seen.len() == self.rest.len()
            && self.seen.iter().all(|(index, now)| peeps(index) || was(index) == Some(now));
        if !rests {
            (self.rest, self.words) = (self.seen.clone(), words);
            return false;
        }
        let done = self.seen.iter().all(|(index, now)| !peeps(index) || was(index) != Some(now));
        if done {
            self.rest.clear();
        }
        done
    }

    fn asleep(&mut self, index: usize, seen: State, runs: u64) -> Found {
        self.seen.insert(index, (seen, runs));
        Found::Asleep
    }
}

/// Has the process a slot?
fn has_slot(page: &Page, pid: u32) -> bool {
    page.slots[..page.high()].iter().any(|slot| slot.pid.load(SeqCst) == pid)
}

impl Look for ProcLook {
    fn first(&mut self, page: &Page, index: usize, seen: State) -> Found {
        let slot = &page.slots[index];
        match seen.kind() {
            Kind::Busy | Kind::Prep | Kind::New => self.busy(page, index, seen),
            Kind::Ending => {
                let (pid, tid) = (slot.pid.load(SeqCst), slot.tid.load(SeqCst));
                let over = sys::thread_gone(pid, tid) || (pid == tid && proc::leader_ended(pid));
                if !over {
                    return self.lingers(page, index, seen);
                }
                sys::task_lock_fence();
                self.bury(page, index, seen, true)
            }
            Kind::Leaving if proc::dead(slot.pid.load(SeqCst)) => self.bury(page, index, seen, true),
            Kind::Leaving => self.lingers(page, index, seen),
            _ => match self.look(page, index, seen) {
                Thread::Asleep(runs) | Thread::Stopped(runs) => self.asleep(index, seen, runs),
                Thread::Running => Found::Running,
                Thread::Zombie | Thread::Gone => {
                    // The word may have changed since it was read: then the slot is somebody else's by now.
                    if slot.state.load() == seen { self.bury(page, index, seen, false) } else { Found::Changed }
                }
            },
        }
    }

    fn confirm(&mut self, page: &Page, index: usize, now: State) -> bool {
        let Some(&(then, runs)) = self.seen.get(&index) else { return false };
        if then != now {
            return false;
        }
        let slot = &page.slots[index];
        let (pid, tid) = (slot.pid.load(SeqCst), slot.tid.load(SeqCst));
        let again = if tid == 0 { self.process(pid) } else { self.thread(pid, tid, Some(runs)) };
        matches!(again, Thread::Asleep(n) | Thread::Stopped(n) if n == runs)
    }

    fn parked_too(&self) -> bool {
        self.parked_too
    }

    fn at_rest(&mut self, page: &Page) -> bool {
        if self.parked_too {
            page.header.signals_seen.store(self.signals, Relaxed);
        }
        self.peeped(page)
    }

    fn burnt(&mut self, page: &Page, index: usize) -> Option<u64> {
        let slot = &page.slots[index];
        let (pid, tid) = (slot.pid.load(SeqCst), slot.tid.load(SeqCst));
        self.files(pid, tid).ok()?.burnt().ok()
    }
}
