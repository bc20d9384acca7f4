//! The exact look: is a thread asleep in the kernel?
//!
//! `/proc/PID/task/TID/syscall` prints a number, and `stat` says `S`, both between two equal run counts (third field of
//! `schedstat`). Neither file alone is exact: a thread on its way to sleep shows `S` before it has let go of the
//! processor, one that is being switched shows a number. See proc(5).

use engine::page::Page;
use engine::quiescence::{Found, Look};
use engine::state::State;
use engine::sys;
use engine::{Engine, Kind, Reason};
use std::collections::HashMap;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};

/// Threads whose files are kept open.
const OPEN: usize = 2048;

/// Looks through `/proc`.
pub struct ProcLook {
    engine: Engine,
    /// Asleep in the first pass: slot's state, run count.
    seen: HashMap<usize, (State, u64)>,
    files: HashMap<(u32, u32), Files>,
    /// Busy threads found asleep by the last patient look.
    stray: HashMap<usize, (State, u64)>,
    patient: bool,
    parked_too: bool,
    signals: u64,
}

struct Files {
    syscall: File,
    stat: File,
    schedstat: File,
}

/// What the files say of a thread.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Thread {
    Asleep(u64),
    Stopped(u64),
    Running,
    Zombie,
    Gone,
}

impl ProcLook {
    /// A look for `engine`'s session.
    pub fn new(engine: Engine) -> ProcLook {
        ProcLook {
            engine,
            seen: HashMap::new(),
            files: HashMap::new(),
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

    fn files(&mut self, pid: u32, tid: u32) -> Option<&Files> {
        if self.files.len() >= OPEN {
            self.files.clear();
        }
        match self.files.entry((pid, tid)) {
            std::collections::hash_map::Entry::Occupied(e) => Some(e.into_mut()),
            std::collections::hash_map::Entry::Vacant(e) => {
                let open = |name: &str| File::open(format!("/proc/{pid}/task/{tid}/{name}")).ok();
                let (syscall, stat, schedstat) = (open("syscall")?, open("stat")?, open("schedstat")?);
                Some(e.insert(Files { syscall, stat, schedstat }))
            }
        }
    }

    /// Looks at one thread. `since` is a run count from before: the thread must not have run since, and its system call
    /// need not be read again.
    fn thread(&mut self, pid: u32, tid: u32, since: Option<u64>) -> Thread {
        let found = self.files(pid, tid).map_or(Thread::Gone, |f| f.look(since));
        if matches!(found, Thread::Gone | Thread::Zombie) {
            self.files.remove(&(pid, tid));
        }
        found
    }

    /// All threads of a process without the shim.
    fn process(&mut self, pid: u32) -> Thread {
        let Ok(tasks) = std::fs::read_dir(format!("/proc/{pid}/task")) else { return Thread::Gone };
        let (mut runs, mut live) = (0u64, false);
        for tid in tasks.flatten().filter_map(|t| t.file_name().to_str()?.parse::<u32>().ok()) {
            match self.thread(pid, tid, None) {
                Thread::Asleep(n) | Thread::Stopped(n) => {
                    runs = runs.wrapping_mul(31).wrapping_add(n.wrapping_add(tid as u64));
                    live = true;
                }
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
            (0, _) => Thread::Running,
            (_, 0) if seen.kind() == Kind::Foreign || self.patient => self.process(pid),
            (_, 0) if dead(pid) => Thread::Gone,
            (_, 0) => Thread::Running,
            _ => self.thread(pid, tid, None),
        }
    }

    /// The thread, and perhaps its whole process, is gone: gives back what they held.
    fn bury(&mut self, page: &Page, index: usize) {
        let slot = &page.slots[index];
        let pid = slot.pid.load(SeqCst);
        if pid != 0 && dead(pid) {
            sys::task_lock_fence();
            for i in 0..page.high() {
                if page.slots[i].pid.load(SeqCst) == pid {
                    self.release(page, i);
                }
            }
        } else {
            self.release(page, index);
        }
    }

    fn release(&mut self, page: &Page, index: usize) {
        let slot = &page.slots[index];
        if slot.state.load().kind() == Kind::Free {
            return;
        }
        if let Some(joiner) = slot.joiner.swap(0, SeqCst).checked_sub(1) {
            let joiner = joiner as usize;
            self.engine.unpark(joiner, page.slots[joiner].state.load().seq(), Reason::Woken);
        }
        page.release(index);
    }

    /// A thread that is busy by its word: only looked at when nothing moves. It may have died, been stopped, missed its
    /// delivery, or be asleep in a call that no hook saw.
    fn busy(&mut self, page: &Page, index: usize, seen: State) -> Found {
        if !self.patient {
            return Found::Running;
        }
        match self.look(page, index, seen) {
            Thread::Gone | Thread::Zombie => {
                self.bury(page, index);
                Found::Changed
            }
            Thread::Stopped(runs) => self.asleep(index, seen, runs),
            Thread::Asleep(runs) if self.stray.insert(index, (seen, runs)) == Some((seen, runs)) => {
                if page.slots[index].state.replace(seen, Kind::Foreign) {
                    self.stray.remove(&index);
                }
                Found::Changed
            }
            Thread::Asleep(_) => {
                self.engine.deliver_again(index);
                Found::Running
            }
            Thread::Running => Found::Running,
        }
    }

    fn asleep(&mut self, index: usize, seen: State, runs: u64) -> Found {
        self.seen.insert(index, (seen, runs));
        Found::Asleep
    }
}

impl Look for ProcLook {
    fn first(&mut self, page: &Page, index: usize, seen: State) -> Found {
        let slot = &page.slots[index];
        match seen.kind() {
            Kind::Busy | Kind::Prep | Kind::New => self.busy(page, index, seen),
            Kind::Ending => {
                let (pid, tid) = (slot.pid.load(SeqCst), slot.tid.load(SeqCst));
                let over = sys::thread_gone(pid, tid) || (pid == tid && zombie(pid));
                if !over {
                    return Found::Running;
                }
                sys::task_lock_fence();
                self.bury(page, index);
                Found::Changed
            }
            Kind::Leaving => {
                if !dead(slot.pid.load(SeqCst)) {
                    return match self.look(page, index, seen) {
                        Thread::Stopped(runs) => self.asleep(index, seen, runs),
                        _ => Found::Running,
                    };
                }
                self.bury(page, index);
                Found::Changed
            }
            _ => match self.look(page, index, seen) {
                Thread::Asleep(runs) | Thread::Stopped(runs) => self.asleep(index, seen, runs),
                Thread::Running => Found::Running,
                Thread::Zombie | Thread::Gone => {
                    // The word may have changed since it was read: then the slot is somebody else's by now.
                    if slot.state.load() == seen {
                        self.bury(page, index);
                    }
                    Found::Changed
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

    fn at_rest(&mut self, page: &Page) {
        if self.parked_too {
            page.header.signals_seen.store(self.signals, Relaxed);
        }
    }
}

impl Files {
    fn look(&self, since: Option<u64>) -> Thread {
        let runs = match self.runs() {
            Some(runs) => runs,
            None => return Thread::Gone,
        };
        if since.is_none() {
            let mut text = [0u8; 16];
            match self.syscall.read_at(&mut text, 0) {
                Ok(n) if n > 0 && text[0].is_ascii_digit() => {}
                // "running", or "-1" for a fault: not asleep in a system call; but stopped threads say so too.
                Ok(_) => return if self.state() == Some(b'T') { Thread::Stopped(runs) } else { self.not_asleep() },
                Err(_) => return self.not_asleep(),
            }
        }
        match self.state() {
            Some(b'S') if self.runs() == Some(runs) && since.is_none_or(|n| n == runs) => Thread::Asleep(runs),
            Some(b'T') => Thread::Stopped(runs),
            Some(b'Z' | b'X') => Thread::Zombie,
            None => Thread::Gone,
            _ => Thread::Running,
        }
    }

    fn not_asleep(&self) -> Thread {
        match self.state() {
            None => Thread::Gone,
            Some(b'Z' | b'X') => Thread::Zombie,
            _ => Thread::Running,
        }
    }

    /// The state letter.
    fn state(&self) -> Option<u8> {
        let mut text = [0u8; 128];
        let n = self.stat.read_at(&mut text, 0).ok()?;
        let end = text[..n].iter().rposition(|&b| b == b')')?;
        text[..n].get(end + 2).copied()
    }

    /// How often the thread has been put on a processor.
    fn runs(&self) -> Option<u64> {
        let mut text = [0u8; 96];
        let n = self.schedstat.read_at(&mut text, 0).ok()?;
        std::str::from_utf8(&text[..n]).ok()?.split_ascii_whitespace().nth(2)?.parse().ok()
    }
}

/// State letter and number of threads of process `pid`, from `/proc/PID/stat`.
fn process_stat(pid: u32) -> Option<(u8, u64)> {
    let text = std::fs::read(format!("/proc/{pid}/stat")).ok()?;
    let end = text.iter().rposition(|&b| b == b')')?;
    let mut fields = std::str::from_utf8(&text[end + 2..]).ok()?.split_ascii_whitespace();
    let state = fields.next()?.as_bytes()[0];
    // num_threads is field 20, the state field 3.
    Some((state, fields.nth(16)?.parse().ok()?))
}

/// Has the whole process ended? A leader shows `Z` after pthread_exit although other threads live.
fn dead(pid: u32) -> bool {
    process_stat(pid).is_none_or(|(state, threads)| matches!(state, b'Z' | b'X') && threads <= 1)
}

fn zombie(pid: u32) -> bool {
    process_stat(pid).is_none_or(|(state, _)| matches!(state, b'Z' | b'X'))
}
