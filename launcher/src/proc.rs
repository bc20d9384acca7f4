//! What `/proc` says of threads and processes. See proc(5).

use std::cell::Cell;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::time::{Duration, Instant};

/// What the files say of a thread.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Thread {
    /// Asleep in a system call; how often it has been put on a processor.
    Asleep(u64),
    /// Stopped by a signal; likewise.
    Stopped(u64),
    /// Running, on its way to sleep, or nobody can tell.
    Running,
    /// Ended, its number still taken.
    Zombie,
    /// Its number is free.
    Gone,
}

/// Does the error say that the thread or process is not there? Others (no descriptors left, no permission) say nothing.
pub fn gone(e: &io::Error) -> bool {
    matches!(e.raw_os_error(), Some(libc::ENOENT | libc::ESRCH))
}

/// Are there no descriptors left, in this process or on this machine?
pub fn full(e: &io::Error) -> bool {
    matches!(e.raw_os_error(), Some(libc::EMFILE | libc::ENFILE))
}

fn refused(e: &io::Error) -> bool {
    matches!(e.raw_os_error(), Some(libc::EACCES | libc::EPERM))
}

/// A thread's files, kept open.
pub struct Files {
    pid: u32,
    tid: u32,
    /// `None` where the kernel refuses it: a process that is not dumpable, see prctl(2).
    syscall: Option<File>,
    stat: File,
    schedstat: File,
    /// Without `syscall`: the run count last seen, and since when.
    quiet: Cell<Option<(u64, Instant)>>,
}

/// Without its `syscall` file a thread counts as asleep when it has not run for this long.
const QUIET: Duration = Duration::from_millis(2);

impl Files {
    /// Opens them.
    pub fn open(pid: u32, tid: u32) -> io::Result<Files> {
        let open = |name: &str| File::open(format!("/proc/{pid}/task/{tid}/{name}"));
        let syscall = match open("syscall") {
            Ok(file) => Some(file),
            Err(e) if refused(&e) => None,
            Err(e) => return Err(e),
        };
        Ok(Files { pid, tid, syscall, stat: open("stat")?, schedstat: open("schedstat")?, quiet: Cell::new(None) })
    }

    /// The exact look. `since` is a run count from before: the thread must not have run since, and its system call need
    /// not be read again.
    pub fn look(&self, since: Option<u64>) -> Thread {
        self.try_look(since).unwrap_or_else(|e| if gone(&e) { Thread::Gone } else { Thread::Running })
    }

    fn try_look(&self, since: Option<u64>) -> io::Result<Thread> {
        let runs = self.runs()?;
        // "running", or "-1" for a fault: not asleep in a system call; but stopped threads say so too.
        let may_sleep = since.is_some() || self.in_syscall(runs)?;
        Ok(match self.state()? {
            b'D' if self.in_vfork() => self.vfork_child(runs, since),
            b'S' if may_sleep && self.runs()? == runs && since.is_none_or(|n| n == runs) => Thread::Asleep(runs),
            b'T' => Thread::Stopped(runs),
            b'Z' | b'X' => Thread::Zombie,
            _ => Thread::Running,
        })
    }

    fn in_syscall(&self, runs: u64) -> io::Result<bool> {
        let mut text = [0u8; 16];
        match self.syscall.as_ref().map(|file| file.read_at(&mut text, 0)) {
            Some(Ok(n)) => Ok(n > 0 && text[0].is_ascii_digit()),
            Some(Err(e)) if !refused(&e) => Err(e),
            _ => Ok(self.has_been_quiet(runs)),
        }
    }

    /// In vfork(2), clone(2) or clone3(2), whose number stands first in the file?
    fn in_vfork(&self) -> bool {
        let mut text = [0u8; 16];
        let n = self.syscall.as_ref().and_then(|file| file.read_at(&mut text, 0).ok()).unwrap_or(0);
        [&b"58 "[..], b"56 ", b"435 "].iter().any(|number| text[..n].starts_with(number))
    }

    /// Suspended in vfork(2) until the child executes or ends. The child has the parent's memory and speaks through its
    /// slot, so what the word says is what the child does, and the child is the one to look at: the last that this thread
    /// has made. Where there is none the thread is about to go on.
    fn vfork_child(&self, runs: u64, since: Option<u64>) -> Thread {
        let child = children(self.pid, self.tid).pop();
        let found = child.and_then(|child| Some(Files::open(child, child).ok()?.look(None)));
        match found {
            Some(Thread::Asleep(n) | Thread::Stopped(n)) => {
                let both = runs.wrapping_mul(31).wrapping_add(n);
                if since.is_none_or(|before| before == both) { Thread::Asleep(both) } else { Thread::Running }
            }
            _ => Thread::Running,
        }
    }

    fn has_been_quiet(&self, runs: u64) -> bool {
        match self.quiet.get() {
            Some((then, since)) if then == runs => since.elapsed() >= QUIET,
            _ => {
                self.quiet.set(Some((runs, Instant::now())));
                false
            }
        }
    }

    /// The state letter.
    fn state(&self) -> io::Result<u8> {
        let mut text = [0u8; 128];
        let n = self.stat.read_at(&mut text, 0)?;
        let end = text[..n].iter().rposition(|&b| b == b')');
        end.and_then(|end| text[..n].get(end + 2).copied()).ok_or_else(strange)
    }

    /// How often the thread has been put on a processor.
    fn runs(&self) -> io::Result<u64> {
        self.schedstat(2)
    }

    /// How long it has been on one, ns.
    pub fn burnt(&self) -> io::Result<u64> {
        self.schedstat(0)
    }

    fn schedstat(&self, field: usize) -> io::Result<u64> {
        let mut text = [0u8; 96];
        let n = self.schedstat.read_at(&mut text, 0)?;
        let text = std::str::from_utf8(&text[..n]).ok();
        text.and_then(|t| t.split_ascii_whitespace().nth(field)?.parse().ok()).ok_or_else(strange)
    }
}

fn strange() -> io::Error {
    io::Error::from(io::ErrorKind::InvalidData)
}

/// The fields of a `stat` file that matter here.
pub struct Stat {
    state: u8,
    parent: u32,
    flags: u64,
    threads: u64,
    pending: u64,
}

impl Stat {
    /// Of the process, which is its leader's but for the number of threads.
    pub fn of_process(pid: u32) -> io::Result<Stat> {
        Stat::read(&format!("/proc/{pid}/stat"))
    }

    fn of_thread(pid: u32, tid: u32) -> io::Result<Stat> {
        Stat::read(&format!("/proc/{pid}/task/{tid}/stat"))
    }

    fn read(path: &str) -> io::Result<Stat> {
        let text = std::fs::read(path)?;
        Stat::parse(&text).ok_or_else(strange)
    }

    /// The name in parentheses may hold anything, so the fields are counted from its end: the first is number 3.
    fn parse(text: &[u8]) -> Option<Stat> {
        let end = text.iter().rposition(|&b| b == b')')?;
        let fields: Vec<&str> = std::str::from_utf8(text.get(end + 2..)?).ok()?.split_ascii_whitespace().collect();
        let number = |field: usize| fields.get(field - 3)?.parse::<u64>().ok();
        Some(Stat {
            state: *fields.first()?.as_bytes().first()?,
            parent: number(4)? as u32,
            flags: number(9)?,
            threads: number(20)?,
            pending: number(31)?,
        })
    }

    /// A zombie, or just buried.
    pub fn ended(&self) -> bool {
        matches!(self.state, b'Z' | b'X')
    }

    /// Ended, in exit, or about to be killed: whatever ends a process gives all its threads a SIGKILL first.
    fn ends(&self) -> bool {
        const PF_EXITING: u64 = 4;
        self.ended() || self.flags & PF_EXITING != 0 || self.pending & 1 << (libc::SIGKILL - 1) != 0
    }
}

/// Has the whole process ended? A leader shows `Z` after pthread_exit although other threads live.
pub fn dead(pid: u32) -> bool {
    match Stat::of_process(pid) {
        Ok(stat) => stat.ended() && stat.threads <= 1,
        Err(e) => gone(&e),
    }
}

/// Is the leader a zombie, or gone?
pub fn leader_ended(pid: u32) -> bool {
    match Stat::of_process(pid) {
        Ok(stat) => stat.ended(),
        Err(e) => gone(&e),
    }
}

/// Is the whole process about to end? Its leader alone does not tell: it may have ended by itself.
pub fn dying(pid: u32) -> bool {
    if !Stat::of_process(pid).is_ok_and(|leader| leader.ends()) {
        return false;
    }
    let tasks = tasks(pid).unwrap_or_default();
    tasks.into_iter().all(|tid| Stat::of_thread(pid, tid).map_or_else(|e| gone(&e), |thread| thread.ends()))
}

/// The process's threads.
pub fn tasks(pid: u32) -> io::Result<Vec<u32>> {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task"))?;
    Ok(tasks.flatten().filter_map(|t| t.file_name().to_str()?.parse().ok()).collect())
}

/// The living children that a thread has made, in the order of their making.
pub fn children(pid: u32, tid: u32) -> Vec<u32> {
    let list = std::fs::read_to_string(format!("/proc/{pid}/task/{tid}/children")).unwrap_or_default();
    list.split_ascii_whitespace().filter_map(|child| child.parse().ok()).collect()
}

/// Does `pid`'s line of parents lead to `ancestor`? An error if there is no process of that number.
pub fn descends(pid: u32, ancestor: u32) -> io::Result<bool> {
    let mut parent = Stat::of_process(pid)?.parent;
    while parent != ancestor && parent != 0 {
        match Stat::of_process(parent) {
            Ok(stat) => parent = stat.parent,
            Err(_) => return Ok(false),
        }
    }
    Ok(parent == ancestor)
}

/// All living processes below `root`, parents first.
pub fn descendants(root: u32) -> Vec<u32> {
    let mut found = vec![root];
    let mut next = 0;
    while let Some(&pid) = found.get(next) {
        next += 1;
        for tid in tasks(pid).unwrap_or_default() {
            found.extend(children(pid, tid));
        }
    }
    found.retain(|&pid| pid != root && Stat::of_process(pid).is_ok_and(|s| !s.ended()));
    found
}

/// Has a process below `root` the number `pid` in a PID namespace of its own?
pub fn in_other_namespace(pid: u32, root: u32) -> bool {
    descendants(root).into_iter().any(|p| {
        let status = std::fs::read_to_string(format!("/proc/{p}/status")).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("NSpid:")).unwrap_or_default();
        line.split_ascii_whitespace().skip(1).any(|n| n.parse() == Ok(pid))
    })
}

/// The thread's name, or the process's with `tid` 0.
pub fn name(pid: u32, tid: u32) -> String {
    let tid = if tid == 0 { pid } else { tid };
    std::fs::read_to_string(format!("/proc/{pid}/task/{tid}/comm")).unwrap_or_default().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_may_hold_anything() {
        let text = b"7 (a) R 1 (b)) S 5 7 7 0 -1 4 0 0 0 0 0 0 0 0 20 0 3 0 99 0 0 0 0 0 0 0 0 256 0 0 0";
        let stat = Stat::parse(text).expect("enough fields");
        assert_eq!((stat.state, stat.parent, stat.flags, stat.threads, stat.pending), (b'S', 5, 4, 3, 256));
        assert!(stat.ends() && !stat.ended());
    }

    #[test]
    fn the_line_of_parents() {
        let (me, parent) = (std::process::id(), std::os::unix::process::parent_id());
        assert!(descends(me, parent).expect("I am there"));
        assert!(!descends(parent, me).expect("so is my parent"));
        assert!(gone(&descends(u32::MAX >> 1, me).expect_err("no such number")));
    }
}
