//! The functions beneath our hooks: the next definition of a name after this library.

use std::ffi::CStr;
use std::sync::atomic::{AtomicPtr, Ordering};

/// A function looked up at its first use. Looking up is idempotent, so no lock is needed.
///
/// It is nothing but its address, and its name comes with each use: hundreds of names in static
/// data would be so many addresses to relocate, and pages to copy, in each process that is executed
/// (NOTE [One page for each process]).
pub struct Next(AtomicPtr<libc::c_void>);

impl Next {
    /// Not looked up yet.
    #[allow(clippy::new_without_default, reason = "one is only ever a static of `next!`")]
    pub const fn new() -> Next {
        Next(AtomicPtr::new(std::ptr::null_mut()))
    }

    /// The function `name` as `F`, the type of a pointer to it; for [`next!`](crate::next!) alone.
    #[inline(always)]
    pub fn function<F: Copy>(&self, name: &'static CStr, version: Option<&'static CStr>) -> F {
        const { assert!(size_of::<F>() == size_of::<*mut libc::c_void>()) };
        let at = self.get(name, version);
        // SAFETY: the type is that of the C header, and the address is the function's. What the
        // function demands of its pointers is kept by those who call it: a hook's body passes on
        // what its own caller has to vouch for by the same contract, or an object of this
        // library's that outlives the call.
        unsafe { std::mem::transmute_copy(&at) }
    }

    /// The address of `name`: of that version, as `dlsym(RTLD_NEXT)` can answer with an obsolete
    /// one where several exist; or of the default one.
    #[inline(always)]
    fn get(&self, name: &'static CStr, version: Option<&'static CStr>) -> *mut libc::c_void {
        let at = self.0.load(Ordering::Relaxed);
        if at.is_null() { self.resolve(name, version) } else { at }
    }

    #[cold]
    fn resolve(&self, name: &'static CStr, version: Option<&'static CStr>) -> *mut libc::c_void {
        // SAFETY: the names are NUL-terminated; redhook's look-up is the same call, but panics on a
        // missing name, so it is asked only after the name is known to exist.
        let at = unsafe {
            match version {
                Some(version) => libc::dlvsym(libc::RTLD_NEXT, name.as_ptr(), version.as_ptr()),
                None if libc::dlsym(libc::RTLD_NEXT, name.as_ptr()).is_null() => {
                    std::ptr::null_mut()
                }
                None => {
                    let name: &'static str =
                        std::str::from_utf8_unchecked(name.to_bytes_with_nul());
                    redhook::ld_preload::dlsym_next(name) as *mut libc::c_void
                }
            }
        };
        if at.is_null() {
            return unsupported as *mut libc::c_void;
        }
        self.0.store(at, Ordering::Relaxed);
        at
    }
}

/// Stands for a function that this C library lacks: fails with ENOSYS.
extern "C" fn unsupported() -> isize {
    crate::shim::errno::set(libc::ENOSYS);
    -1
}

/// A name that ends with its NUL.
pub const fn c_name(text: &'static str) -> &'static CStr {
    match CStr::from_bytes_with_nul(text.as_bytes()) {
        Ok(name) => name,
        Err(_) => panic!("a name without its NUL"),
    }
}

/// The next definition of a function, as a typed pointer that can be called: `next!(read: fn(c_int,
/// *mut c_void, usize) -> isize)`. The form with `@` names a version.
#[macro_export]
macro_rules! next {
    ($name:ident : fn($($t:ty),* $(,)?) -> $r:ty) => {
        $crate::next!(@ stringify!($name), None, fn($($t),*) -> $r)
    };
    (@ $name:expr, $version:expr, fn($($t:ty),*) -> $r:ty) => {{
        use $crate::shim::next_definition::{Next, c_name};
        #[unsafe(link_section = ".data.interpose")]
        static NEXT: Next = Next::new();
        let name = const { c_name(concat!($name, "\0")) };
        NEXT.function::<extern "C-unwind" fn($($t),*) -> $r>(name, $version)
    }};
}
