//! A call that waits until a deadline, and how it ends.

use super::transfer::Transfer;
use super::virtual_clock::read;
use crate::tracer::arch::calls::IO_PGETEVENTS;
use crate::tracer::arch::registers::Registers;
use crate::tracer::ptrace::memory::Memory;
use engine::Engine;
use engine::region::wait_kind::{SETTABLE, What};
use posix::time::Spec;

/// A call that waits.
#[derive(Clone)]
pub struct Wait {
    /// The registers at its entry.
    pub before: Registers,
    /// Those that it runs with, without a time-out. Of a sleep they are not used: it sleeps on its
    /// slot's word.
    pub during: Registers,
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
    /// A number for reports, see [`engine::region::slot_views::Thread::what`].
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

impl Wait {
    /// Is it answered at once? So are those that have no time to wait, if their time-outs are
    /// durations.
    pub fn only_asks(&self, engine: &Engine) -> bool {
        self.deadline <= engine.now() && matches!(self.what, What::Ready | What::Signal)
    }

    /// Is it a wait for a signal, which its answer then is?
    pub fn is_for_signal(&self) -> bool {
        self.what == What::Signal
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
        let [first, ..] = during.arguments();
        during.set_arguments(match during.number() {
            libc::SYS_nanosleep => [at, 0, 0, 0, 0, 0],
            _ => [first, 0, at, 0, 0, 0],
        });
        self
    }

    /// It has begun in slot `me`: was the clock set just before?
    pub fn begun(&self, engine: &Engine, me: usize) {
        if let Some((.., shift)) = self.instant {
            engine.end_if_set(me, shift);
        }
    }

    /// Is this the call `regs`, started again by the kernel?
    pub fn is(&self, regs: &Registers) -> bool {
        self.before.same_call(regs)
    }

    /// Is this its call still, perhaps started again after a stop (restart_syscall(2))?
    pub fn goes_on(&self, regs: &Registers) -> bool {
        self.is(regs) || self.continues(regs)
    }

    /// Is this its call after a stop?
    pub fn continues(&self, regs: &Registers) -> bool {
        let restarted = regs.number() == libc::SYS_restart_syscall;
        let mut regs = *regs;
        regs.set_number(self.before.number());
        restarted && self.is(&regs)
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
        let at = match r.number() {
            libc::SYS_ppoll => r.argument(3),
            libc::SYS_epoll_pwait | libc::SYS_epoll_pwait2 => r.argument(4),
            libc::SYS_io_uring_enter => self.during.argument(4),
            // The address of an address.
            libc::SYS_pselect6 | IO_PGETEVENTS if r.argument(5) != 0 => {
                memory.read::<u64>(r.argument(5)).ok()?
            }
            _ => 0,
        };
        if at == 0 { None } else { memory.read(at).ok() }
    }

    /// Interrupted with this answer, is it not to be started again after a handler, whatever that
    /// one asks for? The kernel means another answer where it knows of no time-out.
    pub fn without_restart(&self, answer: i64) -> bool {
        const ERESTART_RESTARTBLOCK: i64 = -516;
        answer == ERESTART_RESTARTBLOCK || self.before.number() == libc::SYS_futex
    }

    /// No descriptor is ready: what select(2) leaves in its sets, and an interrupted one does not.
    pub fn clear_sets(&self, memory: Memory) {
        let r = &self.before;
        if !matches!(r.number(), libc::SYS_select | libc::SYS_pselect6) {
            return;
        }
        let [count, sets @ .., _, _] = r.arguments();
        let bytes = vec![0; (count as u32).min(1 << 20).div_ceil(64) as usize * 8];
        for set in sets.into_iter().filter(|&set| set != 0) {
            let _ = memory.write_bytes(set, &bytes);
        }
    }

    /// Is it a runtime tick, if the program has Go's runtime? That is the runtime's own sleep of at
    /// most 10 ms, whose time lies where its stack ends. All other sleeps, of programs in Go too,
    /// come by functions that have something there.
    pub fn is_runtime_tick(&self, engine: &Engine) -> bool {
        const TICK: std::ops::RangeInclusive<u64> = 10_000..=10_000_000;
        let r = &self.before;
        let own = r.number() == libc::SYS_nanosleep
            && r.argument(0) == r.stack_pointer()
            && r.argument(1) == 0;
        own && TICK.contains(&self.deadline.saturating_sub(engine.now()))
    }
}
