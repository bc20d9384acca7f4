//! How the state file is opened, and made where there is none.
//!
//! The name may stand in a folder where others can write. So it must not lead into somebody else's
//! file, and what is no regular file is not even opened: a FIFO's other end would notice. A new
//! file gets its name when it is locked already, so nobody sees it free before the program has
//! begun; and it is its owner's alone, because whoever can open a file can hold its lock.

use crate::arch::numbers as nr;
use crate::arch::syscall::syscall6;
use crate::procfs::{Errno, decimal};
use crate::statefile::file::{Stat, StateFile, checked};
use std::ffi::CStr;

const O_RDWR: usize = 0o2;
const O_CREAT: usize = 0o100;
const O_NOCTTY: usize = 0o400;
const O_NONBLOCK: usize = 0o4000;
const O_NOFOLLOW: usize = 0o400_000;
const O_CLOEXEC: usize = 0o2_000_000;
const O_TMPFILE: usize = 0o20_200_000;
/// As an existing file is opened: should it be a FIFO or a terminal by now, nobody is held up.
const FLAGS: usize = O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC;
/// What others may do with a file that was made: nothing.
const MODE: usize = 0o600;

const EEXIST: Errno = Errno(17);
const ENOENT: Errno = Errno(2);
const ELOOP: Errno = Errno(40);

/// Who has chosen the file's name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Name {
    /// The user. It may be a link of the user's own.
    Given,
    /// Nobody: it is the name if none is given, in whatever folder the program was started. It must
    /// be a file of the user's own, and no link.
    Default,
}

impl StateFile {
    /// Opens `path`, or makes the file; `Err` says why it cannot be a state file. Close-on-exec.
    pub fn open(path: &CStr, name: Name, say: fn(&str)) -> Result<StateFile, &'static str> {
        let fd = loop {
            let found = match stat(path) {
                Err(ENOENT) => match make(path) {
                    // Somebody else was quicker.
                    Err(EEXIST) => continue,
                    made => break made,
                },
                found => found.map_err(explain)?,
            };
            let mut flags = FLAGS | O_NOFOLLOW;
            if found.is_link() {
                match name {
                    Name::Default => return Err("it is a link; name the file instead"),
                    Name::Given if ![0, user()].contains(&found.owner()) => {
                        return Err("it is somebody else's link");
                    }
                    // What it leads to may not be there yet.
                    Name::Given => flags = FLAGS | O_CREAT,
                }
            } else if found.is_folder() {
                return Err("it is a folder");
            } else if !found.is_regular() {
                return Err("it is no regular file");
            } else if name == Name::Default && found.owner() != user() {
                return Err("it belongs to somebody else");
            }
            match open(path, flags) {
                // It was removed or replaced meanwhile.
                Err(ENOENT | ELOOP) if !found.is_link() => continue,
                opened => break opened,
            }
        };
        let file = StateFile { fd: fd.map_err(explain)?, say };
        let owner = |stat: &Stat| name == Name::Given || stat.owner() == user();
        match file.stat() {
            Some(stat) if stat.is_regular() && owner(&stat) => Ok(file),
            _ => {
                file.close();
                Err("it is no regular file")
            }
        }
    }
}

/// One line for an error.
fn explain(Errno(code): Errno) -> &'static str {
    match code {
        1 | 13 => "permission denied",
        2 | 20 => "there is no such folder",
        21 => "it is a folder",
        23 | 24 => "too many open files",
        28 => "no space is left",
        30 => "the file system is read-only",
        36 => "the name is too long",
        40 => "it is a link to itself",
        _ => "it cannot be opened",
    }
}

/// Makes a file that is locked when it gets its name; its descriptor.
fn make(path: &CStr) -> Result<i32, Errno> {
    const LOCK_EX: usize = 2;
    let mut folder = [0u8; 4096];
    let bytes = path.to_bytes();
    // Up to the last slash, or here.
    let end = bytes.iter().rposition(|&byte| byte == b'/').map_or(0, |at| at + 1);
    folder.get_mut(..end).ok_or(Errno(36))?.copy_from_slice(&bytes[..end]);
    folder[end] = b'.';
    let nameless = CStr::from_bytes_until_nul(&folder)
        .map_err(|_| Errno(36))
        .and_then(|folder| open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC));
    if let Ok(fd) = nameless {
        // SAFETY: plain numbers.
        unsafe { syscall6(nr::FLOCK, fd as usize, LOCK_EX, 0, 0, 0, 0) };
        match link(fd, path) {
            Ok(_) => return Ok(fd),
            Err(e) => {
                StateFile { fd, say: |_| () }.close();
                if e == EEXIST {
                    return Err(e);
                }
            }
        }
    }
    // A file system without nameless files, or no /proc.
    const O_EXCL: usize = 0o200;
    open(path, FLAGS | O_CREAT | O_EXCL)
}

/// Gives the nameless file `fd` a name, see open(2).
fn link(fd: i32, path: &CStr) -> Result<usize, Errno> {
    const AT_FDCWD: usize = -100isize as usize;
    const AT_SYMLINK_FOLLOW: usize = 0x400;
    const START: &[u8] = b"/proc/self/fd/";
    let (mut from, mut digits) = ([0u8; 40], [0u8; 20]);
    let digits = decimal(fd as u64, &mut digits);
    from[..START.len()].copy_from_slice(START);
    from[START.len()..START.len() + digits.len()].copy_from_slice(digits);
    let (from, to) = (from.as_ptr() as usize, path.as_ptr() as usize);
    // SAFETY: two paths with their NUL.
    checked(unsafe { syscall6(nr::LINKAT, AT_FDCWD, from, AT_FDCWD, to, AT_SYMLINK_FOLLOW, 0) })
}

fn open(path: &CStr, flags: usize) -> Result<i32, Errno> {
    // SAFETY: a path with its NUL.
    let raw = unsafe { syscall6(nr::OPEN, path.as_ptr() as usize, flags, MODE, 0, 0, 0) };
    checked(raw).map(|fd| fd as i32)
}

/// What lstat(2) says of the name.
fn stat(path: &CStr) -> Result<Stat, Errno> {
    Stat::by(|to| {
        // SAFETY: a path with its NUL, and a buffer of the structure's size.
        unsafe { syscall6(nr::LSTAT, path.as_ptr() as usize, to as usize, 0, 0, 0, 0) }
    })
}

/// The caller's effective user.
fn user() -> u32 {
    // SAFETY: no arguments.
    unsafe { syscall6(nr::GETEUID, 0, 0, 0, 0, 0, 0) as u32 }
}
