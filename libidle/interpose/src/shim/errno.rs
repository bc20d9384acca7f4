//! `errno`, set in one place, and the conversion from results to what C expects.

use posix::errno::Errno;

/// Sets the calling thread's `errno`.
pub fn set(code: i32) {
    // SAFETY: glibc's errno location is valid in every thread.
    unsafe { *libc::__errno_location() = code };
}

/// The calling thread's `errno`.
pub fn get() -> i32 {
    // SAFETY: as above.
    unsafe { *libc::__errno_location() }
}

/// What a hook's body may return, and how C sees it.
pub trait Answer {
    /// The C type.
    type C;
    /// The last step of every hook.
    fn answer(self) -> Self::C;
}

/// The usual style: -1 and errno.
impl<T: From<i8>> Answer for Result<T, Errno> {
    type C = T;
    #[inline(always)]
    fn answer(self) -> T {
        match self {
            Ok(value) => value,
            Err(Errno(code)) => {
                set(code);
                T::from(-1i8)
            }
        }
    }
}

/// Error-number style (pthread functions), or the value of a libc function that has set errno
/// itself.
macro_rules! plain {
    ($($t:ty),*) => {$(
        impl Answer for $t {
            type C = $t;
            #[inline(always)]
            fn answer(self) -> $t { self }
        }
    )*};
}
plain!(i32, u32, u64, isize, i64, (), *mut libc::FILE, *mut libc::c_char, *mut libc::dirent, usize);

impl Answer for *mut libc::c_void {
    type C = *mut libc::c_void;
    fn answer(self) -> *mut libc::c_void {
        self
    }
}

/// What a call of libc answered, with its errno taken out.
pub fn outcome(raw: i32) -> Result<i32, Errno> {
    if raw < 0 { Err(Errno(get())) } else { Ok(raw) }
}
