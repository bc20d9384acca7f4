//! The numbers of this process and its threads: as the kernel tells them here, and as the launcher
//! sees them.
//!
//! The two differ in a PID namespace below the launcher's, pid_namespaces(7). A slot holds the
//! launcher's, which no two threads of the session share. The kernel shows them to a thread that
//! reads the link `/proc/thread-self` of a `/proc` that was mounted in the launcher's namespace.
//! So before a process makes a child in another namespace it opens that link itself (O_PATH), and
//! all that come after it inherit the descriptor ([`crate::shim::inherited_fds`]). Nothing else can
//! be reached by it: the link is no folder, and whoever follows it comes to the own thread in the
//! own `/proc`.

use engine::arch::syscall::syscall6;
use engine::region::sizes::SLOTS;
use std::ffi::CStr;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU32};

/// This process, for the launcher.
#[unsafe(link_section = ".data.interpose")]
static PID: AtomicU32 = AtomicU32::new(0);
/// Is that another number than its own?
#[unsafe(link_section = ".data.interpose")]
static NESTED: AtomicBool = AtomicBool::new(false);
/// The descriptor of the link; negative: none.
#[unsafe(link_section = ".data.interpose")]
static LINK: AtomicI32 = AtomicI32::new(-1);
/// Where the two differ: the kernel's number here of the thread of this process that has a slot.
/// Pages that are not used cost nothing.
static HERE: [AtomicU32; SLOTS] = [const { AtomicU32::new(0) }; SLOTS];

const NAME: &CStr = c"/proc/thread-self";

/// This process's number for the launcher, without a system call.
pub fn process() -> u32 {
    PID.load(Relaxed)
}

/// Is this process in a PID namespace below the launcher's? Then a number from the region means
/// another process here, or none.
#[inline]
pub fn nested() -> bool {
    NESTED.load(Relaxed)
}

/// `getpid(2)`.
pub fn getpid() -> u32 {
    // SAFETY: no arguments.
    unsafe { syscall6(libc::SYS_getpid, 0, 0, 0, 0, 0, 0) as u32 }
}

/// `gettid(2)`.
pub fn gettid() -> u32 {
    // SAFETY: no arguments.
    unsafe { syscall6(libc::SYS_gettid, 0, 0, 0, 0, 0, 0) as u32 }
}

/// Process and thread that call, for the launcher; also in a child of vfork(2).
pub fn mine() -> (u32, u32) {
    let told = match LINK.load(SeqCst) {
        link @ 0.. => read(link, c""),
        _ if nested() => read(libc::AT_FDCWD, NAME),
        _ => None,
    };
    told.unwrap_or_else(|| (getpid(), gettid()))
}

/// The thread that calls, for the launcher.
pub fn my_thread() -> u32 {
    if nested() { mine().1 } else { gettid() }
}

/// Is this still the process that [`process`] tells, and not a child that uses its memory, or one
/// that has just been forked?
pub fn is_same_process() -> bool {
    let now = if nested() { mine().0 } else { getpid() };
    now == process()
}

/// A program begins. `by_path`: its `/proc` is the launcher's.
pub fn begin(by_path: bool) {
    let told = by_path.then(|| read(libc::AT_FDCWD, NAME)).flatten();
    NESTED.store(told.is_some_and(|(pid, _)| pid != getpid()), Relaxed);
}

/// Finds out who this process is: it has just begun, or has been forked. Its number and its
/// thread's, for the launcher.
pub fn renew() -> (u32, u32) {
    let (pid, tid) = mine();
    PID.store(pid, Relaxed);
    NESTED.store(pid != getpid(), Relaxed);
    (pid, tid)
}

/// The calling thread has slot `index` from now on.
pub fn note(index: usize) {
    if nested() {
        HERE[index].store(gettid(), Relaxed);
    }
}

/// The kernel's number here of the thread that has slot `index` of this process, which says `tid`.
pub fn here(index: usize, tid: u32) -> u32 {
    if nested() { HERE[index].load(Relaxed) } else { tid }
}

/// Which numbers are those in `/proc`, as this process sees it?
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shown {
    /// The launcher's.
    Launchers,
    /// The kernel's here.
    Own,
    /// Others, or there is none.
    Others,
}

/// See [`Shown`]. Where the two do not differ, they are the launcher's.
pub fn shown() -> Shown {
    if !nested() {
        return Shown::Launchers;
    }
    match read(libc::AT_FDCWD, NAME) {
        Some((pid, _)) if pid == process() => Shown::Launchers,
        Some((pid, _)) if pid == getpid() => Shown::Own,
        _ => Shown::Others,
    }
}

/// The descriptor of the link, if this process has it.
pub fn link() -> Option<i32> {
    Some(LINK.load(SeqCst)).filter(|&fd| fd >= 0)
}

/// The link has this descriptor.
pub fn set_link(fd: i32) {
    LINK.store(fd, SeqCst);
}

/// The program has taken number `from`, and what had it is `to` now.
pub fn moved(from: i32, to: i32) {
    let _ = LINK.compare_exchange(from, to, SeqCst, SeqCst);
}

/// Opens the link; `None` if this `/proc` does not show the launcher's numbers.
pub fn open_link() -> Option<i32> {
    let flags = (libc::O_PATH | libc::O_NOFOLLOW | libc::O_CLOEXEC) as usize;
    // SAFETY: a path with its NUL.
    let fd = unsafe { syscall6(libc::SYS_open, NAME.as_ptr() as usize, flags, 0, 0, 0, 0) };
    let fd = i32::try_from(fd).ok().filter(|&fd| fd >= 0)?;
    if read(fd, c"").is_some_and(|(pid, _)| pid == process()) {
        return Some(fd);
    }
    // SAFETY: a descriptor of our own.
    unsafe { syscall6(libc::SYS_close, fd as usize, 0, 0, 0, 0, 0) };
    None
}

/// Process and thread in the link, `PID/task/TID`.
fn read(folder: i32, name: &CStr) -> Option<(u32, u32)> {
    let mut text = [0u8; 64];
    let (name, to) = (name.as_ptr() as usize, text.as_mut_ptr() as usize);
    // SAFETY: a path with its NUL, and a buffer of our own.
    let len =
        unsafe { syscall6(libc::SYS_readlinkat, folder as usize, name, to, text.len(), 0, 0) };
    let text = text.get(..usize::try_from(len).ok()?)?;
    let mut parts = text.split(|&byte| byte == b'/').map(engine::procfs::number);
    let (pid, _, tid) = (parts.next()??, parts.next()?, parts.next()??);
    Some((pid as u32, tid as u32))
}
