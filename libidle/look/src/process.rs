//! What `/proc` says of processes. See proc(5).

use engine::procfs::{Errno, File, Path, number, state_letter, words};

/// Processor time that the threads of process `pid` have used, and the children that it has
/// collected, ns. `None` if the process is gone.
pub fn used(pid: u32) -> Option<u64> {
    /// A tick of the kernel's `USER_HZ`, ns.
    const TICK: u64 = 10_000_000;
    let mut text = [0u8; 1024];
    let stat = Path::process(pid, "stat").read(&mut text).ok()?;
    let end = stat.iter().rposition(|&b| b == b')')?;
    // utime, stime, cutime and cstime are the fields 14 to 17; number 3 is the first one here.
    let fields = words(stat.get(end + 2..)?).skip(11).take(4);
    Some(fields.filter_map(number).sum::<u64>().saturating_mul(TICK))
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
    /// Of a process: its leader's fields, and the number of threads. From the thread's file,
    /// because for the process's file the kernel would sum up what all threads have used.
    pub fn of_process(pid: u32) -> Result<Stat, Errno> {
        Stat::of_thread(pid, pid)
    }

    fn of_thread(pid: u32, tid: u32) -> Result<Stat, Errno> {
        Stat::read(Path::thread(pid, tid, "stat"))
    }

    fn read(path: Path) -> Result<Stat, Errno> {
        let mut text = [0u8; 1024];
        Stat::parse(path.read(&mut text)?).ok_or(Errno::STRANGE)
    }

    /// The name in parentheses may hold anything, so the fields are counted from its end. The first
    /// one after it is number 3.
    fn parse(text: &[u8]) -> Option<Stat> {
        let end = text.iter().rposition(|&b| b == b')')?;
        let mut stat =
            Stat { state: state_letter(text)?, parent: 0, flags: 0, threads: 0, pending: 0 };
        let mut last = 0;
        for (field, word) in (3..).zip(words(text.get(end + 2..)?)) {
            match field {
                4 => stat.parent = number(word)? as u32,
                9 => stat.flags = number(word)?,
                20 => stat.threads = number(word)?,
                31 => stat.pending = number(word)?,
                _ => {}
            }
            last = field;
        }
        (last >= 31).then_some(stat)
    }

    /// The number of its parent.
    pub fn parent(&self) -> u32 {
        self.parent
    }

    /// A zombie, or just reaped.
    pub fn ended(&self) -> bool {
        matches!(self.state, b'Z' | b'X')
    }

    /// Ended, in exit, or about to be killed. Every end of a process first gives all its threads a
    /// SIGKILL.
    fn ends(&self) -> bool {
        const PF_EXITING: u64 = 4;
        self.ended() || self.flags & PF_EXITING != 0 || self.pending & 1 << (libc::SIGKILL - 1) != 0
    }
}

/// Has the whole process ended, and does its parent know? A leader shows `Z` after pthread_exit
/// although other threads live. If another process than the parent traces it, the parent hears of
/// the end when the tracer has collected it, see ptrace(2).
pub fn dead(pid: u32) -> bool {
    all_ended(pid, |stat| !traced(pid, stat.parent))
}

/// Have all its threads ended?
pub fn ended(pid: u32) -> bool {
    all_ended(pid, |_| true)
}

fn all_ended(pid: u32, too: impl FnOnce(&Stat) -> bool) -> bool {
    match Stat::of_process(pid) {
        Ok(stat) => stat.ended() && stat.threads <= 1 && too(&stat),
        Err(e) => e.gone(),
    }
}

/// Does another process than `parent` trace it?
fn traced(pid: u32, parent: u32) -> bool {
    const LINE: &[u8] = b"\nTracerPid:\t";
    let mut text = [0u8; 4096];
    let status = Path::process(pid, "status").read(&mut text).unwrap_or_default();
    let line = status
        .windows(LINE.len())
        .position(|part| part == LINE)
        .and_then(|at| words(&status[at + LINE.len()..]).next());
    line.and_then(number).is_some_and(|tracer| tracer != 0 && tracer != parent as u64)
}

/// Is the leader a zombie, or gone?
pub fn leader_ended(pid: u32) -> bool {
    match Stat::of_process(pid) {
        Ok(stat) => stat.ended(),
        Err(e) => e.gone(),
    }
}

/// Is the whole process about to end? The leader alone does not tell: it may have ended by itself.
pub fn dying(pid: u32) -> bool {
    if !Stat::of_process(pid).is_ok_and(|leader| leader.ends()) {
        return false;
    }
    let mut all = true;
    let ends = |tid| Stat::of_thread(pid, tid).map_or_else(Errno::gone, |thread| thread.ends());
    let asked = tasks(pid, |tid| {
        all = ends(tid);
        all
    });
    asked.is_err() || all
}

/// Has every thread of the process ended, except those in `left`?
pub fn only(pid: u32, left: &[u32]) -> bool {
    if !left.contains(&pid) && !leader_ended(pid) {
        return false;
    }
    let mut alone = true;
    let asked = tasks(pid, |tid| {
        alone = tid == pid || left.contains(&tid);
        alone
    });
    asked.is_ok() && alone
}

/// Calls `each` with the process's threads, until it returns false.
pub fn tasks(pid: u32, each: impl FnMut(u32) -> bool) -> Result<(), Errno> {
    File::open(&Path::process(pid, "task"))?.numbers(each)
}

/// Calls `each` with the living children of a thread, in the order of their creation, until it
/// returns false.
pub fn children(pid: u32, tid: u32, mut each: impl FnMut(u32) -> bool) -> Result<(), Errno> {
    let file = File::open(&Path::thread(pid, tid, "children"))?;
    let (mut text, mut current) = ([0u8; 256], None);
    loop {
        let got = file.read_on(&mut text)?;
        // The list ends with a space. If it does not, the end of the file counts as one.
        for &byte in if got == 0 { &b" "[..] } else { &text[..got] } {
            match (byte as char).to_digit(10) {
                Some(digit) => {
                    current = Some(current.unwrap_or(0u32).wrapping_mul(10).wrapping_add(digit))
                }
                None if current.take().is_some_and(|child| !each(child)) => return Ok(()),
                None => {}
            }
        }
        if got == 0 {
            return Ok(());
        }
    }
}

/// Is `ancestor` a parent of `pid`, or a parent's parent, and so on? An error if there is no
/// process with that number.
pub fn descends(pid: u32, ancestor: u32) -> Result<bool, Errno> {
    let mut parent = Stat::of_process(pid)?.parent;
    while parent != ancestor && parent != 0 {
        match Stat::of_process(parent) {
            Ok(stat) => parent = stat.parent,
            Err(_) => return Ok(false),
        }
    }
    Ok(parent == ancestor)
}

/// Is `yes` true of any living process below `root`?
pub fn any_descendant(root: u32, mut yes: impl FnMut(u32) -> bool) -> bool {
    let mut found = false;
    let living = |pid| Stat::of_process(pid).is_ok_and(|stat| !stat.ended());
    let _ = File::open(&Path::all()).and_then(|all| {
        all.numbers(|pid| {
            found = pid != root && descends(pid, root) == Ok(true) && living(pid) && yes(pid);
            !found
        })
    });
    found
}

/// Calls `each` with the numbers that the process has in PID namespaces below this `/proc`'s, the
/// outermost first, until it returns true; did it?
fn any_inner(pid: u32, each: impl FnMut(u64) -> bool) -> bool {
    const LINE: &[u8] = b"\nNSpid:";
    let mut text = [0u8; 4096];
    let status = Path::process(pid, "status").read(&mut text).unwrap_or_default();
    let Some(at) = status.windows(LINE.len()).position(|part| part == LINE) else { return false };
    let line = status[at + LINE.len()..].split(|&byte| byte == b'\n').next().unwrap_or_default();
    words(line).skip(1).filter_map(number).any(each)
}

/// Is the process in a PID namespace below this `/proc`'s?
pub fn nested(pid: u32) -> bool {
    any_inner(pid, |_| true)
}

/// Does a process below `root` have the number `pid` in a PID namespace of its own?
pub fn in_other_namespace(pid: u32, root: u32) -> bool {
    any_descendant(root, |p| any_inner(p, |inner| inner == pid as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_may_hold_anything() {
        let text =
            b"7 (a) R 1 (b)) S 5 7 7 0 -1 4 0 0 0 0 0 0 0 0 20 0 3 0 99 0 0 0 0 0 0 0 0 256 0 0 0";
        let stat = Stat::parse(text).expect("enough fields");
        assert_eq!(
            (stat.state, stat.parent, stat.flags, stat.threads, stat.pending),
            (b'S', 5, 4, 3, 256)
        );
        assert!(stat.ends() && !stat.ended());
    }

    #[test]
    fn the_line_of_parents() {
        let (me, parent) = (std::process::id(), std::os::unix::process::parent_id());
        assert!(descends(me, parent).expect("I am there"));
        assert!(!descends(parent, me).expect("so is my parent"));
        assert!(descends(u32::MAX >> 1, me).expect_err("no such number").gone());
    }

    #[test]
    fn my_threads() {
        let (me, mut count) = (std::process::id(), 0);
        tasks(me, |tid| {
            count += (tid == me) as u32;
            true
        })
        .expect("I am there");
        assert_eq!(count, 1);
    }
}
