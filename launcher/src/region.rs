//! The session's region as a file: a memfd of the launcher, memfd_create(2).

use engine::Page;
use look::process;
use memfd::{FileSeal, MemfdOptions};
use posix::names::FLUX;
use posix::session_name::{LONGEST, SessionName};
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::OpenOptionsExt;
use std::sync::atomic::Ordering::SeqCst;

/// A new one, and its file. The size is sealed: a program that could shrink the file would kill all
/// that have it mapped (SIGBUS).
pub fn make() -> io::Result<(File, &'static Page)> {
    let other = |e: memfd::Error| io::Error::other(e);
    let options = MemfdOptions::default().close_on_exec(true).allow_sealing(true);
    let file = options.create("flux-session").map_err(other)?;
    file.as_file().set_len(size_of::<Page>() as u64)?;
    file.add_seals(&[FileSeal::SealShrink, FileSeal::SealGrow, FileSeal::SealSeal])
        .map_err(other)?;
    let file = file.into_file();
    let page = map_file(&file)?;
    Ok((file, page))
}

/// What the environment says of the session whose region is at `path`.
pub fn name(path: &str, id: u64) -> OsString {
    let mut room = [0; LONGEST];
    let name = SessionName { path: path.as_bytes(), id, numbers: None };
    OsString::from_vec(name.write(&mut room).unwrap_or_default().to_vec())
}

/// The path in such a name.
pub fn path(name: &OsStr) -> Option<&OsStr> {
    SessionName::parse(name.as_bytes()).map(|name| OsStr::from_bytes(name.path))
}

/// A number that no other session has.
pub fn random() -> io::Result<u64> {
    let mut bytes = [0u8; 8];
    // SAFETY: room for that many bytes.
    let got = unsafe { libc::getrandom(bytes.as_mut_ptr().cast(), bytes.len(), 0) };
    match got {
        8 => Ok(u64::from_ne_bytes(bytes)),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Opens the region of the session that this process is in once more.
pub fn open_again() -> io::Result<File> {
    let name = std::env::var_os(FLUX.session.text()).unwrap_or_default();
    let name = SessionName::parse(name.as_bytes()).ok_or(io::ErrorKind::NotFound)?;
    open(name.path)
}

/// Whatever has that path now: nobody is to wait for the other end of a FIFO.
fn open(path: &[u8]) -> io::Result<File> {
    File::options()
        .read(true)
        .write(true)
        .custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY)
        .open(OsStr::from_bytes(path))
}

/// Maps the region of the session that the environment names so, for a process of ours.
pub fn map(name: &OsStr) -> Result<&'static Page, String> {
    let failed = |e: &dyn std::fmt::Display| format!("cannot map the session's shared memory: {e}");
    let name = SessionName::parse(name.as_bytes()).ok_or_else(|| failed(&"no such name"))?;
    let file = open(name.path).map_err(|e| failed(&e))?;
    let page = map_file(&file).map_err(|e| failed(&e))?;
    let same = page.valid() && page.header.id.load(SeqCst) == name.id;
    if same { Ok(page) } else { Err(failed(&"it is another session's")) }
}

fn map_file(file: &File) -> io::Result<&'static Page> {
    let about = file.metadata()?;
    if !about.is_file() || about.len() != size_of::<Page>() as u64 || !is_sealed(file) {
        return Err(io::ErrorKind::InvalidData.into());
    }
    // SAFETY: a fresh shared mapping of a file that keeps that size; it stays for the life of the
    // process.
    let at = unsafe {
        let prot = libc::PROT_READ | libc::PROT_WRITE;
        let fd = file.as_raw_fd();
        libc::mmap(std::ptr::null_mut(), size_of::<Page>(), prot, libc::MAP_SHARED, fd, 0)
    };
    if at == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: zeroed or filled by the launcher, and of the right size; every field is an atomic
    // integer.
    Ok(unsafe { &*(at as *const Page) })
}

/// The region of the session that this process is in.
pub fn of_environment() -> Option<&'static Page> {
    map(&std::env::var_os(FLUX.session.text())?).ok()
}

/// Are the numbers of processes in the region those that this process knows? In a PID namespace the
/// same number is a stranger's there, pid_namespaces(7).
pub fn has_our_numbers(page: &Page) -> bool {
    let id = std::process::id();
    let own =
        std::fs::read_link("/proc/self").is_ok_and(|link| link.as_os_str() == &*id.to_string());
    own && process::descends(id, page.header.launcher.load(SeqCst)) == Ok(true)
}

/// Can nobody shrink the file?
fn is_sealed(file: &File) -> bool {
    // SAFETY: plain numbers.
    let seals = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_GET_SEALS) };
    seals >= 0 && seals & libc::F_SEAL_SHRINK != 0
}
