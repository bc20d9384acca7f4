//! That a pseudo-terminal was made is counted: from then on deciders ask whether the bytes that
//! were written to one end have arrived at the other. See [`engine::region::holds`].

use crate::shim::session;
use libc::{c_char, c_int};
use std::ffi::CStr;

/// The calling thread is about to make one, or has just done so.
pub fn made() {
    if let Some(engine) = session::engine() {
        engine.page.makes_terminal();
    }
}

/// `path` was opened as `fd`: it may be the device that makes terminals.
///
/// # Safety
/// If `fd` is not negative, `path` is a C string.
#[inline]
pub unsafe fn opened(path: *const c_char, fd: c_int) -> c_int {
    // SAFETY: by the contract.
    if fd >= 0 && unsafe { CStr::from_ptr(path) }.to_bytes().ends_with(b"ptmx") {
        made();
    }
    fd
}
