//! The state file. An exclusive flock(2) on it says that the program is busy. Its content is a
//! serial number, one more each time the program goes busy.
//!
//! All processes of a tree share one open file description, which fork(2) and exec(2) inherit. So
//! any of them can take and release the lock, and the kernel releases it when the last of them has
//! ended, however it ended.

use crate::arch::numbers as nr;
use crate::arch::syscall::syscall6;
use crate::patience::{LOCK_PAUSE_MAX, LOCK_PAUSE_MIN};
use crate::procfs::{Errno, number};
use crate::region::layout::Page;
use crate::sync::{Relaxed, SeqCst};
use crate::sys;
use crate::sys::Timespec;
use std::sync::atomic::AtomicI32;

/// This process's descriptor of the file; negative: none.
static DESCRIPTOR: AtomicI32 = AtomicI32::new(-1);

/// How long the lock is waited for while somebody outside holds it, real ns: see
/// [`StateFile::lock`].
const PATIENCE: u64 = 10_000_000_000;

/// The file by the caller's descriptor, and how the caller reports trouble.
#[derive(Clone, Copy)]
pub struct StateFile {
    /// The descriptor.
    pub fd: i32,
    /// Writes one line to standard error.
    pub say: fn(&str),
}

/// What stat(2) says of a file, as far as it matters here.
pub(super) struct Stat {
    /// Device and inode.
    file: [u64; 2],
    /// Number of names that it has.
    links: u64,
    mode: u32,
    owner: u32,
}

impl Stat {
    /// By a call that fills the buffer which it is given, of the structure's size.
    pub(super) fn by(call: impl FnOnce(*mut u64) -> isize) -> Result<Stat, Errno> {
        let mut stat = [0u64; 18];
        checked(call(stat.as_mut_ptr()))?;
        let (mode, owner) = (stat[3] as u32, (stat[3] >> 32) as u32);
        Ok(Stat { file: [stat[0], stat[1]], links: stat[2], mode, owner })
    }

    fn is(&self, kind: u32) -> bool {
        const KIND: u32 = 0o170_000;
        self.mode & KIND == kind
    }

    pub(super) fn is_regular(&self) -> bool {
        self.is(0o100_000)
    }

    pub(super) fn is_folder(&self) -> bool {
        self.is(0o040_000)
    }

    pub(super) fn is_link(&self) -> bool {
        self.is(0o120_000)
    }

    /// The user that it belongs to.
    pub(super) fn owner(&self) -> u32 {
        self.owner
    }
}

/// Writes `text` after the name of this library, as one line, to descriptor `fd`.
pub fn say_to(fd: i32, text: &str) {
    let mut line = [0u8; 256];
    let mut len = 0;
    for &byte in b"libidle: ".iter().chain(text.as_bytes()).take(line.len() - 1).chain(b"\n") {
        line[len] = byte;
        len += 1;
    }
    write_line(fd, &line[..len]);
}

/// Writes the line at once. If no reader is left, the program must not notice: there is no SIGPIPE.
pub fn write_line(fd: i32, line: &[u8]) {
    const SIG_BLOCK: usize = 0;
    const SIG_SETMASK: usize = 2;
    const SIGPIPE: u64 = 1 << 12;
    const EPIPE: isize = -32;
    let (mut old, mut pending, size) = (0u64, 0u64, size_of::<u64>());
    let now = Timespec { sec: 0, nsec: 0 };
    let at = |word: &u64| word as *const u64 as usize;
    // SAFETY: words of the kernel's sets' size, a time and a buffer, all of our own or of the
    // caller's.
    unsafe {
        syscall6(nr::RT_SIGPROCMASK, SIG_BLOCK, at(&SIGPIPE), &raw mut old as usize, size, 0, 0);
        syscall6(nr::RT_SIGPENDING, &raw mut pending as usize, size, 0, 0, 0, 0);
        let wrote = syscall6(nr::WRITE, fd as usize, line.as_ptr() as usize, line.len(), 0, 0, 0);
        if wrote == EPIPE && pending & SIGPIPE == 0 {
            syscall6(nr::RT_SIGTIMEDWAIT, at(&SIGPIPE), 0, &raw const now as usize, size, 0, 0);
        }
        syscall6(nr::RT_SIGPROCMASK, SIG_SETMASK, at(&old), 0, size, 0, 0);
    }
}

/// The same to the calling process's standard error.
pub fn say(text: &str) {
    say_to(2, text);
}

/// Sets this process's descriptor to `fd`; negative: it has none.
pub fn set(fd: i32) {
    DESCRIPTOR.store(fd, SeqCst);
}

/// This process's descriptor, or a negative number.
pub fn descriptor() -> i32 {
    DESCRIPTOR.load(SeqCst)
}

/// The file by this process's descriptor.
pub fn mine() -> StateFile {
    StateFile { fd: descriptor(), say }
}

pub(super) fn checked(raw: isize) -> Result<usize, Errno> {
    if raw < 0 { Err(Errno(-raw as i32)) } else { Ok(raw as usize) }
}

impl StateFile {
    /// Closes it.
    pub fn close(self) {
        // SAFETY: a descriptor of our own.
        unsafe { syscall6(nr::CLOSE, self.fd as usize, 0, 0, 0, 0, 0) };
    }

    /// The serial number in the file: 0 when it is empty, `None` when it holds something else,
    /// which must not be overwritten.
    pub fn read(&self) -> Option<u64> {
        let mut text = [0u8; 32];
        // SAFETY: a buffer of our own.
        let raw = unsafe {
            syscall6(nr::PREAD64, self.fd as usize, text.as_mut_ptr() as usize, text.len(), 0, 0, 0)
        };
        let text = &text[..checked(raw).ok()?];
        // With a leading zero the next number could be shorter.
        let short = !text.starts_with(b"0") || text == b"0\n";
        if text.is_empty() { Some(0) } else { number(text.strip_suffix(b"\n")?).filter(|_| short) }
    }

    /// What fstat(2) says of the descriptor.
    pub(super) fn stat(&self) -> Option<Stat> {
        // SAFETY: a buffer of the structure's size.
        Stat::by(|to| unsafe { syscall6(nr::FSTAT, self.fd as usize, to as usize, 0, 0, 0, 0) })
            .ok()
    }

    /// Records that this is the state file, whatever the descriptor leads to later.
    pub(crate) fn know(&self, page: &Page) {
        if let Some(stat) = self.stat() {
            page.header
                .idle
                .file
                .iter()
                .zip(stat.file)
                .for_each(|(word, number)| word.store(number, SeqCst));
        }
    }

    /// Checks the descriptor before each use. A program that closes descriptors by raw system calls
    /// may have closed this one, and its number may be that of a file of the program's own by now.
    fn ours(&self, page: &Page) -> Option<Stat> {
        let found = self.reaches(page);
        if found.is_none() {
            self.trouble(
                page,
                "the state file's descriptor was closed; the program goes on, and its state cannot be seen",
            );
        }
        found
    }

    /// The file, if the descriptor leads to it.
    fn reaches(&self, page: &Page) -> Option<Stat> {
        let known = page.header.idle.file.each_ref().map(|word| word.load(SeqCst));
        self.stat().filter(|stat| stat.file == known)
    }

    /// Must another process take the lock, because this descriptor does not lead to the file?
    pub(crate) fn lost(&self, page: &Page) -> bool {
        self.reaches(page).is_none()
    }

    /// May a file of this process have that many bytes (RLIMIT_FSIZE)? A write beyond that would
    /// raise SIGXFSZ.
    fn may_have(bytes: usize) -> bool {
        const RLIMIT_FSIZE: u32 = 1;
        sys::soft_limit(RLIMIT_FSIZE).is_none_or(|limit| limit >= bytes as u64)
    }

    /// Writes the serial number, with the lock held. The number never gets shorter, so one call of
    /// pwrite(2) writes all of it.
    fn write(&self, serial: u64) -> Result<(), Errno> {
        let mut text = [b'\n'; 21];
        let (mut at, mut rest) = (text.len() - 1, serial);
        loop {
            at -= 1;
            text[at] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        let text = &text[at..];
        if !StateFile::may_have(text.len()) {
            return Err(Errno::STRANGE);
        }
        // SAFETY: a buffer of our own.
        let raw = unsafe {
            syscall6(nr::PWRITE64, self.fd as usize, text.as_ptr() as usize, text.len(), 0, 0, 0)
        };
        match checked(raw)? {
            n if n == text.len() => Ok(()),
            _ => Err(Errno::STRANGE),
        }
    }

    fn flock(&self, op: usize) -> Result<usize, Errno> {
        // SAFETY: plain numbers.
        checked(unsafe { syscall6(nr::FLOCK, self.fd as usize, op, 0, 0, 0, 0) })
    }

    /// Takes the lock. Somebody outside may hold it, to look at the program while it stays idle:
    /// that is waited for. But who holds it and waits for the program at the same time would wait
    /// for ever, so after [`PATIENCE`] the program goes on without it, and from then on only tries.
    fn lock(&self, page: &Page) -> Result<(), Errno> {
        const LOCK_EX: usize = 2;
        const LOCK_NB: usize = 4;
        const EWOULDBLOCK: i32 = 11;
        let idle = &page.header.idle;
        let (mut waited, mut pause) = (0, LOCK_PAUSE_MIN.ns());
        loop {
            match self.flock(LOCK_EX | LOCK_NB) {
                Ok(_) => {
                    idle.impatient.store(0, Relaxed);
                    return Ok(());
                }
                Err(Errno(EWOULDBLOCK)) if idle.impatient.load(Relaxed) != 0 => return Ok(()),
                Err(Errno(EWOULDBLOCK)) if waited >= PATIENCE => {
                    idle.impatient.store(1, Relaxed);
                    (self.say)(
                        "somebody has held the state file's lock for 10 s; the program goes on without it",
                    );
                    return Ok(());
                }
                Err(Errno(EWOULDBLOCK)) => {
                    let time = Timespec { sec: 0, nsec: pause as i64 };
                    // SAFETY: a time of our own.
                    unsafe { syscall6(nr::NANOSLEEP, &raw const time as usize, 0, 0, 0, 0, 0) };
                    waited += pause;
                    pause = (pause * 2).min(LOCK_PAUSE_MAX.ns());
                }
                Err(e) => return Err(e),
            }
        }
    }

    /// Takes the lock for a program that goes busy; false if the file is out of reach.
    pub(crate) fn hold(&self, page: &Page) -> bool {
        if self.ours(page).is_none() {
            return false;
        }
        if self.lock(page).is_err() {
            self.trouble(
                page,
                "cannot lock the state file; the program goes on, and its state cannot be seen",
            );
        }
        true
    }

    /// Writes the serial number of the busy period that has begun. After `StateFile::hold`.
    pub fn show(&self, page: &Page, serial: u64) {
        if self.write(serial).is_err() {
            self.trouble(
                page,
                "cannot write to the state file; the program goes on, and its serial number stays",
            );
        }
    }

    /// Releases the lock.
    pub(crate) fn release(&self, page: &Page) {
        const LOCK_UN: usize = 8;
        let Some(stat) = self.ours(page) else { return };
        if stat.links == 0 {
            self.trouble(
                page,
                "the state file was deleted or replaced; the program goes on, and its state cannot be seen",
            );
        }
        let _ = self.flock(LOCK_UN);
    }

    /// Reports the trouble once for all processes.
    fn trouble(&self, page: &Page, text: &str) {
        if page.header.idle.told.swap(1, SeqCst) == 0 {
            (self.say)(text);
        }
    }
}
