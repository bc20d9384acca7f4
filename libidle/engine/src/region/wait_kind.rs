//! What threads wait for, as reports say it.

use posix::wait::Call;

/// What a thread waits for, for reports; the discriminants are part of the shared region's layout.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub enum What {
    /// A sleep.
    Sleep = 1,
    /// A condition variable.
    Cond = 2,
    /// A semaphore.
    Sem = 3,
    /// A futex.
    Futex = 4,
    /// A mutex, rwlock or barrier.
    Lock = 5,
    /// The end of a thread.
    Join = 6,
    /// Descriptors becoming ready.
    Ready = 7,
    /// One descriptor: read, write, accept, …
    Descriptor = 8,
    /// A child process.
    Child = 9,
    /// A signal.
    Signal = 10,
    /// System V or POSIX message queues and semaphores.
    Queue = 11,
    /// The deadlines of timers: a thread of this library.
    Timer = 12,
    /// An answer of libc's own threads: asynchronous I/O, look-ups.
    Request = 13,
    /// Something that it asks for again and again: a back-off between two poll iterations.
    Spin = 14,
    /// The next time that a language's runtime looks after its threads, which may come late
    /// (NOTE [Runtime ticks] in [`crate::schedule::deadline_heap`]).
    Beat = 15,
}

/// A bit of [`crate::region::slot_views::Thread::what`]: the wait is for an instant of a clock that
/// can be set. A thread that sets the clock ends the wait, and the waiter works out how long it has
/// to wait now (`Engine::end_settable_waits`).
pub const SETTABLE: u32 = 1 << 31;

/// A bit of [`crate::region::slot_views::Thread::what`]: the thread may move the clock before it
/// goes to sleep, though it has no deadline ([`crate::Engine::enter_kernel_turning`]).
pub const TURNS: u32 = 1 << 30;

/// A bit of [`crate::region::slot_views::Thread::what`]: the thread periodically looks for an event
/// that nobody wakes it for ([`crate::region::slot::Slot::rechecks`]).
pub const RECHECKS: u32 = 1 << 29;

/// What is not of the [`What`].
pub const FLAGS: u32 = SETTABLE | TURNS | RECHECKS;

impl From<Call> for What {
    fn from(call: Call) -> What {
        match call {
            Call::Nanosleep | Call::ClockNanosleep => What::Sleep,
            Call::Poll | Call::Ppoll | Call::Select | Call::Pselect => What::Ready,
            Call::EpollWait | Call::EpollPwait | Call::EpollPwait2 => What::Ready,
            Call::IoGetevents | Call::IoPgetevents => What::Ready,
            Call::IoUringEnter | Call::Recvmmsg => What::Descriptor,
            Call::SigTimedWait => What::Signal,
            Call::SemTimedOp | Call::MqTimedSend | Call::MqTimedReceive => What::Queue,
            Call::Futex | Call::FutexWaitv | Call::FutexWait => What::Futex,
        }
    }
}

impl What {
    /// The words that a report has for [`crate::region::slot_views::Thread::what`].
    pub fn describe(number: u32) -> &'static str {
        const ALL: [What; 15] = [
            What::Sleep,
            What::Cond,
            What::Sem,
            What::Futex,
            What::Lock,
            What::Join,
            What::Ready,
            What::Descriptor,
            What::Child,
            What::Signal,
            What::Queue,
            What::Timer,
            What::Request,
            What::Spin,
            What::Beat,
        ];
        ALL.into_iter().find(|what| *what as u32 == number & !FLAGS).map_or("something", What::name)
    }

    fn name(self) -> &'static str {
        match self {
            What::Sleep => "a signal (a sleep without end)",
            What::Cond => "a condition",
            What::Sem => "a semaphore",
            What::Futex => "a futex",
            What::Lock => "a lock",
            What::Join => "a thread's end",
            What::Ready => "readiness",
            What::Descriptor => "a descriptor",
            What::Child => "a child",
            What::Signal => "a signal",
            What::Queue => "a queue",
            What::Timer => "the deadlines of timers",
            What::Request => "asynchronous I/O",
            What::Spin => "something that it asks for again and again",
            What::Beat => "the next look of its runtime",
        }
    }
}
