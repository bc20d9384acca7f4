//! Bytes between the ends of pseudo-terminals.
//!
//! What is written to one end lies in the buffer of the other one until a worker of the kernel has
//! put it through the line discipline. Meanwhile nobody runs: the writer has returned, and the
//! reader still sleeps. A poll(2) of the receiving end waits for that worker (`n_tty_poll` in
//! Linux), so the keeper polls each end once between the two passes of its survey. Slaves come
//! first, since what a slave receives it may echo to its master. A thread that this wakes is found
//! awake by the second pass.
//!
//! The keeper polls copies of the programs' own descriptors (pidfd_getfd(2)). It remembers one
//! descriptor for each end, and looks for others when one is gone or another terminal was made.

use crate::process;
use crate::{ProcLook, Whose};
use engine::arch::syscall::syscall6;
use engine::procfs::{File, Path};
use engine::region::layout::Page;
use engine::sys;
use std::sync::atomic::Ordering::SeqCst;

/// Ends that the look remembers. If there are more, it looks for them all each time.
const ENDS: usize = 128;
/// The majors of `/dev/tty` and `/dev/ptmx`, and of the slaves of pseudo-terminals.
const TTY: u32 = 5;
const SLAVES: std::ops::RangeInclusive<u32> = 136..=143;

/// One end of a pseudo-terminal.
#[derive(Clone, Copy, PartialEq, Eq)]
struct End {
    /// The device number of the slave.
    device: u32,
    master: bool,
    /// The mount namespace of the process that was found with it: elsewhere the device may be
    /// another one.
    namespace: u64,
}

/// A descriptor of an end.
#[derive(Clone, Copy)]
struct Place {
    end: End,
    pid: u32,
    fd: i32,
}

/// What the look knows of the session's terminals.
#[derive(Default)]
pub struct Terminals {
    places: Places,
    /// The number of the last one that had been made when the look last searched.
    searched: Option<u32>,
}

/// The ends that were found, as far as there is room.
struct Places {
    places: [Option<Place>; ENDS],
    all: bool,
}

impl Default for Places {
    fn default() -> Places {
        Places { places: [None; ENDS], all: true }
    }
}

impl Places {
    fn iter(&self) -> impl Iterator<Item = &Place> {
        self.places.iter().map_while(Option::as_ref)
    }

    fn add(&mut self, place: Place) {
        if self.iter().any(|known| known.end == place.end) {
            return;
        }
        match self.places.iter_mut().find(|place| place.is_none()) {
            Some(free) => *free = Some(place),
            None => self.all = false,
        }
    }

    /// Polls the ends. False if there may be others.
    fn poll(&self) -> bool {
        let mut complete = self.all;
        for master in [false, true] {
            for place in self.iter().filter(|place| place.end.master == master) {
                let mut open = None;
                sys::with_descriptor(place.pid, place.fd, |fd| {
                    let same = of_descriptor(fd) == Some((place.end.device, master));
                    open = same.then(|| poll_end(fd));
                    same
                });
                let slave = End { master: false, ..place.end };
                complete &= match open {
                    // Somebody has the slave open, or nobody has opened it yet.
                    Some(true) if master => self.iter().any(|other| other.end == slave),
                    open => open.is_some(),
                };
            }
        }
        complete
    }
}

impl ProcLook {
    /// Sees to it that what was written to the session's pseudo-terminals has arrived.
    pub(crate) fn flush_terminals(&mut self, page: &Page) {
        let made = page.header.terminals.load(SeqCst);
        if self.terminals.searched == Some(made) && self.terminals.places.poll() {
            return;
        }
        let mut places = Places::default();
        self.each_process(page, |pid| search(pid, &mut places));
        places.poll();
        self.terminals = Terminals { places, searched: Some(made) };
    }

    /// Nobody has run since [`ProcLook::flush_terminals`]: if the session has no master any more,
    /// nobody has to look for terminals.
    pub(crate) fn settle_terminals(&mut self, page: &Page) {
        if let Some(made) = self.terminals.searched
            && self.terminals.places.all
            && !self.terminals.places.iter().any(|place| place.end.master)
        {
            page.terminals_gone(made);
            self.terminals.searched = None;
        }
    }

    /// Calls `each` with the processes of the session.
    fn each_process(&self, page: &Page, mut each: impl FnMut(u32)) {
        match self.whose {
            Whose::Descendants => {
                process::any_descendant(self.engine.pid, |pid| {
                    each(pid);
                    false
                });
            }
            Whose::Slots => {
                let mut last = 0;
                for slot in &page.slots[..page.high()] {
                    let pid = slot.pid.load(SeqCst);
                    if std::mem::replace(&mut last, pid) != pid && pid != 0 {
                        each(pid);
                    }
                }
            }
        }
    }
}

/// Adds the ends that process `pid` has open.
fn search(pid: u32, places: &mut Places) {
    let mut namespace = None;
    let _ = File::open(&Path::process(pid, "fd")).and_then(|folder| {
        folder.numbers(|fd| {
            let is = device(&Path::descriptor(pid, fd));
            if !is.is_some_and(|(major, _)| major == TTY || SLAVES.contains(&major)) {
                return true;
            }
            let namespace = *namespace.get_or_insert_with(|| {
                status(&Path::process(pid, "ns/mnt")).map_or(0, |s| s.st_ino)
            });
            sys::with_descriptor(pid, fd as i32, |copy| {
                let Some((device, master)) = of_descriptor(copy) else { return false };
                let end = End { device, master, namespace };
                places.add(Place { end, pid, fd: fd as i32 });
                if !places.all {
                    poll_end(copy);
                }
                true
            });
            true
        })
    });
}

/// The slave's device number, and whether `fd` is the master. `None` if it is no pseudo-terminal,
/// or one that was hung up.
fn of_descriptor(fd: i32) -> Option<(u32, bool)> {
    const TIOCGDEV: usize = 0x8004_5432;
    const TIOCGPTN: usize = 0x8004_5430;
    let (mut device, mut number) = (0u32, 0u32);
    // SAFETY: each asks for an unsigned int.
    unsafe {
        let found =
            syscall6(libc::SYS_ioctl, fd as usize, TIOCGDEV, &raw mut device as usize, 0, 0, 0);
        let master =
            syscall6(libc::SYS_ioctl, fd as usize, TIOCGPTN, &raw mut number as usize, 0, 0, 0);
        (found == 0 && SLAVES.contains(&libc::major(device.into())))
            .then_some((device, master == 0))
    }
}

/// Polls an end. True if somebody has the other end open, or may open it.
fn poll_end(fd: i32) -> bool {
    let mut set = libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
    // SAFETY: a set of one, and no waiting.
    unsafe { syscall6(libc::SYS_poll, &raw mut set as usize, 1, 0, 0, 0, 0) };
    set.revents & libc::POLLHUP == 0
}

/// What stat(2) says, links followed.
fn status(path: &Path) -> Option<libc::stat> {
    let mut status = std::mem::MaybeUninit::<libc::stat>::uninit();
    // SAFETY: a path with its NUL; the kernel fills the structure in if it returns zero.
    unsafe {
        let (path, at) = (path.as_ptr() as usize, status.as_mut_ptr() as usize);
        (syscall6(libc::SYS_stat, path, at, 0, 0, 0, 0) == 0).then(|| status.assume_init())
    }
}

/// Major and minor of a character device.
fn device(path: &Path) -> Option<(u32, u32)> {
    let status = status(path).filter(|status| status.st_mode & libc::S_IFMT == libc::S_IFCHR)?;
    Some((libc::major(status.st_rdev), libc::minor(status.st_rdev)))
}
