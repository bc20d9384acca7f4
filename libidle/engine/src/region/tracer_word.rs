//! The words by which the session's threads and the launcher's tracer talk to each other: one in
//! each slot, and one in the header that the tracer sleeps on. [`crate::programs::tracing`] says
//! who asks, and how.

/// Values of [`crate::region::slot::Slot::tracer`]: nobody traces the thread, and it does not ask
/// for it.
pub const NONE: u32 = 0;
/// The thread `pid`/`tid` of the slot is about to execute a program.
pub const ASKS: u32 = 1;
/// The same, but the next child that it makes will execute the program.
pub const ASKS_FOR_CHILD: u32 = 2;
/// The tracer traces the thread.
pub const GRANTED: u32 = 3;
/// The tracer will not trace the thread.
pub const REFUSED: u32 = 4;
/// The thread executed nothing after all: the tracer is to let it go.
pub const GIVES_BACK: u32 = 5;
/// The slot is the tracer's: its thread is traced, or is in a wait that the tracer will end.
pub const TRACED: u32 = 6;
/// The same, and a signal has stopped the thread. [`crate::region::slot_views::Tracee::run_count`]
/// holds its run count at the stop.
pub const STOPPED: u32 = 7;
/// The slot is the tracer's own. No timer that the tracer keeps for its tracees expires before the
/// slot's deadline.
pub const KEEPS_TIME: u32 = 8;
/// The tracer keeps the thread stopped for a back-off, because the thread spins.
/// [`crate::region::slot_views::Tracee::run_count`] holds its run count at the stop.
pub const BACKS_OFF: u32 = 9;
/// Under `--trace=all`, a signal has stopped a thread with the library: this bit is set, and the
/// other bits are its run count at the stop.
pub const PAUSED: u32 = 1 << 31;

/// Does this value say that the slot is the tracer's?
pub fn owned(word: u32) -> bool {
    (TRACED..PAUSED).contains(&word)
}

/// The run count, modulo [`PAUSED`], of a thread that a signal has stopped, if the value says so.
pub fn paused(word: u32) -> Option<u32> {
    (word & PAUSED != 0).then_some(word & !PAUSED)
}

/// Which programs are traced.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub enum Trace {
    /// None.
    None = 0,
    /// Programs that cannot load the library.
    Auto = 1,
    /// All.
    All = 2,
}
