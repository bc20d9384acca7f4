//! What callers hand over by pointer: whether it can be read or written, as the kernel would say.

use crate::shim::tls::tls;
use engine::arch::syscall::syscall6;
use libc::{c_int, timespec};
use posix::errno::Errno;
use posix::time::Spec;
use posix::wait::{self, Call, Memory, Wait};

/// The memory behind the arguments of a hook's call.
pub struct Caller;

/// The wait that a hook's call begins: see [`wait::begins`].
#[inline(always)]
pub fn begins(call: Call, arguments: [u64; 6]) -> Result<Option<Wait>, Errno> {
    wait::begins(call, arguments, &Caller)
}

impl Memory for Caller {
    #[inline(always)]
    fn read<const N: usize>(&self, at: u64) -> Option<[u64; N]> {
        let at = at as *const [u64; N];
        // SAFETY: the kernel has just read it, or something on the same page.
        readable(at).then(|| unsafe { at.read_unaligned() })
    }

    fn write<const N: usize>(&self, at: u64, words: [u64; N]) -> Option<()> {
        if at == 0 { None } else { store(at as *mut [u64; N], words).ok().map(|_| ()) }
    }
}

const PAGE: usize = 4096;

/// Reads a timespec that C passed by pointer; EFAULT where the kernel would say so.
#[allow(clippy::not_unsafe_ptr_arg_deref, reason = "it asks whether the address is good")]
pub fn spec(at: *const timespec) -> Result<Spec, Errno> {
    if !readable(at) {
        return Err(Errno::EFAULT);
    }
    // SAFETY: the kernel has just read it, or something on the same page.
    let ts = unsafe { at.read_unaligned() };
    Ok(Spec { sec: ts.tv_sec, nsec: ts.tv_nsec })
}

/// Can the whole of it be read? Natively the kernel answers EFAULT where it can't, so the kernel is
/// asked; but only once for objects on the same page.
pub fn readable<T>(at: *const T) -> bool {
    let (first, last) = (at as usize, (at as usize).wrapping_add(size_of::<T>() - 1));
    let (page, known) = (first / PAGE, &tls().readable);
    if !plausible(at) {
        return false;
    }
    if known.get() == page && last / PAGE == page {
        return true;
    }
    // No such operation: the set is read and nothing is done. It has 8 bytes, and what is asked for
    // is as large at least.
    const NO_OPERATION: usize = 0x7fff_ffff;
    let reads = |at: usize| {
        // SAFETY: the kernel checks the address; see above.
        let failed = unsafe { syscall6(libc::SYS_rt_sigprocmask, NO_OPERATION, at, 0, 8, 0, 0) };
        failed != -(libc::EFAULT as isize)
    };
    let good = reads(first) && (last / PAGE == page || reads(last - 7));
    if good {
        known.set(page);
    }
    good
}

/// Can 8 bytes be written there? They stay as they are.
pub fn writable<T>(at: *mut T) -> bool {
    let at = at as *mut u64;
    if !readable(at) {
        return false;
    }
    // SAFETY: it can be read.
    let before = unsafe { at.read_unaligned() };
    // SAFETY: the kernel checks the address, and writes its set of blocked signals.
    let good = unsafe { syscall6(libc::SYS_rt_sigprocmask, 0, 0, at as usize, 8, 0, 0) } == 0;
    if good {
        // SAFETY: the kernel has just written there.
        unsafe { at.write_unaligned(before) };
    }
    good
}

/// Can this be a user's address at all? The kernel answers EFAULT for those that are not; libc
/// passes them on.
pub fn plausible<T>(at: *const T) -> bool {
    (4096..0x0000_8000_0000_0000).contains(&(at as usize))
}

/// Writes an answer where the caller wants it, if it does; EFAULT where the kernel would say so.
#[allow(clippy::not_unsafe_ptr_arg_deref, reason = "it asks whether the address is good")]
pub fn store<T>(to: *mut T, value: T) -> Result<c_int, Errno> {
    if !to.is_null() {
        let last = to.cast::<u8>().wrapping_add(size_of::<T>() - size_of::<u64>());
        if !writable(to) || (to as usize ^ last as usize) >= PAGE && !writable(last) {
            return Err(Errno::EFAULT);
        }
        // SAFETY: the kernel has just written on each of its pages.
        unsafe { to.write_unaligned(value) };
    }
    Ok(0)
}
