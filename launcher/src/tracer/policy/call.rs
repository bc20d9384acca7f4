//! Calls that wait until a deadline: when that is, what to change so that the kernel does not count
//! the time, and what the answer is when the deadline has come.

use super::virtual_clock::deadline;
use super::wait::{Left, Wait};
use crate::tracer::arch::calls::{FUTEX_WAIT, IO_PGETEVENTS};
use crate::tracer::arch::registers::Registers;
use crate::tracer::ptrace::memory::{Fault, Memory};
use engine::Engine;
use engine::region::wait_kind::What;
use engine::verdict::{FUTEX_WAITS, IORING_ENTER_EXT_ARG};
use posix::clock::{is_time_of_day, is_virtual};
use posix::time::{NEVER, Spec, timeval};

const EAGAIN: i64 = -(libc::EAGAIN as i64);
const ETIMEDOUT: i64 = -(libc::ETIMEDOUT as i64);

/// What is to be done about a call.
pub enum Do {
    /// Nothing.
    Pass,
    /// It is not made; this is its answer.
    Answer(i64),
    /// It waits.
    Wait(Box<Wait>),
    /// It is made with other registers, and with another word in memory (address, value until it is
    /// done).
    Change(Box<Registers>, Option<(u64, u32)>),
}

/// A call about to be made.
pub struct Call<'a> {
    /// The session.
    pub engine: &'a Engine,
    /// The caller's memory.
    pub memory: Memory,
    /// Its registers.
    pub regs: &'a Registers,
    /// The wait of the same call before a signal interrupted it, if it has been started again.
    pub again: Option<&'a Wait>,
    /// Its thread looks after others now and then, see [`engine::region::slot::Slot::beats`].
    pub beats: bool,
}

impl Call<'_> {
    fn spec(&self, at: u64) -> Result<Spec, Fault> {
        self.memory.read::<[i64; 2]>(at).map(|[sec, nsec]| Spec { sec, nsec })
    }

    /// The instant `ns` from now, or as it was before a signal interrupted the call.
    pub fn after(&self, ns: u64) -> u64 {
        let before = self.again.map(|wait| wait.deadline);
        before.unwrap_or_else(|| self.engine.now().saturating_add(ns)).min(NEVER - 1)
    }

    /// A wait that ends with `timed_out` at `deadline`, made by registers with a `change`.
    pub fn wait(
        &self,
        what: What,
        deadline: u64,
        timed_out: i64,
        change: impl FnOnce(&mut Registers),
    ) -> Wait {
        let mut during = *self.regs;
        change(&mut during);
        Wait {
            before: *self.regs,
            during,
            sleep: what == What::Sleep,
            deadline,
            instant: None,
            timed_out,
            left: Left::No,
            what,
            told: false,
            transfer: None,
        }
    }

    /// A wait whose time-out is the timespec that argument `n` points to. The kernel gets none.
    fn relative(&self, what: What, n: usize, timed_out: i64) -> Option<Wait> {
        let ns = self.spec(self.regs.argument(n)).ok()?.nanos()?;
        Some(self.wait(what, self.after(ns), timed_out, |r| r.set_argument(n, 0)))
    }

    /// A wait whose time-out is an instant of `clock`, in the timespec that argument `n` points to.
    /// The kernel gets none.
    fn absolute(&self, what: What, clock: i32, n: usize, timed_out: i64) -> Option<Wait> {
        self.until(what, clock, self.regs.argument(n), timed_out, |r| r.set_argument(n, 0))
    }

    /// A wait until the instant of `clock` in the timespec at `at`.
    fn until(
        &self,
        what: What,
        clock: i32,
        at: u64,
        timed_out: i64,
        change: impl FnOnce(&mut Registers),
    ) -> Option<Wait> {
        let spec = self.spec(at).ok()?;
        spec.nanos()?;
        let shift = self.engine.page.shift();
        let mut wait = self.wait(what, deadline(self.engine, clock, spec)?, timed_out, change);
        wait.instant = is_time_of_day(clock).then_some((clock, spec, shift));
        Some(wait)
    }

    /// A wait for descriptors whose time-out is argument `n`, in milliseconds.
    fn millis(&self, n: usize) -> Option<Wait> {
        let ms = u64::try_from(self.regs.argument(n) as i32).ok()?;
        let deadline = self.after(ms * 1_000_000);
        Some(self.wait(What::Ready, deadline, 0, |r| r.set_argument(n, u32::MAX as u64)))
    }

    /// The wait that the call begins; `None` if it is for the kernel to answer: it has no time-out,
    /// or a wrong one.
    pub fn begins(&self) -> Option<Wait> {
        let arg = |n| self.regs.argument(n);
        let and_writes = |wait: Option<Wait>, left: Left| wait.map(|wait| Wait { left, ..wait });
        match self.regs.number() {
            libc::SYS_nanosleep => {
                and_writes(self.relative(What::Sleep, 0, 0), Left::Interrupted(arg(1)))
            }
            libc::SYS_clock_nanosleep => self.clock_nanosleep(),
            libc::SYS_poll => self.millis(2),
            libc::SYS_epoll_wait | libc::SYS_epoll_pwait => self.millis(3),
            libc::SYS_epoll_pwait2 => self.relative(What::Ready, 3, 0),
            libc::SYS_ppoll => and_writes(self.relative(What::Ready, 2, 0), Left::Timespec(arg(2))),
            libc::SYS_pselect6 => {
                and_writes(self.relative(What::Ready, 4, 0), Left::Timespec(arg(4)))
            }
            libc::SYS_select => {
                let [sec, usec] = self.memory.read::<[i64; 2]>(arg(4)).ok()?;
                let deadline = self.after(timeval(sec, usec)?);
                let wait = self.wait(What::Ready, deadline, 0, |r| r.set_argument(4, 0));
                and_writes(Some(wait), Left::Timeval(arg(4)))
            }
            libc::SYS_io_getevents | IO_PGETEVENTS => self.relative(What::Ready, 4, 0),
            libc::SYS_io_uring_enter => self.io_uring_enter(),
            libc::SYS_rt_sigtimedwait => self.relative(What::Signal, 2, EAGAIN),
            libc::SYS_semtimedop => self.relative(What::Queue, 3, EAGAIN),
            libc::SYS_mq_timedsend | libc::SYS_mq_timedreceive => {
                self.absolute(What::Queue, libc::CLOCK_REALTIME, 4, ETIMEDOUT)
            }
            libc::SYS_futex => self.futex(),
            libc::SYS_futex_waitv => self.absolute(What::Futex, arg(4) as i32, 3, ETIMEDOUT),
            FUTEX_WAIT => self.absolute(What::Futex, arg(5) as i32, 4, ETIMEDOUT),
            _ => None,
        }
    }

    fn clock_nanosleep(&self) -> Option<Wait> {
        let [clock, flags, _, left, ..] = self.regs.arguments();
        let clock = clock as i32;
        // The kernel refuses to sleep on some, and CPU-time clocks are its own.
        let refused =
            [libc::CLOCK_MONOTONIC_RAW, libc::CLOCK_REALTIME_COARSE, libc::CLOCK_MONOTONIC_COARSE];
        if !is_virtual(clock) || refused.contains(&clock) {
            return None;
        }
        if flags as i32 & libc::TIMER_ABSTIME != 0 {
            return self.absolute(What::Sleep, clock, 2, 0);
        }
        let wait = self.relative(What::Sleep, 2, 0)?;
        Some(Wait { left: Left::Interrupted(left), ..wait })
    }

    /// Without the structure that may hold a time-out it takes the set of signals in its place.
    fn io_uring_enter(&self) -> Option<Wait> {
        const GETEVENTS: u32 = 1;
        /// The time-out is an instant of CLOCK_MONOTONIC.
        const ABS_TIMER: u32 = 1 << 5;
        /// The structure is in registered memory.
        const EXT_ARG_REG: u32 = 1 << 6;
        const ETIME: i64 = -(libc::ETIME as i64);
        let [_, _, _, flags, structure, length] = self.regs.arguments();
        let flags = flags as u32;
        // struct io_uring_getevents_arg: a set, its size and the shortest wait in one word, a
        // time-out.
        let [set, size] = self.memory.read::<[u64; 2]>(structure).ok()?;
        let at = self.memory.read::<u64>(structure + 16).ok()?;
        let plain =
            flags & (GETEVENTS | EXT_ARG_REG) == GETEVENTS && length == 24 && size >> 32 == 0;
        if !plain || at == 0 {
            return None;
        }
        let change = |r: &mut Registers| {
            r.set_argument(3, (flags & !(IORING_ENTER_EXT_ARG | ABS_TIMER)) as u64);
            r.set_argument(4, set);
            r.set_argument(5, size);
        };
        if flags & ABS_TIMER != 0 {
            return self.until(What::Descriptor, libc::CLOCK_MONOTONIC, at, ETIME, change);
        }
        let ns = self.spec(at).ok()?.nanos()?;
        Some(self.wait(What::Descriptor, self.after(ns), ETIME, change))
    }

    fn futex(&self) -> Option<Wait> {
        /// FUTEX_CLOCK_REALTIME and FUTEX_LOCK_PI.
        const REALTIME: u64 = 256;
        const LOCK_PI: u32 = 6;
        let [_, operation, _, timeout, ..] = self.regs.arguments();
        let command = operation as u32 & 0x7f;
        if timeout == 0 || !FUTEX_WAITS.contains(&command) {
            return None;
        }
        if command == 0 {
            return self.relative(What::Futex, 3, ETIMEDOUT);
        }
        let realtime = operation & REALTIME != 0 || command == LOCK_PI;
        let clock = if realtime { libc::CLOCK_REALTIME } else { libc::CLOCK_MONOTONIC };
        self.absolute(What::Futex, clock, 3, ETIMEDOUT)
    }
}
