//! A call that waits until a deadline, and how it ends.

use super::transfer::Transfer;
use crate::tracer::arch::registers::Registers;
use crate::tracer::ptrace::memory::Memory;
use crate::virtual_clock::SessionClocks;
use engine::Engine;
use engine::arch::call_table::timed;
use engine::region::wait_kind::{SETTABLE, WaitKind};
use posix::time::Span;
use posix::wait::{self, Call as Named, Restart};

/// A call that waits.
#[derive(Clone)]
pub struct Wait {
    /// What it means.
    pub means: wait::Wait,
    /// The registers at its entry.
    pub before: Registers,
    /// Those that it runs with, without a time-out. Of a sleep they are not used: it sleeps on its
    /// slot's word.
    pub during: Registers,
    /// Nothing but the deadline or a signal ends it.
    pub sleep: bool,
    /// Absolute virtual ns.
    pub deadline: u64,
    /// What the clock that it waits for was set ahead by before it was asked when the deadline
    /// comes.
    pub shift: i64,
    /// A number for reports, see [`engine::region::slot_views::Thread::what`].
    pub what: WaitKind,
    /// It has been interrupted because its deadline has come.
    pub told: bool,
    /// It is for one of many messages.
    pub transfer: Option<Transfer>,
}

impl Wait {
    fn call(&self) -> Option<Named> {
        timed(self.before.number())
    }

    /// Is it answered at once? So are those that have no time to wait, if their time-outs are
    /// durations.
    pub fn only_asks(&self, engine: &Engine) -> bool {
        self.deadline <= engine.now() && matches!(self.what, WaitKind::Ready | WaitKind::Signal)
    }

    /// Is it a wait for a signal, which its answer then is?
    pub fn is_for_signal(&self) -> bool {
        self.what == WaitKind::Signal
    }

    /// What the slot says of it, for reports and for those that set a clock.
    pub fn word(&self) -> u32 {
        self.what as u32 | if self.means.until.is_settable() { SETTABLE } else { 0 }
    }

    /// A sleep, as the same call that never ends by itself. `at` is where in its process's memory
    /// there is room for a timespec.
    pub fn for_ever(mut self: Box<Wait>, memory: Memory, at: u64) -> Box<Wait> {
        // It can be written unless the program has unmapped what is not its own.
        let _ = memory.write(at, &[i64::MAX, 0]);
        self.sleep = false;
        let clock = self.before.argument(0);
        self.during.set_arguments(match self.call() {
            Some(Named::Nanosleep) => [at, 0, 0, 0, 0, 0],
            _ => [clock, 0, at, 0, 0, 0],
        });
        self
    }

    /// It has begun in slot `me`: was the clock set just before?
    pub fn begun(&self, engine: &Engine, me: usize) {
        if self.means.until.is_settable() {
            engine.end_if_set(me, self.shift);
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
        !self.means.until.reached(&SessionClocks(engine))
    }

    /// Writes the time that is left at the end of the call, as the kernel does; `interrupted`: by a
    /// handler.
    pub fn write_left(&self, engine: &Engine, memory: Memory, interrupted: bool) {
        let left = Span::from_ns(self.deadline.saturating_sub(engine.now()));
        // As in the kernel, where it cannot be written it is not.
        let _ = self.means.left.tell(&memory, left, interrupted);
    }

    /// The signals that are blocked meanwhile, if the call says so.
    pub fn mask(&self, memory: Memory) -> Option<u64> {
        wait::mask(self.call()?, self.before.arguments(), &memory)
    }

    /// Interrupted, is it not to be started again after a handler, whatever that one asks for? The
    /// kernel means another answer where it knows of no time-out.
    pub fn without_restart(&self) -> bool {
        self.means.restart == Restart::Never
    }

    /// No descriptor is ready: what select(2) leaves in its sets, and an interrupted one does not.
    pub fn clear_sets(&self, memory: Memory) {
        if !matches!(self.call(), Some(Named::Select | Named::Pselect)) {
            return;
        }
        let [count, sets @ .., _, _] = self.before.arguments();
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
        let own = self.call() == Some(Named::Nanosleep)
            && r.argument(0) == r.stack_pointer()
            && r.argument(1) == 0;
        own && TICK.contains(&self.deadline.saturating_sub(engine.now()))
    }
}
