//! The exact look at one thread: is it asleep in the kernel?
//!
//! `/proc/PID/task/TID/syscall` prints a number, and `stat` says `S`, both between two equal run
//! counts (third field of `schedstat`). Neither file alone is exact. A thread on its way to sleep
//! shows `S` before it has left the processor. A thread in the middle of a context switch shows a
//! number. See proc(5).
//!
//! NOTE [Still asleep]. A thread that was found asleep has left the processor, and its run count
//! goes up when it gets one again. So while the count is the same, `S` alone says that the thread
//! has neither run nor been woken, if the count is read after it. That is half the work, and most
//! threads are still asleep.

use crate::cgroup;
use crate::patience::QUIET;
use crate::process;
use engine::procfs::{Errno, File, Path, hexadecimal, number, state_letter, words};

/// What the files say of a thread.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Thread {
    /// Asleep in a system call; its run count: how often it has been put on a processor.
    Asleep(u64),
    /// Stopped by a signal, or in a frozen cgroup; its run count.
    Stopped(u64),
    /// Running, on its way to sleep, or unknown.
    Running,
    /// Ended, its number still taken.
    Zombie,
    /// Its number is free.
    Gone,
}

/// Where a thread is that does not run, by its `syscall` file.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// In a system call.
    Call,
    /// In the kernel, and in no call: stopped, frozen, or in a page fault.
    Outside,
    /// The file says "running".
    Unknown,
}

/// A thread's files, kept open.
pub struct Files {
    /// Its process id.
    pub pid: u32,
    /// Its thread id.
    pub tid: u32,
    /// `None` if the kernel refuses it, because the process is not dumpable (prctl(2)).
    syscall: Option<File>,
    stat: File,
    schedstat: File,
    /// The run count when the look last found it asleep in a call, see NOTE [Still asleep].
    slept: Option<u64>,
    /// The look after that found it still asleep: the next will probably, too.
    sleeps_on: bool,
    /// Without the `syscall` file: the run count last seen, and since when.
    quiet: Option<(u64, u64)>,
    now: fn() -> u64,
}

impl Files {
    /// Opens them; `now` reads some clock in ns.
    pub fn open(pid: u32, tid: u32, now: fn() -> u64) -> Result<Files, Errno> {
        let open = |name: &str| File::open(&Path::thread(pid, tid, name));
        let syscall = match open("syscall") {
            Ok(file) => Some(file),
            Err(e) if e.refused() => None,
            Err(e) => return Err(e),
        };
        let (stat, schedstat) = (open("stat")?, open("schedstat")?);
        Ok(Files {
            pid,
            tid,
            syscall,
            stat,
            schedstat,
            slept: None,
            sleeps_on: false,
            quiet: None,
            now,
        })
    }

    /// The exact look. `since` is a run count from before: the thread must not have run since, and
    /// the look need not read its system call again.
    pub fn look(&mut self, since: Option<u64>) -> Thread {
        self.try_look(since)
            .unwrap_or_else(|e| if e.gone() { Thread::Gone } else { Thread::Running })
    }

    /// Is a traced thread in the same stop as when its run count was `runs` in these `bits`?
    pub fn stays_stopped(&self, runs: u64, bits: u64) -> bool {
        self.state().is_ok_and(|state| matches!(state, b't' | b'T'))
            && self.runs().is_ok_and(|n| n & bits == runs & bits)
    }

    fn try_look(&mut self, since: Option<u64>) -> Result<Thread, Errno> {
        if let Some(runs) = since.or(self.slept.filter(|_| self.sleeps_on))
            && self.state()? == b'S'
            && self.runs()? == runs
        {
            return Ok(Thread::Asleep(runs));
        }
        let runs = self.runs()?;
        self.sleeps_on = self.slept == Some(runs);
        // Where it is does not matter of stopped threads.
        let place = match since {
            None if self.sleeps_on => Place::Call,
            _ => self.place(runs)?,
        };
        let may_sleep = since.is_none() && place == Place::Call;
        Ok(match self.state()? {
            b'D' if self.in_vfork() => self.vfork_child(runs, since),
            b'D' if cgroup::is_frozen(self.pid, self.tid) => Thread::Stopped(runs),
            b'S' if may_sleep && self.runs()? == runs => {
                self.slept = self.syscall.is_some().then_some(runs);
                Thread::Asleep(runs)
            }
            // Frozen on its way out of the kernel. (Or it waits for who answers its page faults,
            // see userfaultfd(2).)
            b'S' if place == Place::Outside && self.runs()? == runs => Thread::Stopped(runs),
            b'T' => Thread::Stopped(runs),
            b'Z' | b'X' => Thread::Zombie,
            _ => Thread::Running,
        })
    }

    /// Where the thread with run count `runs` is, if it does not run.
    fn place(&mut self, runs: u64) -> Result<Place, Errno> {
        let mut text = [0u8; 16];
        match self.syscall.as_ref().map(|file| file.read_at_start(&mut text)) {
            Some(Ok(n)) => Ok(match text[..n].first() {
                Some(b'0'..=b'9') => Place::Call,
                Some(b'-') => Place::Outside,
                _ => Place::Unknown,
            }),
            Some(Err(e)) if !e.refused() => Err(e),
            _ if self.has_been_quiet(runs) => Ok(Place::Call),
            _ => Ok(Place::Unknown),
        }
    }

    /// The system call that the thread with run count `runs` sleeps in: its number, six arguments,
    /// stack pointer and program counter. `None` if the thread has run since or is stopped, or if
    /// the kernel refuses the file.
    pub fn call(&self, runs: u64) -> Option<[u64; 9]> {
        let mut text = [0u8; 256];
        let n = self.syscall.as_ref()?.read_at_start(&mut text).ok()?;
        let mut call = [0; 9];
        let mut fields = words(&text[..n]);
        call[0] = fields.next().and_then(number)?;
        for value in &mut call[1..] {
            *value = fields.next().and_then(hexadecimal)?;
        }
        (self.state() == Ok(b'S') && self.runs() == Ok(runs)).then_some(call)
    }

    /// Is the thread in vfork(2), clone(2) or clone3(2)? The number stands first in the file.
    fn in_vfork(&self) -> bool {
        let mut text = [0u8; 16];
        let n =
            self.syscall.as_ref().and_then(|file| file.read_at_start(&mut text).ok()).unwrap_or(0);
        [&b"58 "[..], b"56 ", b"435 "].iter().any(|number| text[..n].starts_with(number))
    }

    /// The thread is suspended in vfork(2) until its child executes a program or ends. The child
    /// has the parent's memory and speaks through the parent's slot, so the state word says what
    /// the child does. The child is the one to look at: the last that this thread has made. If
    /// there is none, the thread is about to go on.
    fn vfork_child(&self, runs: u64, since: Option<u64>) -> Thread {
        let child = self
            .last_child()
            .and_then(|child| Some(Files::open(child, child, self.now).ok()?.look(None)));
        match child {
            Some(Thread::Asleep(n) | Thread::Stopped(n)) => {
                let both = runs.wrapping_mul(31).wrapping_add(n);
                if since.is_none_or(|before| before == both) {
                    Thread::Asleep(both)
                } else {
                    Thread::Running
                }
            }
            _ => Thread::Running,
        }
    }

    fn last_child(&self) -> Option<u32> {
        let mut last = None;
        let _ = process::children(self.pid, self.tid, |child| {
            last = Some(child);
            true
        });
        last
    }

    fn has_been_quiet(&mut self, runs: u64) -> bool {
        let now = (self.now)();
        match self.quiet {
            Some((then, since)) if then == runs => now.saturating_sub(since) >= QUIET.ns(),
            _ => {
                self.quiet = Some((runs, now));
                false
            }
        }
    }

    /// The state letter.
    fn state(&self) -> Result<u8, Errno> {
        let mut text = [0u8; 128];
        let n = self.stat.read_at_start(&mut text)?;
        state_letter(&text[..n]).ok_or(Errno::STRANGE)
    }

    /// The run count: how often the thread has been put on a processor.
    fn runs(&self) -> Result<u64, Errno> {
        self.schedstat(2)
    }

    /// The processor time that the thread has used, ns.
    pub fn burnt(&self) -> Result<u64, Errno> {
        self.schedstat(0)
    }

    fn schedstat(&self, field: usize) -> Result<u64, Errno> {
        let mut text = [0u8; 96];
        let n = self.schedstat.read_at_start(&mut text)?;
        words(&text[..n]).nth(field).and_then(number).ok_or(Errno::STRANGE)
    }
}

/// How often the thread has given up the processor by itself, because it had to wait.
pub fn slept(pid: u32, tid: u32) -> Option<u32> {
    const NAME: &[u8] = b"\nvoluntary_ctxt_switches:";
    let mut text = [0u8; 4096];
    let status = Path::thread(pid, tid, "status").read(&mut text).ok()?;
    let at = status.windows(NAME.len()).position(|name| name == NAME)?;
    words(&status[at + NAME.len()..]).next().and_then(number).map(|count| count as u32)
}
