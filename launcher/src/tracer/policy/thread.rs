//! What the tracer knows of a traced thread.

use super::timer_table::Timer;
use super::wait::Wait;
use crate::tracer::arch::registers::Registers;
use crate::tracer::ptrace::wait::Running;
use engine::Kind;
use libc::{c_long, pid_t};

/// A traced thread.
pub struct Thread {
    /// Its process.
    pub process: pid_t,
    /// Its slot; `None` if all are in use: then its waits are real.
    pub slot: Option<usize>,
    /// What it does, as far as the tracer has a part in it.
    pub doing: Doing,
    /// The wait that a signal has interrupted, if the kernel may start the call again by itself.
    pub again: Option<Box<Wait>>,
    /// `None` while it is in a stop that has been reported.
    pub running: Option<Running>,
    /// What its slot returns to after a wait.
    pub base: Kind,
    /// Its slots say that a signal has stopped it; see [`engine::region::tracer_word::PAUSED`].
    pub paused: bool,
    /// Voluntary context switches at its last clock read that stopped, and stops since.
    pub switches: u64,
    /// It burns the processor, and [`crate::tracer::spin`] watches its calls.
    pub watched: bool,
    /// Its last waits in a row that were over before they began.
    pub late: u32,
}

impl Thread {
    /// A thread of `process` that has just been attached to.
    pub fn new(
        process: pid_t,
        slot: Option<usize>,
        doing: Doing,
        running: Option<Running>,
    ) -> Thread {
        Thread {
            process,
            slot,
            doing,
            again: None,
            running,
            base: Kind::Foreign,
            paused: false,
            switches: 0,
            watched: false,
            late: 0,
        }
    }
}

/// See [`Thread::doing`].
pub enum Doing {
    /// Has the library, and is about to execute a program that cannot load it.
    Asked,
    /// Has the library, and its next child is about to.
    AskedForChild,
    /// Runs, or is in a call that the kernel alone has to do with.
    Runs,
    /// In a call with a time-out.
    Waits(Box<Wait>),
    /// In a call that was changed: what to put back when it is done.
    Changed(Box<Before>),
    /// In a call that has to be seen when it is done.
    Then(Then),
    /// Interrupted in order to be let go.
    Leaves,
}

/// What there is to be done after a call.
pub enum Then {
    /// It makes this timer, and writes its number to that address.
    TimerMade(Timer, u64),
    /// It makes a timer descriptor on this clock.
    TimerFdMade(i32),
    /// It reads from the timer of this slot.
    TimerRead(usize),
    /// It tells for how long the machine has run, at this address if not in its answer.
    Uptime(u64),
    /// It makes a socket, or sets an option of one, on which the waits of calls to come depend.
    Socket,
    /// It traces somebody, or wants to be traced, which the session's tracer may be in the way of.
    Traces,
    /// It has put off a call of this number, and makes it when its process keeps the region.
    Keeps(c_long),
    /// It takes a signal, and writes to that address what is known of it.
    SignalTaken(u64),
}

/// What a changed call has to leave behind.
pub struct Before {
    /// The registers of its arguments.
    pub registers: Registers,
    /// A word of its memory, and its address.
    pub word: Option<(u64, u32)>,
}
