//! A call about to be made: whether it waits until a deadline, as [`posix::wait`] has it.

use super::wait::Wait;
use crate::tracer::arch::registers::Registers;
use crate::tracer::ptrace::memory::Memory;
use crate::virtual_clock::SessionClocks;
use engine::Engine;
use engine::arch::call_table::timed;
use engine::region::wait_kind::WaitKind;
use posix::clock::Until;
use posix::wait;

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
    /// The thread's wait is a runtime tick, see [`engine::region::slot::Slot::is_runtime_tick`].
    pub beats: bool,
}

impl Call<'_> {
    /// A wait for `what` that means this. A call for a duration that is made again keeps its
    /// deadline; `None` for an instant of a clock that cannot be read.
    pub fn wait(&self, what: WaitKind, means: wait::Wait) -> Option<Wait> {
        // Before the clock is asked when its instant comes.
        let shift = self.engine.page.shift();
        let deadline = match (means.until, self.again) {
            (Until::After(_), Some(before)) => before.deadline,
            (until, _) => until.deadline(&SessionClocks(self.engine)).ok()?.ns(),
        };
        let mut during = *self.regs;
        during.set_arguments(means.unlimited);
        Some(Wait {
            means,
            before: *self.regs,
            during,
            sleep: what == WaitKind::Sleep,
            deadline,
            shift,
            what,
            told: false,
            transfer: None,
        })
    }

    /// The wait that the call begins; `None` if it is for the kernel to answer: it has no time-out,
    /// or a wrong one.
    pub fn begins(&self) -> Option<Wait> {
        let call = timed(self.regs.number())?;
        let means = wait::begins(call, self.regs.arguments(), &self.memory).ok()??;
        self.wait(WaitKind::from(call), means)
    }
}
