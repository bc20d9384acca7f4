//! Files in `/proc`, read with system calls alone and into the caller's buffers: code that runs
//! inside programs must not allocate. See proc(5).

use crate::arch::numbers as nr;
use crate::arch::syscall::syscall6;
use std::ffi::CStr;

/// The kernel's error code, positive.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Errno(pub i32);

impl Errno {
    /// Does the error say that the thread or process is not there? Other errors (no descriptors
    /// left, no permission) do not say that.
    pub fn gone(self) -> bool {
        const ENOENT: i32 = 2;
        const ESRCH: i32 = 3;
        matches!(self.0, ENOENT | ESRCH)
    }

    /// Are no descriptors left, in this process or on this machine?
    pub fn full(self) -> bool {
        const ENFILE: i32 = 23;
        const EMFILE: i32 = 24;
        matches!(self.0, ENFILE | EMFILE)
    }

    /// Does the kernel refuse the look?
    pub fn refused(self) -> bool {
        const EPERM: i32 = 1;
        const EACCES: i32 = 13;
        matches!(self.0, EPERM | EACCES)
    }

    /// The file's contents make no sense.
    pub const STRANGE: Errno = Errno(22);
}

/// A path below `/proc`, with its NUL.
pub struct Path {
    bytes: [u8; Path::LONGEST],
    len: usize,
}

impl Path {
    const LONGEST: usize = 64;

    fn new() -> Path {
        Path { bytes: [0; Path::LONGEST], len: 0 }.with("/proc/")
    }

    /// A name that does not fit is left out, and then there is no such file.
    fn with(mut self, text: &str) -> Path {
        for &byte in text.as_bytes().iter().take(Path::LONGEST - 1 - self.len) {
            self.bytes[self.len] = byte;
            self.len += 1;
        }
        self
    }

    fn number(self, n: u32) -> Path {
        self.with(std::str::from_utf8(decimal(n.into(), &mut [0; 20])).unwrap_or_default())
    }

    /// `/proc` itself.
    pub fn all() -> Path {
        Path::new()
    }

    /// `/proc/PID/NAME`.
    pub fn process(pid: u32, name: &str) -> Path {
        Path::new().number(pid).with("/").with(name)
    }

    /// `/proc/PID/task/TID/NAME`.
    pub fn thread(pid: u32, tid: u32, name: &str) -> Path {
        Path::new().number(pid).with("/task/").number(tid).with("/").with(name)
    }

    /// `/proc/thread-self/NAME`: of the calling thread.
    pub fn own_thread(name: &str) -> Path {
        Path::new().with("thread-self/").with(name)
    }

    /// `/proc/PID/fd/FD`.
    pub fn descriptor(pid: u32, fd: u32) -> Path {
        Path::new().number(pid).with("/fd/").number(fd)
    }

    /// For a system call. It ends with a NUL.
    pub fn as_ptr(&self) -> *const u8 {
        self.bytes.as_ptr()
    }

    /// The file's contents, as far as they fit into `buf`.
    pub fn read(self, buf: &mut [u8]) -> Result<&[u8], Errno> {
        let got = File::open(&self)?.read_at_start(buf)?;
        Ok(&buf[..got])
    }
}

/// An open file, closed when dropped.
#[derive(Debug)]
pub struct File(i32);

fn checked(raw: isize) -> Result<usize, Errno> {
    if raw < 0 { Err(Errno(-raw as i32)) } else { Ok(raw as usize) }
}

impl File {
    /// Opens it for reading.
    pub fn open(path: &Path) -> Result<File, Errno> {
        File::named(CStr::from_bytes_until_nul(&path.bytes).map_err(|_| Errno::STRANGE)?)
    }

    /// Opens a file that is not below `/proc`, for reading.
    pub fn named(path: &CStr) -> Result<File, Errno> {
        const O_CLOEXEC: usize = 0o2_000_000;
        // SAFETY: a path with its NUL.
        let raw = unsafe { syscall6(nr::OPEN, path.as_ptr() as usize, O_CLOEXEC, 0, 0, 0, 0) };
        checked(raw).map(|fd| File(fd as i32))
    }

    /// Reads from the beginning: the kernel makes such a file anew each time.
    pub fn read_at_start(&self, buf: &mut [u8]) -> Result<usize, Errno> {
        // SAFETY: a buffer of the caller's.
        checked(unsafe {
            syscall6(nr::PREAD64, self.0 as usize, buf.as_mut_ptr() as usize, buf.len(), 0, 0, 0)
        })
    }

    /// Reads on from where the last call stopped.
    pub fn read_on(&self, buf: &mut [u8]) -> Result<usize, Errno> {
        // SAFETY: a buffer of the caller's.
        checked(unsafe {
            syscall6(nr::READ, self.0 as usize, buf.as_mut_ptr() as usize, buf.len(), 0, 0, 0)
        })
    }

    /// Calls `each` with each number among the names in a folder, until it returns false.
    pub fn numbers(&self, mut each: impl FnMut(u32) -> bool) -> Result<(), Errno> {
        /// Of `struct linux_dirent64`: the length of an entry, and its name.
        const LENGTH: usize = 16;
        const NAME: usize = 19;
        let mut buf = [0u64; 256];
        let size = size_of_val(&buf);
        loop {
            // SAFETY: a buffer of our own.
            let raw = unsafe {
                syscall6(nr::GETDENTS64, self.0 as usize, buf.as_mut_ptr() as usize, size, 0, 0, 0)
            };
            let got = checked(raw)?;
            // SAFETY: the same memory as bytes.
            let bytes =
                unsafe { std::slice::from_raw_parts(buf.as_ptr().cast::<u8>(), got.min(size)) };
            let mut at = 0;
            while let Some(entry) = bytes.get(at..).filter(|rest| rest.len() > NAME) {
                let length = u16::from_ne_bytes([entry[LENGTH], entry[LENGTH + 1]]) as usize;
                let name = entry.get(NAME..length).unwrap_or_default();
                let end = name.iter().position(|&byte| byte == 0).unwrap_or(name.len());
                if number(&name[..end]).is_some_and(|n| !each(n as u32)) {
                    return Ok(());
                }
                at += length.max(NAME);
            }
            if got == 0 {
                return Ok(());
            }
        }
    }
}

impl Drop for File {
    fn drop(&mut self) {
        // SAFETY: a descriptor of our own.
        unsafe { syscall6(nr::CLOSE, self.0 as usize, 0, 0, 0, 0, 0) };
    }
}

/// A decimal number, and nothing else.
pub fn number(text: &[u8]) -> Option<u64> {
    let digit = |n: Option<u64>, &byte: &u8| {
        let digit = (byte as char).to_digit(10)?;
        n?.checked_mul(10)?.checked_add(digit as u64)
    };
    if text.is_empty() { None } else { text.iter().fold(Some(0), digit) }
}

/// A hexadecimal number that begins with `0x`.
pub fn hexadecimal(text: &[u8]) -> Option<u64> {
    u64::from_str_radix(std::str::from_utf8(text.strip_prefix(b"0x")?).ok()?, 16).ok()
}

/// The words of a text.
pub fn words(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty())
}

/// The state letter of a `stat` file: after the name in parentheses, which may hold anything.
pub fn state_letter(stat: &[u8]) -> Option<u8> {
    let end = stat.iter().rposition(|&byte| byte == b')')?;
    stat.get(end + 2).copied()
}

/// `n` in decimal digits.
pub fn decimal(mut n: u64, digits: &mut [u8; 20]) -> &[u8] {
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (n % 10) as u8;
        n /= 10;
        if n == 0 {
            return &digits[at..];
        }
    }
}
