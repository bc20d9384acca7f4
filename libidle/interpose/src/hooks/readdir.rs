//! readdir(3) of a process's own descriptors in proc(5): those that this library has are left out.

use crate::next;
use crate::shim::hidden_fds;
use crate::shim::session;
use engine::arch::syscall::syscall6;
use libc::{DIR, c_char, c_int, dirent};
use std::ffi::CStr;
use std::io::Write;

/// The number that an entry is called, if it is one.
///
/// # Safety
/// `name` is a C string.
unsafe fn number(name: *const c_char) -> Option<c_int> {
    // SAFETY: `name` is a C string, by this function's contract.
    unsafe { CStr::from_ptr(name) }.to_str().ok()?.parse().ok()
}

/// Is `folder` a list of this process's descriptors?
fn lists_ours(folder: c_int) -> bool {
    let (mut link, mut target, mut own) = ([0u8; 40], [0u8; 64], [0u8; 24]);
    let _ = write!(&mut link[..39], "/proc/self/fd/{folder}");
    let mut rest = &mut own[..];
    let _ = write!(rest, "/proc/{}/", session::getpid());
    let left = rest.len();
    let (at, size) = (target.as_mut_ptr() as usize, target.len());
    // SAFETY: a path with its NUL, a buffer of our own.
    let got = unsafe { syscall6(libc::SYS_readlink, link.as_ptr() as usize, at, size, 0, 0, 0) };
    let target = &target[..got.max(0) as usize];
    target.starts_with(&own[..own.len() - left])
        && (target.ends_with(b"/fd") || target.ends_with(b"/fdinfo"))
}

/// The next entry that the program may see. `dirent` and `dirent64` are the same here.
///
/// # Safety
/// As for readdir(3).
unsafe fn next_visible(
    dir: *mut DIR,
    real: extern "C-unwind" fn(*mut DIR) -> *mut dirent,
) -> *mut dirent {
    loop {
        // SAFETY: an open stream; an entry that is not null stays until the next call.
        unsafe {
            let entry = real(dir);
            let ours = |fd: &c_int| {
                hidden_fds::is_hidden(*fd)
                    && !session::in_vfork_child()
                    && lists_ours(libc::dirfd(dir))
            };
            if entry.is_null() || number((*entry).d_name.as_ptr()).filter(ours).is_none() {
                return entry;
            }
        }
    }
}

/// readdir(3).
///
/// # Safety
/// As for the C function.
pub unsafe fn readdir(dir: *mut DIR) -> *mut dirent {
    // SAFETY: readdir(3) has an open stream.
    unsafe { next_visible(dir, next!(readdir: fn(*mut DIR) -> *mut dirent)) }
}

/// readdir64.
///
/// # Safety
/// As for the C function.
pub unsafe fn readdir64(dir: *mut DIR) -> *mut dirent {
    // SAFETY: readdir(3) has an open stream.
    unsafe { next_visible(dir, next!(readdir64: fn(*mut DIR) -> *mut dirent)) }
}
