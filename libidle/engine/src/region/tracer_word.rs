//! The words by which the session's threads and the launcher's tracer talk to each other: one in
//! each slot, and one in the header that the tracer sleeps on. Who asks, and how: see
//! [`crate::region::tracer_word`].

/// Values of [`crate::region::slot::Slot::tracer`]: nobody traces the thread, and it does not ask
/// for it.
pub const NONE: u32 = 0;
/// The thread `pid`/`tid` of the slot is about to execute a program.
pub const ASKS: u32 = 1;
/// The same, but a child that it makes next will execute it.
pub const ASKS_FOR_CHILD: u32 = 2;
/// The tracer has come.
pub const GRANTED: u32 = 3;
/// It will not.
pub const REFUSED: u32 = 4;
/// Nothing was executed after all: the tracer is to go.
pub const GIVES_BACK: u32 = 5;
/// The slot is the tracer's: a thread that it traces, or a wait that it will end.
pub const TRACED: u32 = 6;
/// The same, and the thread is stopped by a signal. Its run count then is in
/// [`crate::region::slot::Slot::key`].
pub const STOPPED: u32 = 7;
/// The slot is the tracer's own: until its deadline no timer expires that the tracer keeps for its
/// tracees.
pub const KEEPS_TIME: u32 = 8;
/// A thread that the tracer has stopped because it asks again and again, for a nap. Its run count
/// then is in [`crate::region::slot::Slot::key`].
pub const NAPS: u32 = 9;
/// Under `--trace=all`, a thread with the library is stopped by a signal: this bit, and the others
/// are its run count then.
pub const PAUSED: u32 = 1 << 31;

/// Does this value say that the slot is the tracer's?
pub fn owned(word: u32) -> bool {
    (TRACED..PAUSED).contains(&word)
}

/// How often a thread had been put on a processor, modulo [`PAUSED`], when a signal stopped it, if
/// this value says that one did.
pub fn paused(word: u32) -> Option<u32> {
    (word & PAUSED != 0).then_some(word & !PAUSED)
}

/// Which programs are traced.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub enum Trace {
    /// None.
    None = 0,
    /// Those that the library cannot speak for.
    Auto = 1,
    /// All.
    All = 2,
}
