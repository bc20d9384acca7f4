//! The descriptors that this process has open.

use engine::arch::syscall::syscall6;
use libc::c_int;

/// Calls `body` for each open descriptor, by proc(5).
pub fn each(mut body: impl FnMut(c_int)) {
    let mut entries = [0u64; 512];
    // SAFETY: a path with its NUL; the kernel fills the buffer with whole `struct linux_dirent64`:
    // the record's length at 16, the name at 19.
    unsafe {
        let flags = (libc::O_RDONLY | libc::O_DIRECTORY | libc::O_CLOEXEC) as usize;
        let folder =
            syscall6(libc::SYS_open, c"/proc/self/fd".as_ptr() as usize, flags, 0, 0, 0, 0);
        if folder < 0 {
            return;
        }
        loop {
            let (at, size) = (entries.as_mut_ptr() as usize, size_of_val(&entries));
            let got = syscall6(libc::SYS_getdents64, folder as usize, at, size, 0, 0, 0);
            if got <= 0 {
                break;
            }
            let mut entry = at as *const u8;
            while (entry as usize) < at + got as usize {
                let name = std::ffi::CStr::from_ptr(entry.add(19).cast()).to_bytes();
                let number = name.iter().try_fold(0, |n: c_int, &b| {
                    b.is_ascii_digit().then(|| n * 10 + (b - b'0') as c_int)
                });
                if let Some(fd) = number.filter(|&fd| fd as isize != folder) {
                    body(fd);
                }
                entry = entry.add(entry.add(16).cast::<u16>().read_unaligned() as usize);
            }
        }
        syscall6(libc::SYS_close, folder as usize, 0, 0, 0, 0, 0);
    }
}
