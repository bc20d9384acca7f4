//! io_uring_enter(2), made by syscall(2). The time-out of the call is virtual; those of operations
//! in the ring (IORING_OP_TIMEOUT) are the kernel's and real.

use crate::hooks::descriptors::waiting;
use crate::shim::await_sleep::own_file;
use crate::shim::clock_id::SessionClocks;
use crate::shim::entry::{self, WaitKind};
use crate::shim::errno::Answer;
use crate::shim::polling_wait;
use crate::shim::user_memory::begins;
use engine::arch::syscall::syscall6;
use libc::{c_long, sigset_t, timespec};
use posix::errno::{self, Errno};
use posix::wait::{Call, IORING_ENTER_ABS_TIMER};

/// `struct io_uring_getevents_arg`.
#[repr(C)]
#[derive(Clone, Copy)]
struct Argument {
    mask: u64,
    mask_size: u32,
    min_wait: u32,
    timeout: u64,
}

/// io_uring_enter(2). First what is to be submitted is, so that the wait is for the answers alone
/// and can be made of several.
///
/// # Safety
/// As for the system call.
pub unsafe fn enter(args: [usize; 6]) -> c_long {
    crate::shim::tcp_push::writes_unseen();
    let [fd, submit, least, flags, argument, size] = args;
    let begun = begins(Call::IoUringEnter, args.map(|word| word as u64));
    let (Ok(Some(begun)), Some(entry)) = (begun, entry::enter()) else {
        return waiting(libc::SYS_io_uring_enter, args);
    };
    // SAFETY: it has just been read.
    let given = unsafe { *(argument as *const Argument) };
    let flags = flags as u32;
    let call = |submit: usize, least: usize, flags: u32, argument: *const Argument| {
        let (flags, argument) = (flags as usize, argument as usize);
        // SAFETY: the kernel checks the addresses; an argument of our own lives until then.
        errno::result(unsafe {
            syscall6(libc::SYS_io_uring_enter, fd, submit, least, flags, argument, size)
        })
    };
    const NOW: timespec = timespec { tv_sec: 0, tv_nsec: 0 };
    let told = |done| match done {
        Err(Errno(libc::ETIME)) => None,
        // It says so too when the time is over and there are fewer answers, but some.
        Ok(0) if least > 1 && answers(fd).is_some_and(|n| (n as usize) < least) => None,
        done => Some(done),
    };
    let wait = || {
        let deadline = begun.until.deadline(&SessionClocks(&entry.engine))?.ns();
        let theirs = given.mask as *const sigset_t;
        let mask_size = if theirs.is_null() { size_of::<u64>() as u32 } else { given.mask_size };
        let within = |(time, mask): (&timespec, *const sigset_t)| {
            let given = Argument {
                mask: mask as u64,
                mask_size,
                timeout: time as *const timespec as u64,
                ..given
            };
            call(0, least, flags & !(IORING_ENTER_ABS_TIMER as u32), &given)
        };
        let ask = |slice: Option<(&timespec, *const sigset_t)>| {
            told(within(slice.unwrap_or((&NOW, std::ptr::null()))))
        };
        match told(within((&NOW, theirs))) {
            Some(done) => done,
            None => polling_wait::wait(&entry, WaitKind::Descriptor, deadline, theirs, ask)
                .unwrap_or_else(|| within((&NOW, theirs))),
        }
    };
    let submitted = if submit == 0 { Ok(0) } else { call(submit, 0, 0, std::ptr::null()) };
    let done = submitted.and_then(|n| {
        if (n as usize) < submit {
            return Ok(n);
        }
        let done = wait();
        // As in the kernel: what was submitted is told rather than how the wait went.
        if submit > 0 { Ok(n) } else { done }
    });
    done.map(|n| n as c_long).answer()
}

/// How many answers wait to be taken from the ring, by `/proc/self/fdinfo`.
fn answers(fd: usize) -> Option<u32> {
    let mut text = [0u8; 512];
    let text = own_file(b"fdinfo/", fd as u32, &mut text);
    let number = |name: &[u8]| {
        let at = text.windows(name.len()).position(|found| found == name)? + name.len();
        let digits = text[at..].iter().skip_while(|byte| byte.is_ascii_whitespace());
        let digits = digits.map_while(|&byte| (byte as char).to_digit(10));
        Some(digits.fold(0u32, |n, digit| n.wrapping_mul(10).wrapping_add(digit)))
    };
    Some(number(b"CqTail:")?.wrapping_sub(number(b"CqHead:")?))
}
