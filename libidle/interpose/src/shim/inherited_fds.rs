//! The descriptors by which a tree of processes stays together: the region and the state file (and
//! the file that rows are printed to). They live as long as the process, are inherited by fork(2)
//! and exec(2), and are hidden from the program like wake fds ([`crate::shim::wake_fd`]).
//!
//! Processes of a launcher's session find the region by its path, which belongs to the launcher.
//! One that may soon have no access to that (another user, another user namespace, another root)
//! keeps a descriptor from then on, and so do its descendants.

use crate::shim::hidden_fds;
use crate::shim::numbers;
use crate::shim::session;
use engine::arch::syscall::syscall6;
use engine::procfs::decimal;
use engine::statefile::file;
use posix::session_name::{LONGEST, SessionName, path_of};
use std::ffi::CStr;
use std::sync::atomic::AtomicI32;
use std::sync::atomic::Ordering::SeqCst;

/// How they are duplicated: close-on-exec only if children are not to have them.
pub fn how() -> i32 {
    if session::alone() { libc::F_DUPFD_CLOEXEC } else { libc::F_DUPFD }
}

/// In the place of their numbers.
pub const NONE: &CStr = c"none";

/// The region's; negative: none.
static REGION: AtomicI32 = AtomicI32::new(-1);
/// Of the file that rows are printed to; negative: none.
static LOG: AtomicI32 = AtomicI32::new(-1);

fn all() -> impl Iterator<Item = i32> {
    let link = numbers::link().unwrap_or(-1);
    let all = [REGION.load(SeqCst), file::descriptor(), LOG.load(SeqCst), link];
    all.into_iter().filter(|&fd| fd >= 0)
}

/// Is it one of them?
pub fn is(fd: i32) -> bool {
    fd >= 0 && all().any(|one| one == fd)
}

/// Keeps the first two, which the process has just opened, under high numbers; false if that fails.
pub fn keep(region: i32, file: i32) -> bool {
    let (region, file) = (hidden_fds::hide(region, how()), hidden_fds::hide(file, how()));
    set(region.unwrap_or(-1), file.unwrap_or(-1));
    region.is_some() && file.is_some()
}

/// Keeps the region alone, which this process joined by `path`, if it does not yet. Not in a vfork
/// child, which uses its parent's memory and has descriptors of its own.
pub fn keep_region(name: &SessionName) {
    if session::in_vfork_child() {
        return;
    }
    if REGION.load(SeqCst) < 0
        && let Some(fd) = open(name.path)
    {
        REGION.store(hidden_fds::hide(fd, how()).unwrap_or(-1), SeqCst);
    }
    if numbers::link().is_none()
        && let Some(fd) = numbers::open_link()
    {
        numbers::set_link(hidden_fds::hide(fd, how()).unwrap_or(-1));
    }
}

/// The program image before this one has left the link by which a thread learns its numbers.
pub fn inherit_link(fd: i32) {
    numbers::set_link(fd);
    hidden_fds::stays_hidden(fd);
}

/// Opens the region at `path`. Nobody waits for the other end of a FIFO that has that path now.
pub fn open(path: &[u8]) -> Option<i32> {
    let mut text = [0; LONGEST];
    text.get_mut(..path.len())?.copy_from_slice(path);
    let path = CStr::from_bytes_until_nul(&text).ok()?.as_ptr() as usize;
    let flags = (libc::O_RDWR | libc::O_CLOEXEC | libc::O_NONBLOCK | libc::O_NOCTTY) as usize;
    // SAFETY: a path with its NUL.
    let fd = unsafe { syscall6(libc::SYS_open, path, flags, 0, 0, 0, 0) };
    i32::try_from(fd).ok().filter(|&fd| fd >= 0)
}

/// A new open file description of the region that `session` names: by the descriptor that is kept,
/// if there is one.
pub fn open_again(session: &CStr) -> Option<i32> {
    let name = SessionName::parse(session.to_bytes())?;
    let mut room = [0; LONGEST];
    let kept = Some(REGION.load(SeqCst)).filter(|&fd| fd >= 0);
    open(kept.map_or(name.path, |fd| path_of(fd, &mut room)))
}

/// What the next program image is told of the session `name`, if the region's descriptor is kept.
pub fn kept_name<'a>(name: &SessionName, into: &'a mut [u8; LONGEST]) -> Option<&'a [u8]> {
    let fd = Some(REGION.load(SeqCst)).filter(|&fd| fd >= 0)?;
    let mut path = [0; LONGEST];
    let path = path_of(fd, &mut path);
    SessionName { path, id: name.id, numbers: numbers::link() }.write(into)
}

/// Keeps the file that rows are printed to; false if that fails.
pub fn keep_log(fd: i32) -> bool {
    let fd = hidden_fds::hide(fd, how());
    LOG.store(fd.unwrap_or(-1), SeqCst);
    fd.is_some()
}

/// The file that rows are printed to.
pub fn log() -> i32 {
    LOG.load(SeqCst)
}

/// They were inherited. Numbers below 3 stand for none.
pub fn inherit(region: i32, file: i32, log: i32) {
    let given = |fd: i32| if fd > libc::STDERR_FILENO { fd } else { -1 };
    set(region, given(file));
    LOG.store(given(log), SeqCst);
    all().for_each(hidden_fds::stays_hidden);
}

fn set(region: i32, file: i32) {
    REGION.store(region, SeqCst);
    file::set(file);
}

/// The program has taken number `from`, and what had it is `to` now.
pub fn moved(from: i32, to: i32) {
    if file::descriptor() == from {
        file::set(to);
    }
    for one in [&REGION, &LOG] {
        let _ = one.compare_exchange(from, to, SeqCst, SeqCst);
    }
    numbers::moved(from, to);
}

/// Does exec(2) close them, where only this process is tracked?
pub fn close_on_exec(yes: bool) {
    let flags = if yes { libc::FD_CLOEXEC as usize } else { 0 };
    for fd in all() {
        // SAFETY: plain numbers.
        unsafe { syscall6(libc::SYS_fcntl, fd as usize, libc::F_SETFD as usize, flags, 0, 0, 0) };
    }
}

/// This process is not one of the tree: it has neither.
pub fn give_up() {
    all().for_each(hidden_fds::close_hidden);
    set(-1, -1);
    LOG.store(-1, SeqCst);
}

/// Their numbers as `REGION,FILE,LOG`, for the next program image; [`NONE`] if it is not to be one
/// of the tree.
pub fn text(into: &mut [u8; LONGEST]) -> &[u8] {
    if REGION.load(SeqCst) < 0 {
        return NONE.to_bytes();
    }
    let mut len = 0;
    let mut put = |text: &[u8]| {
        into[len..len + text.len()].copy_from_slice(text);
        len += text.len();
    };
    put(decimal(REGION.load(SeqCst).max(0) as u64, &mut [0; 20]));
    put(b",");
    put(decimal(file::descriptor().max(0) as u64, &mut [0; 20]));
    put(b",");
    put(decimal(log().max(0) as u64, &mut [0; 20]));
    &into[..len]
}
