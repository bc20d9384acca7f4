//! A thread block for who is made by clone(2) without one of libc's.
//!
//! Such a thread shares its creator's block, or was given an address that is none. The library's
//! words lie in the block, and two threads cannot share them. So the thread gets a copy of its
//! creator's block, with what that has in its thread-local variables. What it writes there is its
//! own then, errno for example. The copy is never given back: nobody knows when the thread ends.

use crate::shim::tls::{Tls, tls};
use engine::arch::syscall::syscall6;
use engine::arch::thread_pointer;
use libc::{c_void, iovec};
use posix::errno::is_error;
use std::ptr::null_mut;

/// What lies above the address of a block: libc's `struct pthread`, and more than that.
const HEAD: usize = 4096;
/// What of it is libc's, in any version.
const PTHREAD: usize = 2304;

/// Is this a block of libc's (or of one like libc)? It has its own address at two places.
pub fn is_one(block: *mut c_void) -> bool {
    let mut words = [0usize; 3];
    read(block as usize, words.as_mut_ptr().cast(), size_of_val(&words))
        && words[0] == block as usize
        && words[2] == block as usize
}

/// A copy of the calling thread's block; null if there can be none. In it the library's words are
/// zero but for the slot, which is `slot` (as [`Tls::slot`] has it), and the credit of a fork.
pub fn copy(slot: u32) -> *mut c_void {
    let Some(size) = size_below() else { return null_mut() };
    let (below, prot) =
        (size.next_multiple_of(HEAD), (libc::PROT_READ | libc::PROT_WRITE) as usize);
    let flags = (libc::MAP_PRIVATE | libc::MAP_ANONYMOUS) as usize;
    // SAFETY: a fresh mapping.
    let at = unsafe { syscall6(libc::SYS_mmap, 0, below + HEAD, prot, flags, usize::MAX, 0) };
    let (from, block) = (thread_pointer(), at as usize + below);
    if is_error(at) || !read(from - size, (block - size) as *mut u8, size + PTHREAD) {
        return null_mut();
    }
    let own = block - (from - std::ptr::from_ref(tls()) as usize);
    // SAFETY: in the mapping; zero is a valid value of the library's words, and the block's own
    // address stands where the ABI wants it.
    unsafe {
        (own as *mut u8).write_bytes(0, size_of::<Tls>());
        let words = &*(own as *const Tls);
        words.slot.set(slot);
        words.fork_credit.set(tls().fork_credit.get());
        *(block as *mut usize) = block;
        *(block as *mut usize).add(2) = block;
    }
    block as *mut c_void
}

/// The size of libc's static thread-local storage, which lies below a block's address. ld.so tells
/// it to the runtimes of sanitizers.
fn size_below() -> Option<usize> {
    let name = c"_dl_get_tls_static_info".as_ptr();
    // SAFETY: C strings.
    let tells = unsafe { libc::dlvsym(libc::RTLD_DEFAULT, name, c"GLIBC_PRIVATE".as_ptr()) };
    if tells.is_null() {
        return None;
    }
    // SAFETY: ld.so's function; it has this type.
    let tells: extern "C" fn(*mut usize, *mut usize) = unsafe { std::mem::transmute(tells) };
    let (mut size, mut align) = (0, 0);
    tells(&mut size, &mut align);
    // It counts libc's own structure in.
    size.checked_sub(PTHREAD)
}

/// Reads memory that may not be there.
fn read(from: usize, to: *mut u8, length: usize) -> bool {
    let (to, from) = (
        iovec { iov_base: to.cast(), iov_len: length },
        iovec { iov_base: from as *mut c_void, iov_len: length },
    );
    // SAFETY: memory of the caller's; what is read the kernel checks.
    let got = unsafe {
        let me = syscall6(libc::SYS_getpid, 0, 0, 0, 0, 0, 0) as usize;
        let (to, from) = (&raw const to as usize, &raw const from as usize);
        syscall6(libc::SYS_process_vm_readv, me, to, 1, from, 1, 0)
    };
    got == length as isize
}
