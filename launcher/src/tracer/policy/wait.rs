//! Calls that wait until a deadline: when that is, what to change so that the kernel does not count
//! the time, and what the answer is when the deadline has come.

use crate::tracer::policy::mmsg::Transfer;
use crate::tracer::ptrace::memory::{Fault, Memory};
use engine::programs::verdicts::{FUTEX_WAITS, IORING_ENTER_EXT_ARG};
use engine::region::wait_kind::{SETTABLE, What};
use engine::{ClockMode, Engine};
use libc::{c_long, user_regs_struct};
use posix::clock::{is_time_of_day, is_virtual};
use posix::time::{NEVER, Span, Spec, timeval};

/// A call that waits.
#[derive(Clone)]
pub struct Wait {
    /// The registers at its entry.
    pub before: user_regs_struct,
    /// Those that it runs with, without a time-out. Of a sleep they are not used: it sleeps on its
    /// slot's word.
    pub during: user_regs_struct,
    /// Nothing but the deadline or a signal ends it.
    pub sleep: bool,
    /// Absolute virtual ns.
    pub deadline: u64,
    /// An instant of a clock that may be set meanwhile, and what it was set ahead by before it was
    /// asked when that comes.
    pub instant: Option<(i32, Spec, i64)>,
    /// The answer when the deadline has come.
    pub timed_out: i64,
    /// Where the time that is left is to be written.
    pub left: Left,
    /// A number for reports, see [`engine::region::slot::Slot::what`].
    pub what: What,
    /// It has been interrupted because its deadline has come.
    pub told: bool,
    /// It is for one of many messages.
    pub transfer: Option<Transfer>,
}

/// See [`Wait::left`].
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Left {
    /// Nowhere.
    No,
    /// A timespec, when a signal handler has ended the wait.
    Interrupted(u64),
    /// A timespec, always.
    Timespec(u64),
    /// A timeval, always.
    Timeval(u64),
}

const EAGAIN: i64 = -(libc::EAGAIN as i64);
const ETIMEDOUT: i64 = -(libc::ETIMEDOUT as i64);

/// A call about to be made.
pub struct Call<'a> {
    /// The session.
    pub engine: &'a Engine,
    /// The caller's memory.
    pub memory: Memory,
    /// Its registers.
    pub regs: &'a user_regs_struct,
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
        change: impl FnOnce(&mut user_regs_struct),
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

    /// A relative time-out in the timespec at `at`.
    fn timespec(
        &self,
        what: What,
        at: u64,
        timed_out: i64,
        change: impl FnOnce(&mut user_regs_struct),
    ) -> Option<Wait> {
        let ns = self.spec(at).ok()?.nanos()?;
        Some(self.wait(what, self.after(ns), timed_out, change))
    }

    /// An instant of `clock` in the timespec at `at`.
    fn instant(
        &self,
        what: What,
        clock: i32,
        at: u64,
        timed_out: i64,
        change: impl FnOnce(&mut user_regs_struct),
    ) -> Option<Wait> {
        let spec = self.spec(at).ok()?;
        spec.nanos()?;
        let shift = self.engine.page.shift();
        let mut wait = self.wait(what, deadline(self.engine, clock, spec)?, timed_out, change);
        wait.instant = is_time_of_day(clock).then_some((clock, spec, shift));
        Some(wait)
    }

    /// The wait that the call begins; `None` if it is for the kernel to answer: it has no time-out,
    /// or a wrong one.
    pub fn begins(&self) -> Option<Wait> {
        let r = self.regs;
        match r.orig_rax as c_long {
            libc::SYS_nanosleep => {
                let mut wait = self.timespec(What::Sleep, r.rdi, 0, |_| {})?;
                wait.left = Left::Interrupted(r.rsi);
                Some(wait)
            }
            libc::SYS_clock_nanosleep => self.clock_nanosleep(),
            libc::SYS_poll => {
                let ms = u64::try_from(r.rdx as i32).ok()?;
                Some(
                    self.wait(What::Ready, self.after(ms * 1_000_000), 0, |r| {
                        r.rdx = u32::MAX as u64
                    }),
                )
            }
            libc::SYS_epoll_wait | libc::SYS_epoll_pwait => {
                let ms = u64::try_from(r.r10 as i32).ok()?;
                Some(
                    self.wait(What::Ready, self.after(ms * 1_000_000), 0, |r| {
                        r.r10 = u32::MAX as u64
                    }),
                )
            }
            libc::SYS_epoll_pwait2 => self.timespec(What::Ready, r.r10, 0, |r| r.r10 = 0),
            libc::SYS_ppoll => {
                let mut wait = self.timespec(What::Ready, r.rdx, 0, |r| r.rdx = 0)?;
                wait.left = Left::Timespec(r.rdx);
                Some(wait)
            }
            libc::SYS_pselect6 => {
                let mut wait = self.timespec(What::Ready, r.r8, 0, |r| r.r8 = 0)?;
                wait.left = Left::Timespec(r.r8);
                Some(wait)
            }
            libc::SYS_select => {
                let [sec, usec] = self.memory.read::<[i64; 2]>(r.r8).ok()?;
                let mut wait =
                    self.wait(What::Ready, self.after(timeval(sec, usec)?), 0, |r| r.r8 = 0);
                wait.left = Left::Timeval(r.r8);
                Some(wait)
            }
            libc::SYS_io_getevents | SYS_IO_PGETEVENTS => {
                self.timespec(What::Ready, r.r8, 0, |r| r.r8 = 0)
            }
            libc::SYS_io_uring_enter => self.io_uring_enter(),
            libc::SYS_rt_sigtimedwait => self.timespec(What::Signal, r.rdx, EAGAIN, |r| r.rdx = 0),
            libc::SYS_semtimedop => self.timespec(What::Queue, r.r10, EAGAIN, |r| r.r10 = 0),
            libc::SYS_mq_timedsend | libc::SYS_mq_timedreceive => {
                self.instant(What::Queue, libc::CLOCK_REALTIME, r.r8, ETIMEDOUT, |r| r.r8 = 0)
            }
            libc::SYS_futex => self.futex(),
            libc::SYS_futex_waitv => {
                self.instant(What::Futex, r.r8 as i32, r.r10, ETIMEDOUT, |r| r.r10 = 0)
            }
            SYS_FUTEX_WAIT => self.instant(What::Futex, r.r9 as i32, r.r8, ETIMEDOUT, |r| r.r8 = 0),
            _ => None,
        }
    }

    fn clock_nanosleep(&self) -> Option<Wait> {
        let r = self.regs;
        let clock = r.rdi as i32;
        // The kernel refuses to sleep on some, and CPU-time clocks are its own.
        let refused =
            [libc::CLOCK_MONOTONIC_RAW, libc::CLOCK_REALTIME_COARSE, libc::CLOCK_MONOTONIC_COARSE];
        if !is_virtual(clock) || refused.contains(&clock) {
            return None;
        }
        if r.rsi as i32 & libc::TIMER_ABSTIME != 0 {
            return self.instant(What::Sleep, clock, r.rdx, 0, |_| {});
        }
        let mut wait = self.timespec(What::Sleep, r.rdx, 0, |_| {})?;
        wait.left = Left::Interrupted(r.r10);
        Some(wait)
    }

    /// Without the structure that may hold a time-out it takes the set of signals in its place.
    fn io_uring_enter(&self) -> Option<Wait> {
        const GETEVENTS: u32 = 1;
        /// The time-out is an instant of CLOCK_MONOTONIC.
        const ABS_TIMER: u32 = 1 << 5;
        /// The structure is in registered memory.
        const EXT_ARG_REG: u32 = 1 << 6;
        const ETIME: i64 = -(libc::ETIME as i64);
        let r = self.regs;
        let flags = r.r10 as u32;
        // struct io_uring_getevents_arg: a set, its size and the shortest wait in one word, a
        // time-out.
        let [set, size] = self.memory.read::<[u64; 2]>(r.r8).ok()?;
        let at = self.memory.read::<u64>(r.r8 + 16).ok()?;
        let plain = flags & (GETEVENTS | EXT_ARG_REG) == GETEVENTS && r.r9 == 24 && size >> 32 == 0;
        if !plain || at == 0 {
            return None;
        }
        let change = |r: &mut user_regs_struct| {
            r.r10 = (flags & !(IORING_ENTER_EXT_ARG | ABS_TIMER)) as u64;
            (r.r8, r.r9) = (set, size);
        };
        if flags & ABS_TIMER != 0 {
            return self.instant(What::Descriptor, libc::CLOCK_MONOTONIC, at, ETIME, change);
        }
        self.timespec(What::Descriptor, at, ETIME, change)
    }

    fn futex(&self) -> Option<Wait> {
        /// FUTEX_CLOCK_REALTIME and FUTEX_LOCK_PI.
        const REALTIME: u64 = 256;
        const LOCK_PI: u32 = 6;
        let r = self.regs;
        let command = r.rsi as u32 & 0x7f;
        if r.r10 == 0 || !FUTEX_WAITS.contains(&command) {
            return None;
        }
        if command == 0 {
            return self.timespec(What::Futex, r.r10, ETIMEDOUT, |r| r.r10 = 0);
        }
        let realtime = r.rsi & REALTIME != 0 || command == LOCK_PI;
        let clock = if realtime { libc::CLOCK_REALTIME } else { libc::CLOCK_MONOTONIC };
        self.instant(What::Futex, clock, r.r10, ETIMEDOUT, |r| r.r10 = 0)
    }
}

/// Calls that libc has no name for.
const SYS_IO_PGETEVENTS: c_long = 333;
/// See [`SYS_IO_PGETEVENTS`].
const SYS_FUTEX_WAIT: c_long = 455;

impl Wait {
    /// Is it answered at once? So are those that have no time to wait, if their time-outs are
    /// durations.
    pub fn only_asks(&self, engine: &Engine) -> bool {
        self.deadline <= engine.now() && matches!(self.what, What::Ready | What::Signal)
    }

    /// What a report is told of it, and whoever sets a clock.
    pub fn word(&self) -> u32 {
        self.what as u32 | if self.instant.is_some() { SETTABLE } else { 0 }
    }

    /// A sleep, as the same call that never ends by itself. `at` is where in its process's memory
    /// there is room for a timespec.
    pub fn for_ever(mut self: Box<Wait>, memory: Memory, at: u64) -> Box<Wait> {
        // It can be written unless the program has unmapped what is not its own.
        let _ = memory.write(at, &[i64::MAX, 0]);
        self.sleep = false;
        let during = &mut self.during;
        if during.orig_rax as c_long == libc::SYS_nanosleep {
            (during.rdi, during.rsi) = (at, 0);
        } else {
            (during.rsi, during.rdx, during.r10) = (0, at, 0);
        }
        self
    }

    /// It has begun in slot `me`: was the clock set just before?
    pub fn begun(&self, engine: &Engine, me: usize) {
        if let Some((.., shift)) = self.instant {
            engine.end_if_set(me, shift);
        }
    }

    /// Is this the call `regs`, started again by the kernel?
    pub fn is(&self, regs: &user_regs_struct) -> bool {
        let key = |r: &user_regs_struct| {
            [r.orig_rax, r.rip, r.rsp, r.rdi, r.rsi, r.rdx, r.r10, r.r8, r.r9]
        };
        key(&self.before) == key(regs)
    }

    /// Is this its call still, perhaps started again after a stop (restart_syscall(2))?
    pub fn goes_on(&self, regs: &user_regs_struct) -> bool {
        self.is(regs) || self.continues(regs)
    }

    /// Is this its call after a stop?
    pub fn continues(&self, regs: &user_regs_struct) -> bool {
        let restarted = regs.orig_rax as c_long == libc::SYS_restart_syscall;
        restarted && self.is(&user_regs_struct { orig_rax: self.before.orig_rax, ..*regs })
    }

    /// Its deadline has been reached, but the clock that it is an instant of may have been set
    /// back.
    pub fn early(&self, engine: &Engine) -> bool {
        let reads = |clock, at: Spec| {
            let now = read(engine, clock);
            now.is_some_and(|now| now < at)
        };
        self.instant.is_some_and(|(clock, at, _)| reads(clock, at))
    }

    /// Writes the time that is left at the end of the call, as the kernel does; `interrupted`: by a
    /// handler.
    pub fn write_left(&self, engine: &Engine, memory: Memory, interrupted: bool) {
        let left = Spec::from_nanos(self.deadline.saturating_sub(engine.now()));
        // As in the kernel, where it cannot be written it is not.
        let _ = match self.left {
            Left::Interrupted(at) if interrupted && at != 0 => {
                memory.write(at, &[left.sec, left.nsec])
            }
            Left::Timespec(at) => memory.write(at, &[left.sec, left.nsec]),
            Left::Timeval(at) => memory.write(at, &[left.sec, left.nsec / 1000]),
            Left::No | Left::Interrupted(_) => Ok(()),
        };
    }

    /// The signals that are blocked meanwhile, if the call says so.
    pub fn mask(&self, memory: Memory) -> Option<u64> {
        let r = &self.before;
        let at = match r.orig_rax as c_long {
            libc::SYS_ppoll => r.r10,
            libc::SYS_epoll_pwait | libc::SYS_epoll_pwait2 => r.r8,
            libc::SYS_io_uring_enter => self.during.r8,
            // The address of an address.
            libc::SYS_pselect6 | SYS_IO_PGETEVENTS if r.r9 != 0 => memory.read::<u64>(r.r9).ok()?,
            _ => 0,
        };
        if at == 0 { None } else { memory.read(at).ok() }
    }

    /// Interrupted with this answer, is it not to be started again after a handler, whatever that
    /// one asks for? The kernel means another answer where it knows of no time-out.
    pub fn without_restart(&self, answer: i64) -> bool {
        const ERESTART_RESTARTBLOCK: i64 = -516;
        answer == ERESTART_RESTARTBLOCK || self.before.orig_rax as c_long == libc::SYS_futex
    }

    /// No descriptor is ready: what select(2) leaves in its sets, and an interrupted one does not.
    pub fn clear_sets(&self, memory: Memory) {
        let r = &self.before;
        if !matches!(r.orig_rax as c_long, libc::SYS_select | libc::SYS_pselect6) {
            return;
        }
        let bytes = vec![0; (r.rdi as u32).min(1 << 20).div_ceil(64) as usize * 8];
        for set in [r.rsi, r.rdx, r.r10].into_iter().filter(|&set| set != 0) {
            let _ = memory.write_bytes(set, &bytes);
        }
    }
}

/// What clock `id` reads in virtual time; `None` if the machine has no such clock.
pub fn read(engine: &Engine, id: i32) -> Option<Spec> {
    let page = engine.page;
    if page.mode() == ClockMode::Frozen && is_virtual(id) && page.has_clock(id) {
        return Some(page.frozen(id as usize));
    }
    // Read before the clock: a jump in between makes the sum late, never early.
    let offset = page.header.clock.value();
    let mut ts = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: a valid out-parameter.
    let failed = unsafe { libc::clock_gettime(id, &mut ts) };
    let real = Spec { sec: ts.tv_sec, nsec: ts.tv_nsec };
    (failed == 0).then(|| page.set_ahead(id, real.plus(Span::from_ns(offset))))
}

/// The virtual instant at which clock `id` reads `at`, as far as is known now.
pub fn deadline(engine: &Engine, id: i32, at: Spec) -> Option<u64> {
    let ns = at.nanos_absolute()?;
    if id == libc::CLOCK_MONOTONIC {
        return Some(ns.min(NEVER - 1));
    }
    let left = at.since(read(engine, id).filter(|_| is_virtual(id))?);
    Some(engine.now().saturating_add(left.ns()).min(NEVER - 1))
}
