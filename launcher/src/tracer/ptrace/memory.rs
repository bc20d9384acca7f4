//! A tracee's memory.

use super::failed::Failed;
use libc::{c_void, iovec, pid_t};
use posix::wait;
use std::fs::OpenOptions;
use std::mem::MaybeUninit;
use std::os::unix::fs::FileExt;

/// A thread's memory, by its number. An address that is not there is an error, never a signal.
#[derive(Clone, Copy)]
pub struct Memory(pub pid_t);

/// The address is not there, or not writable: what a system call answers with EFAULT.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fault;

/// Types that any bytes are a value of.
///
/// # Safety
/// No invalid values, no padding.
pub unsafe trait Plain: Copy {}
// SAFETY: integers, and structures of them without padding.
unsafe impl Plain for u32 {}
// SAFETY: as above.
unsafe impl Plain for u64 {}
// SAFETY: as above.
unsafe impl Plain for [i64; 2] {}
// SAFETY: as above.
unsafe impl Plain for [u64; 2] {}
// SAFETY: as above.
unsafe impl Plain for [i64; 4] {}

impl wait::Memory for Memory {
    fn read<const N: usize>(&self, at: u64) -> Option<[u64; N]> {
        let mut words = [[0; 8]; N];
        let bytes = words.as_flattened_mut();
        let whole = self.bytes(at, bytes) == bytes.len();
        whole.then(|| words.map(u64::from_ne_bytes))
    }

    fn write<const N: usize>(&self, at: u64, words: [u64; N]) -> Option<()> {
        self.write_bytes(at, words.map(u64::to_ne_bytes).as_flattened()).ok()
    }
}

impl Memory {
    /// The value at `at`.
    pub fn read<T: Plain>(self, at: u64) -> Result<T, Fault> {
        let mut value = MaybeUninit::<T>::uninit();
        let here = iovec { iov_base: value.as_mut_ptr().cast(), iov_len: size_of::<T>() };
        let there = iovec { iov_base: at as *mut c_void, iov_len: size_of::<T>() };
        // SAFETY: writes to `value` only, which is as long as it says.
        let n = unsafe { libc::process_vm_readv(self.0, &here, 1, &there, 1, 0) };
        // SAFETY: all bytes were written, and any bytes are a value of a plain type.
        if n == size_of::<T>() as isize { Ok(unsafe { value.assume_init() }) } else { Err(Fault) }
    }

    /// Fills `to` from `at` on; how much could be read.
    pub fn bytes(self, at: u64, to: &mut [u8]) -> usize {
        let here = iovec { iov_base: to.as_mut_ptr().cast(), iov_len: to.len() };
        let there = iovec { iov_base: at as *mut c_void, iov_len: to.len() };
        // SAFETY: writes to `to` only.
        unsafe { libc::process_vm_readv(self.0, &here, 1, &there, 1, 0) }.max(0) as usize
    }

    /// The bytes from `at` up to a NUL, at most `most`.
    pub fn text(self, at: u64, most: usize) -> Option<Vec<u8>> {
        let mut found = vec![];
        while found.len() < most {
            // Not beyond the page, which may be the last one.
            let mut piece = [0; 256];
            let next = at + found.len() as u64;
            let room = piece.len().min(4096 - (next % 4096) as usize);
            let n = self.bytes(next, &mut piece[..room]);
            if n == 0 {
                return None;
            }
            match piece[..n].iter().position(|&b| b == 0) {
                Some(end) => {
                    found.extend(&piece[..end]);
                    return Some(found);
                }
                None => found.extend(&piece[..n]),
            }
        }
        None
    }

    /// Writes where the program itself may.
    pub fn write<T: Plain>(self, at: u64, value: &T) -> Result<(), Fault> {
        // SAFETY: the bytes of a plain value.
        self.write_bytes(at, unsafe {
            std::slice::from_raw_parts((value as *const T).cast(), size_of::<T>())
        })
    }

    /// See [`Memory::write`].
    pub fn write_bytes(self, at: u64, bytes: &[u8]) -> Result<(), Fault> {
        let here = iovec { iov_base: bytes.as_ptr() as *mut c_void, iov_len: bytes.len() };
        let there = iovec { iov_base: at as *mut c_void, iov_len: bytes.len() };
        // SAFETY: reads `bytes` only.
        let n = unsafe { libc::process_vm_writev(self.0, &here, 1, &there, 1, 0) };
        if n == bytes.len() as isize { Ok(()) } else { Err(Fault) }
    }

    /// Writes also what is read-only for the program: its code, the vDSO.
    pub fn patch(self, at: u64, bytes: &[u8]) -> Result<(), Failed> {
        let written = OpenOptions::new()
            .write(true)
            .open(format!("/proc/{}/mem", self.0))
            .and_then(|file| file.write_all_at(bytes, at));
        written.map_err(|error| Failed::new(self.0, "a write to the memory", &error))
    }
}
