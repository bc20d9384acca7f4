//! Calls with a time-out: until when each of them waits, what it answers when that comes, what it
//! tells of the time that is left, and what a signal handler does to it.
//!
//! Who sees a call, a hook of the library's or the tracer, asks [`begins`] with its arguments, and
//! gets the same [`Wait`]. How the thread then waits is the asker's matter.

mod call;

pub use call::Call;

use crate::clock::{self, Until};
use crate::errno::Errno;
use crate::time::{Span, Spec, of_millis, of_timeval};

/// The caller's memory, in words of 64 bits; `None` is EFAULT.
pub trait Memory {
    /// Reads as many words from `at` on.
    fn read<const N: usize>(&self, at: u64) -> Option<[u64; N]>;
    /// Writes them there.
    fn write<const N: usize>(&self, at: u64, words: [u64; N]) -> Option<()>;
}

/// A wait that has a time-out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Wait {
    /// Until when.
    pub until: Until,
    /// The system call's answer when that has come: 0, or an error.
    pub timed_out: i64,
    /// Where it tells what is left.
    pub left: Left,
    /// What a handler makes of it.
    pub restart: Restart,
    /// The arguments by which the kernel waits without counting the time. Of a sleep there are
    /// none such, nor of io_uring_enter(2) with a shortest wait: these are the call's own.
    pub unlimited: [u64; 6],
}

impl Wait {
    /// For a duration, made as it is: the kernel's own limit comes later, or not at all.
    #[inline(always)]
    pub const fn limited(span: Span, timed_out: i64, arguments: [u64; 6]) -> Wait {
        let (left, restart) = (Left::No, Restart::Never);
        Wait { until: Until::After(span), timed_out, left, restart, unlimited: arguments }
    }

    /// What only asks changes nothing of its time-out, which is zero.
    #[inline(always)]
    fn leaving(self, left: Left) -> Wait {
        let asks = self.until == Until::After(Span::ZERO);
        Wait { left: if asks { Left::No } else { left }, ..self }
    }
}

/// Where the time that is left goes, by the system call. libc's ppoll and pselect keep it to
/// themselves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Left {
    /// Nowhere.
    No,
    /// Into a `struct timespec`, when a handler has ended the wait.
    Interrupted(u64),
    /// Into a `struct timespec`, however it has ended.
    Timespec(u64),
    /// Into a `struct timeval`, however it has ended.
    Timeval(u64),
}

impl Left {
    /// The wait has ended with so much `left`, `interrupted` by a handler or otherwise. `None`
    /// where the call wants to tell and cannot.
    #[inline]
    pub fn tell(self, memory: &impl Memory, left: Span, interrupted: bool) -> Option<()> {
        let spec = Spec::of(left);
        match self {
            Left::Interrupted(at) if interrupted && at != 0 => {
                memory.write(at, [spec.sec as u64, spec.nsec as u64])
            }
            Left::Timespec(at) => memory.write(at, [spec.sec as u64, spec.nsec as u64]),
            Left::Timeval(at) => memory.write(at, [spec.sec as u64, spec.nsec as u64 / 1000]),
            Left::No | Left::Interrupted(_) => Some(()),
        }
    }
}

/// What becomes of a wait with a time-out in which a handler has run, signal(7). Without a handler
/// (a stop, an ignored signal) all go on, and those for a duration keep their deadline.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Restart {
    /// EINTR, whatever the handler was installed with.
    Never,
    /// EINTR, or made again after a handler with `SA_RESTART`.
    Flag,
    /// Made again.
    Always,
}

/// clock_nanosleep(2), timer_settime(2): an instant, no duration.
pub const TIMER_ABSTIME: u64 = 1;
/// io_uring_enter(2): it waits for answers.
pub const IORING_ENTER_GETEVENTS: u64 = 1;
/// The fifth argument is a structure that may hold a time-out, the sixth its size; else these are a
/// set of signals and its size.
pub const IORING_ENTER_EXT_ARG: u64 = 1 << 3;
/// The time-out is an instant of `CLOCK_MONOTONIC`.
pub const IORING_ENTER_ABS_TIMER: u64 = 1 << 5;
/// The structure is in registered memory.
const IORING_ENTER_EXT_ARG_REG: u64 = 1 << 6;
/// Size of `struct io_uring_getevents_arg`: a set, its size and the shortest wait (two halves of a
/// word), a time-out.
pub const IORING_ARGUMENT: u64 = 24;

const FUTEX_WAIT: u64 = 0;
const FUTEX_LOCK_PI: u64 = 6;
const FUTEX_WAIT_BITSET: u64 = 9;
const FUTEX_WAIT_REQUEUE_PI: u64 = 11;
const FUTEX_LOCK_PI2: u64 = 13;
const FUTEX_PRIVATE: u64 = 128;
const FUTEX_CLOCK_REALTIME: u64 = 256;
/// futex(2)'s commands that wait and take a time-out.
pub const FUTEX_WAITS: [u32; 5] = [
    FUTEX_WAIT as u32,
    FUTEX_LOCK_PI as u32,
    FUTEX_WAIT_BITSET as u32,
    FUTEX_WAIT_REQUEUE_PI as u32,
    FUTEX_LOCK_PI2 as u32,
];

/// The wait with a time-out that `call` begins with `arguments`. `None`: it has no time-out, or one
/// that is not of the session's clocks. The error is what the kernel answers.
#[inline(always)]
pub fn begins(
    call: Call,
    arguments: [u64; 6],
    memory: &impl Memory,
) -> Result<Option<Wait>, Errno> {
    const DONE: i64 = 0;
    const AGAIN: i64 = Errno::EAGAIN.answer();
    const LATE: i64 = Errno::ETIMEDOUT.answer();
    let asked = Asked { arguments, memory };
    match call {
        Call::Nanosleep => asked.sleep(0, Left::Interrupted(arguments[1])),
        Call::ClockNanosleep => asked.clock_nanosleep(),
        Call::Poll => Ok(asked.millis(2)),
        Call::EpollWait | Call::EpollPwait => Ok(asked.millis(3)),
        Call::EpollPwait2 => asked.duration(3, DONE, Left::No),
        Call::Ppoll => asked.duration(2, DONE, Left::Timespec(arguments[2])),
        Call::Pselect => asked.duration(4, DONE, Left::Timespec(arguments[4])),
        Call::Select => asked.select(),
        Call::IoGetevents | Call::IoPgetevents => asked.duration(4, DONE, Left::No),
        Call::Recvmmsg => asked.duration(4, DONE, Left::Timespec(arguments[4])),
        Call::SigTimedWait => asked.duration(2, AGAIN, Left::No),
        Call::SemTimedOp => asked.duration(3, AGAIN, Left::No),
        Call::MqTimedSend | Call::MqTimedReceive => {
            asked.instant(clock::REALTIME, 4, LATE, Restart::Flag)
        }
        Call::Futex => asked.futex(),
        Call::FutexWaitv => asked.futex_wait(arguments[4] as i32, 3),
        Call::FutexWait => asked.futex_wait(arguments[5] as i32, 4),
        Call::IoUringEnter => asked.io_uring_enter(),
    }
}

/// The set of signals that `call` blocks while it waits, if it gives one.
pub fn mask(call: Call, arguments: [u64; 6], memory: &impl Memory) -> Option<u64> {
    let word = |at: u64| if at == 0 { None } else { memory.read(at).map(|[word]| word) };
    match call {
        Call::Ppoll => word(arguments[3]),
        Call::EpollPwait | Call::EpollPwait2 => word(arguments[4]),
        // The address of an address and a size.
        Call::Pselect | Call::IoPgetevents => word(word(arguments[5])?),
        Call::IoUringEnter if arguments[3] & IORING_ENTER_EXT_ARG != 0 => word(word(arguments[4])?),
        Call::IoUringEnter => word(arguments[4]),
        _ => None,
    }
}

struct Asked<'a, M> {
    arguments: [u64; 6],
    memory: &'a M,
}

impl<M: Memory> Asked<'_, M> {
    /// What argument `n` points to; `None` if it is null.
    #[inline(always)]
    fn pair(&self, n: usize) -> Result<Option<[i64; 2]>, Errno> {
        let at = self.arguments[n];
        if at == 0 {
            return Ok(None);
        }
        let [first, second] = self.memory.read(at).ok_or(Errno::EFAULT)?;
        Ok(Some([first as i64, second as i64]))
    }

    /// A wait by the arguments with zeroes in place of those numbered.
    #[inline(always)]
    fn wait<const N: usize>(&self, until: Until, timed_out: i64, zero: [usize; N]) -> Wait {
        let mut unlimited = self.arguments;
        zero.into_iter().for_each(|n| unlimited[n] = 0);
        Wait { until, timed_out, left: Left::No, restart: Restart::Never, unlimited }
    }

    /// For a duration in the `struct timespec` of argument `n`.
    #[inline(always)]
    fn duration(&self, n: usize, timed_out: i64, left: Left) -> Result<Option<Wait>, Errno> {
        let Some([sec, nsec]) = self.pair(n)? else { return Ok(None) };
        let span = Spec { sec, nsec }.span().ok_or(Errno::EINVAL)?;
        Ok(Some(self.wait(Until::After(span), timed_out, [n]).leaving(left)))
    }

    /// Until an instant of a `clock`. One before 1970 is refused though it is past.
    #[inline(always)]
    fn instant(
        &self,
        clock: i32,
        n: usize,
        timed_out: i64,
        restart: Restart,
    ) -> Result<Option<Wait>, Errno> {
        let Some([sec, nsec]) = self.pair(n)? else { return Ok(None) };
        let at = Spec { sec, nsec };
        if !at.is_valid() {
            return Err(Errno::EINVAL);
        }
        Ok(Some(Wait { restart, ..self.wait(Until::At { clock, at }, timed_out, [n]) }))
    }

    /// An `int` of milliseconds.
    #[inline(always)]
    fn millis(&self, n: usize) -> Option<Wait> {
        let mut wait = self.wait(Until::After(of_millis(self.arguments[n] as i32)?), 0, []);
        wait.unlimited[n] = u32::MAX as u64;
        Some(wait)
    }

    #[inline(always)]
    fn sleep(&self, n: usize, left: Left) -> Result<Option<Wait>, Errno> {
        let Some([sec, nsec]) = self.pair(n)? else { return Err(Errno::EFAULT) };
        let span = Spec { sec, nsec }.span().ok_or(Errno::EINVAL)?;
        Ok(Some(Wait { left, ..self.wait(Until::After(span), 0, []) }))
    }

    #[inline(always)]
    fn clock_nanosleep(&self) -> Result<Option<Wait>, Errno> {
        let [id, flags, at, left, ..] = self.arguments;
        let id = id as i32;
        if !clock::is_virtual(id) {
            return Ok(None);
        }
        if !clock::can_sleep_on(id) {
            return Err(Errno::EOPNOTSUPP);
        }
        if flags & TIMER_ABSTIME == 0 {
            return self.sleep(2, Left::Interrupted(left));
        }
        if at == 0 {
            return Err(Errno::EFAULT);
        }
        // It is restarted after a handler as little as one for a duration (its NOTES).
        let wait = self.instant(id, 2, 0, Restart::Never)?;
        Ok(wait.map(|wait| Wait { unlimited: self.arguments, ..wait }))
    }

    #[inline(always)]
    fn select(&self) -> Result<Option<Wait>, Errno> {
        let Some([sec, usec]) = self.pair(4)? else { return Ok(None) };
        let span = of_timeval(sec, usec).ok_or(Errno::EINVAL)?;
        let left = Left::Timeval(self.arguments[4]);
        Ok(Some(self.wait(Until::After(span), 0, [4]).leaving(left)))
    }

    #[inline(always)]
    fn futex(&self) -> Result<Option<Wait>, Errno> {
        const LATE: i64 = Errno::ETIMEDOUT.answer();
        let operation = self.arguments[1];
        let command = operation & 0xffff_ffff & !(FUTEX_PRIVATE | FUTEX_CLOCK_REALTIME);
        let realtime = operation & FUTEX_CLOCK_REALTIME != 0 || command == FUTEX_LOCK_PI;
        let clock = if realtime { clock::REALTIME } else { clock::MONOTONIC };
        match command {
            FUTEX_WAIT => self.duration(3, LATE, Left::No),
            FUTEX_WAIT_BITSET => self.instant(clock, 3, LATE, Restart::Never),
            FUTEX_LOCK_PI | FUTEX_LOCK_PI2 | FUTEX_WAIT_REQUEUE_PI => {
                self.instant(clock, 3, LATE, Restart::Always)
            }
            _ => Ok(None),
        }
    }

    /// The newer ones: an instant of one of two clocks.
    fn futex_wait(&self, clock: i32, n: usize) -> Result<Option<Wait>, Errno> {
        let wait = self.instant(clock, n, Errno::ETIMEDOUT.answer(), Restart::Flag)?;
        let known = matches!(clock, clock::REALTIME | clock::MONOTONIC);
        if wait.is_some() && !known { Err(Errno::EINVAL) } else { Ok(wait) }
    }

    fn io_uring_enter(&self) -> Result<Option<Wait>, Errno> {
        let [_, _, _, flags, at, size] = self.arguments;
        let extended = IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG;
        if flags & (extended | IORING_ENTER_EXT_ARG_REG) != extended || size != IORING_ARGUMENT {
            return Ok(None);
        }
        let [set, sizes, time] = self.memory.read(at).ok_or(Errno::EFAULT)?;
        if time == 0 {
            return Ok(None);
        }
        let [sec, nsec] = self.memory.read(time).ok_or(Errno::EFAULT)?;
        let at = Spec { sec: sec as i64, nsec: nsec as i64 };
        let span = at.span().ok_or(Errno::EINVAL)?;
        let until = match flags & IORING_ENTER_ABS_TIMER {
            0 => Until::After(span),
            _ => Until::At { clock: clock::MONOTONIC, at },
        };
        let mut wait = self.wait(until, Errno::ETIME.answer(), []);
        if sizes >> 32 == 0 {
            wait.unlimited[3] = flags & !(IORING_ENTER_EXT_ARG | IORING_ENTER_ABS_TIMER);
            [wait.unlimited[4], wait.unlimited[5]] = [set, sizes];
        }
        Ok(Some(wait))
    }
}

#[cfg(test)]
mod tests;
