//! The unwinder, looked up only when something unwinds.
//!
//! Compiled Rust calls `_Unwind_…` of libgcc_s.so.1. As a dependency of this library it would be
//! loaded into each process that is executed, which took as long as all else that joining a session
//! takes. So these names lead there at their first call. Whoever unwinds through frames of ours
//! (pthread_cancel(3), pthread_exit(3), a C++ exception) has loaded it before. A copy linked into
//! this library is no way out: what it keeps of an unwinding is private to the copy that began it.

use libc::{c_char, c_void};
use std::sync::atomic::{AtomicPtr, Ordering};

// The unwinder starts at the frame of its caller: these functions leave none of their own.
engine::looked_up_when_called!(
    find;
    "_Unwind_Backtrace",
    "_Unwind_DeleteException",
    "_Unwind_GetDataRelBase",
    "_Unwind_GetIP",
    "_Unwind_GetIPInfo",
    "_Unwind_GetLanguageSpecificData",
    "_Unwind_GetRegionStart",
    "_Unwind_GetTextRelBase",
    "_Unwind_RaiseException",
    "_Unwind_Resume",
    "_Unwind_SetGR",
    "_Unwind_SetIP",
);

/// The library's function of that name. Without it there is nothing left to do but what libc does
/// then.
unsafe extern "C" fn find(name: *const c_char) -> *mut c_void {
    static LIBRARY: AtomicPtr<c_void> = AtomicPtr::new(std::ptr::null_mut());
    // SAFETY: NUL-terminated names; the handle is never closed.
    unsafe {
        if LIBRARY.load(Ordering::Acquire).is_null() {
            LIBRARY
                .store(libc::dlopen(c"libgcc_s.so.1".as_ptr(), libc::RTLD_LAZY), Ordering::Release);
        }
        let library = LIBRARY.load(Ordering::Acquire);
        let function = if library.is_null() { library } else { libc::dlsym(library, name) };
        if function.is_null() {
            libc::abort();
        }
        function
    }
}
