//! Mappings that go away: the library reads the clock by code of the kernel's, the vDSO, which a
//! program may unmap or move like any other mapping.

use crate::next;
use crate::shim::vdso;
use libc::{c_int, c_void, size_t};

/// munmap(2).
pub fn munmap(at: *mut c_void, length: size_t) -> c_int {
    vdso::goes(at as usize, length);
    next!(munmap: fn(*mut c_void, size_t) -> c_int)(at, length)
}

/// mremap(2); the new address is read whether or not it was passed.
pub fn mremap(
    old: *mut c_void,
    old_length: size_t,
    length: size_t,
    flags: c_int,
    new: *mut c_void,
) -> *mut c_void {
    vdso::goes(old as usize, old_length);
    if flags & libc::MREMAP_FIXED != 0 {
        vdso::goes(new as usize, length);
    }
    next!(mremap: fn(*mut c_void, size_t, size_t, c_int, *mut c_void) -> *mut c_void)(
        old, old_length, length, flags, new,
    )
}
