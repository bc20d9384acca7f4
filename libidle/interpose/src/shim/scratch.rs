//! Memory for the time of one call: on the stack when little is needed, mapped when more. Never
//! `malloc`: hooks run in signal handlers and inside allocators.

use engine::arch::syscall::syscall6;
use posix::errno::is_error;

/// A zeroed array of `T`, `INLINE` of them without a system call.
pub struct Scratch<T: Copy, const INLINE: usize> {
    inline: std::mem::MaybeUninit<[T; INLINE]>,
    mapped: *mut T,
    len: usize,
}

impl<T: Copy, const INLINE: usize> Scratch<T, INLINE> {
    /// `len` elements, all bytes zero; `None` when there is no memory. `T` must be valid as zeroes.
    ///
    /// # Safety
    /// All zero bytes are a valid `T`.
    pub unsafe fn zeroed(len: usize) -> Option<Scratch<T, INLINE>> {
        let mut mapped = std::ptr::null_mut();
        if len > INLINE {
            let prot = (libc::PROT_READ | libc::PROT_WRITE) as usize;
            let flags = (libc::MAP_PRIVATE | libc::MAP_ANONYMOUS) as usize;
            // SAFETY: a fresh anonymous mapping.
            let at = unsafe {
                syscall6(libc::SYS_mmap, 0, len * size_of::<T>(), prot, flags, usize::MAX, 0)
            };
            if is_error(at) {
                return None;
            }
            mapped = at as *mut T;
        }
        Some(Scratch { inline: std::mem::MaybeUninit::zeroed(), mapped, len })
    }

    /// The elements.
    pub fn slice(&mut self) -> &mut [T] {
        let at = if self.mapped.is_null() { self.inline.as_mut_ptr().cast() } else { self.mapped };
        // SAFETY: either the zeroed array of INLINE >= len elements or a mapping of len elements.
        unsafe { std::slice::from_raw_parts_mut(at, self.len) }
    }
}

impl<T: Copy, const INLINE: usize> Drop for Scratch<T, INLINE> {
    fn drop(&mut self) {
        if !self.mapped.is_null() {
            // SAFETY: mapped by `zeroed` with this length.
            unsafe {
                syscall6(
                    libc::SYS_munmap,
                    self.mapped as usize,
                    self.len * size_of::<T>(),
                    0,
                    0,
                    0,
                    0,
                )
            };
        }
    }
}
