//! select(2) and pselect(2). The kernel overwrites the sets it is given, so every try gets copies;
//! a wait with a time-out has the thread's wake fd in its read set.

use crate::hooks::poll::limit;
use crate::next;
use crate::shim::clock_id::SessionClocks;
use crate::shim::entry::{Entry, WaitKind, enter};
use crate::shim::errno::outcome;
use crate::shim::hidden_fds;
use crate::shim::polling_wait;
use crate::shim::readiness::{NO_LIMIT, NO_WAIT};
use crate::shim::scratch::Scratch;
use crate::shim::timer_fds;
use crate::shim::user_memory::{self, Caller, begins};
use crate::shim::wake_fd;
use engine::Reason;
use engine::arch::syscall::syscall6;
use libc::{c_int, fd_set, sigset_t, timespec, timeval};
use posix::clock::Clocks;
use posix::errno::{self, Errno};
use posix::time::{Instant, NEVER};
use posix::wait::Call;

/// Read, write and exception set.
type Sets = [*mut fd_set; 3];

fn real(n: c_int, s: Sets, wait: *const timespec, mask: *const sigset_t) -> Result<c_int, Errno> {
    let pselect = next!(
        pselect: fn(
            c_int, *mut fd_set, *mut fd_set, *mut fd_set, *const timespec, *const sigset_t
        ) -> c_int
    );
    outcome(pselect(n, s[0], s[1], s[2], wait, mask))
}

/// What is ready now; as in [`crate::hooks::poll`].
fn ready_now(
    entry: &Entry,
    n: c_int,
    [r, w, x]: Sets,
    mask: *const sigset_t,
) -> Result<c_int, Errno> {
    entry.cancellation_point();
    let (mut now, mut with) = (NO_WAIT, [mask as usize, 8]);
    let (time, with) = (&raw mut now as usize, &raw mut with as usize);
    // SAFETY: the kernel checks the addresses; it writes what pselect(2) writes, and the time-out.
    let raw = unsafe {
        syscall6(libc::SYS_pselect6, n as usize, r as usize, w as usize, x as usize, time, with)
    };
    errno::result(raw).map(|ready| ready as c_int)
}

/// Is nothing ready? As in [`crate::hooks::poll`]: no cancellation point, no handler by the
/// caller's mask.
fn none_ready(n: c_int, [read, write, except]: Sets) -> bool {
    let mut now = NO_WAIT;
    let at = &raw mut now as usize;
    // SAFETY: as above.
    unsafe {
        syscall6(
            libc::SYS_pselect6,
            n as usize,
            read as usize,
            write as usize,
            except as usize,
            at,
            0,
        ) == 0
    }
}

/// What the kernel makes of the number of descriptors: no more than the process's table has room
/// for. The caller's sets need not be any larger.
fn clamp(n: c_int) -> c_int {
    /// A set of the usual type holds this many.
    const USUAL: c_int = 1024;
    if n <= USUAL {
        return n;
    }
    let room = table_size().unwrap_or_else(hidden_fds::descriptor_limit);
    n.min(c_int::try_from(room).unwrap_or(c_int::MAX).max(USUAL))
}

/// `FDSize` of `/proc/self/status`.
fn table_size() -> Option<usize> {
    const NAME: &[u8] = b"\nFDSize:";
    let mut text = [0u8; 1024];
    // SAFETY: a path with its NUL, a buffer of our own.
    let got = unsafe {
        let flags = (libc::O_RDONLY | libc::O_CLOEXEC) as usize;
        let fd =
            syscall6(libc::SYS_open, c"/proc/self/status".as_ptr() as usize, flags, 0, 0, 0, 0);
        if fd < 0 {
            return None;
        }
        let got =
            syscall6(libc::SYS_read, fd as usize, text.as_mut_ptr() as usize, text.len(), 0, 0, 0);
        syscall6(libc::SYS_close, fd as usize, 0, 0, 0, 0, 0);
        &text[..got.max(0) as usize]
    };
    let at = got.windows(NAME.len()).position(|w| w == NAME)? + NAME.len();
    let digits =
        got[at..].iter().skip_while(|b| b.is_ascii_whitespace()).take_while(|b| b.is_ascii_digit());
    Some(digits.fold(0, |n, digit| n * 10 + (digit - b'0') as usize))
}

/// Can `n` bits of each set be read?
fn readable(n: usize, sets: Sets) -> bool {
    sets.iter().filter(|set| n != 0 && !set.is_null()).all(|&set| {
        let (first, last) = (set.cast::<u64>(), set.cast::<u64>().wrapping_add((n - 1) / 64));
        user_memory::readable(first) && user_memory::readable(last)
    })
}

/// The caller's sets and room for copies of them, in words of 64 descriptors.
struct Copies {
    user: Sets,
    given: usize,
    /// Bits of the last given word that count: the kernel looks at `n` bits.
    last: u64,
    words: usize,
    room: Scratch<u64, 48>,
}

impl Copies {
    /// # Safety
    /// `user` are null or sets of at least `n` bits.
    unsafe fn new(user: Sets, n: usize, wake: usize) -> Option<Copies> {
        let words = n.max(wake + 1).div_ceil(64);
        // SAFETY: zeroed words are valid.
        let room = unsafe { Scratch::zeroed(3 * words) }?;
        let last = if n.is_multiple_of(64) { u64::MAX } else { (1 << (n % 64)) - 1 };
        Some(Copies { user, given: n.div_ceil(64), last, words, room })
    }

    /// Fresh copies, with `wake` in the read set.
    fn load(&mut self, wake: Option<usize>) -> Sets {
        let (words, given) = (self.words, self.given);
        let all = self.room.slice();
        all.fill(0);
        let mut pointers = [std::ptr::null_mut(); 3];
        for (i, &from) in self.user.iter().enumerate() {
            let to = &mut all[i * words..(i + 1) * words];
            if !from.is_null() {
                // SAFETY: `new`'s caller vouches for this many words.
                to[..given]
                    .copy_from_slice(unsafe { std::slice::from_raw_parts(from.cast(), given) });
                if given != 0 {
                    to[given - 1] &= self.last;
                }
                pointers[i] = to.as_mut_ptr().cast();
            }
        }
        if let Some(wake) = wake {
            all[wake / 64] |= 1 << (wake % 64);
            pointers[0] = all.as_mut_ptr().cast();
        }
        pointers
    }

    /// Is the wake fd set? Takes it out.
    fn take_wake_fd(&mut self, wake: usize) -> bool {
        let word = &mut self.room.slice()[wake / 64];
        let set = *word & (1 << (wake % 64)) != 0;
        *word &= !(1 << (wake % 64));
        set
    }

    /// Gives the caller what the last copies have become.
    fn store(&mut self) {
        let (words, given, user) = (self.words, self.given, self.user);
        for (i, &to) in user.iter().enumerate() {
            if !to.is_null() {
                // SAFETY: `new`'s caller vouches for this many words.
                let to = unsafe { std::slice::from_raw_parts_mut(to.cast::<u64>(), given) };
                to.copy_from_slice(&self.room.slice()[i * words..i * words + given]);
            }
        }
    }
}

/// Waits with select's semantics until the virtual instant `deadline`.
///
/// # Safety
/// As for pselect(2).
unsafe fn select_until(
    entry: &Entry,
    n: c_int,
    user: Sets,
    deadline: u64,
    mask: *const sigset_t,
) -> Result<c_int, Errno> {
    timer_fds::expire(entry);
    if deadline == NEVER {
        let _wait = entry.kernel_wait(WaitKind::Ready);
        return real(n, user, NO_LIMIT, mask);
    }
    if deadline == 0 || n < 0 {
        return ready_now(entry, n, user, mask);
    }
    let n = clamp(n);
    if !readable(n as usize, user) {
        return Err(Errno(libc::EFAULT));
    }
    let wake = wake_fd::mine(entry).map(|wake| wake as usize);
    // SAFETY: each set that is not null has `n` bits: no more than the kernel reads.
    let mut sets =
        unsafe { Copies::new(user, n as usize, wake.unwrap_or(0)) }.ok_or(Errno(libc::ENOMEM))?;
    let mut ready = ready_now(entry, n, sets.load(None), mask)?;
    while ready == 0 {
        let Some(wake) = wake else {
            let ask = |slice: Option<(&timespec, *const sigset_t)>| match slice {
                None => (!none_ready(n, sets.load(None))).then_some(Ok(0)),
                Some((time, mask)) => {
                    Some(real(n, sets.load(None), time, mask)).filter(|&answer| answer != Ok(0))
                }
            };
            let answer = polling_wait::wait(entry, WaitKind::Ready, deadline, mask, ask);
            ready = answer.unwrap_or_else(|| ready_now(entry, n, sets.load(None), mask))?;
            break;
        };
        let still = || none_ready(n, sets.load(None));
        let Some(mut wait) = entry.kernel_wait_until(WaitKind::Ready, deadline, still) else {
            ready = ready_now(entry, n, sets.load(None), mask)?;
            break;
        };
        let woken = loop {
            let woken =
                real(n.max(wake as c_int + 1), sets.load(Some(wake)), &wait.timespec(), mask);
            if woken != Ok(0) || wait.passed() {
                break woken;
            }
        };
        let reason = wait.end();
        ready = woken?;
        let woken = sets.take_wake_fd(wake);
        if woken {
            wake_fd::drain(wake as c_int);
            ready -= 1;
        }
        if reason == Reason::TimedOut {
            break;
        }
    }
    sets.store();
    Ok(ready)
}

/// select(2): as on Linux, the time-out becomes what is left of it.
///
/// # Safety
/// As for the C function.
pub unsafe fn select(
    n: c_int,
    read: *mut fd_set,
    write: *mut fd_set,
    except: *mut fd_set,
    timeout: *mut timeval,
) -> Result<c_int, Errno> {
    let Some(entry) = enter() else {
        let select =
            next!(select: fn(c_int, *mut fd_set, *mut fd_set, *mut fd_set, *mut timeval) -> c_int);
        return outcome(select(n, read, write, except, timeout));
    };
    let arguments = [n as u64, read as u64, write as u64, except as u64, timeout as u64, 0];
    let begun = begins(Call::Select, arguments)?;
    let deadline = limit(&entry, Call::Select, arguments)?;
    // SAFETY: the caller's arguments.
    let answer =
        unsafe { select_until(&entry, n, [read, write, except], deadline, std::ptr::null()) };
    if let Some(wait) = begun {
        let left = Instant::from_ns(deadline) - SessionClocks(&entry.engine).now();
        // As in the kernel, where it cannot be written it is not.
        let _ = wait.left.tell(&Caller, left, false);
    }
    answer
}

/// pselect(2), as glibc has it: the time-out is not changed.
///
/// # Safety
/// As for the C function.
pub unsafe fn pselect(
    n: c_int,
    read: *mut fd_set,
    write: *mut fd_set,
    except: *mut fd_set,
    timeout: *const timespec,
    mask: *const sigset_t,
) -> Result<c_int, Errno> {
    let Some(entry) = enter() else {
        let pselect = next!(
            pselect: fn(
                c_int, *mut fd_set, *mut fd_set, *mut fd_set, *const timespec, *const sigset_t
            ) -> c_int
        );
        return outcome(pselect(n, read, write, except, timeout, mask));
    };
    let arguments = [n as u64, read as u64, write as u64, except as u64, timeout as u64, 0];
    // SAFETY: the caller's arguments.
    unsafe {
        let deadline = limit(&entry, Call::Pselect, arguments)?;
        select_until(&entry, n, [read, write, except], deadline, mask)
    }
}
