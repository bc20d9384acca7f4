//! What threads wait for, as reports say it.

use posix::wait::Call;

/// What a thread waits for, as reports say it. The discriminants are part of the shared region's
/// layout.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub enum WaitKind {
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
    RuntimeTick = 15,
    /// The acknowledgement of what it has sent: a close with SO_LINGER (socket(7)).
    Lingers = 16,
    /// Rest: all other threads of the session are blocked ([`crate::schedule::at_rest`]).
    Rest = 17,
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

/// A bit of [`crate::region::slot_views::Thread::what`]: before the wait bind(2) has refused a TCP
/// port for the second time, and the port stands in [`PORT`].
pub const REFUSED: u32 = 1 << 28;

/// The bits of the port ([`REFUSED`]), and the place of the lowest.
pub const PORT: u32 = 0xffff << PORT_AT;
/// See [`PORT`].
pub const PORT_AT: u32 = 8;

/// The bits that are not part of the [`WaitKind`].
pub const FLAGS: u32 = SETTABLE | TURNS | RECHECKS | REFUSED | PORT;

impl From<Call> for WaitKind {
    fn from(call: Call) -> WaitKind {
        match call {
            Call::Nanosleep | Call::ClockNanosleep => WaitKind::Sleep,
            Call::Poll | Call::Ppoll | Call::Select | Call::Pselect => WaitKind::Ready,
            Call::EpollWait | Call::EpollPwait | Call::EpollPwait2 => WaitKind::Ready,
            Call::IoGetevents | Call::IoPgetevents => WaitKind::Ready,
            Call::IoUringEnter | Call::Recvmmsg => WaitKind::Descriptor,
            Call::SigTimedWait => WaitKind::Signal,
            Call::SemTimedOp | Call::MqTimedSend | Call::MqTimedReceive => WaitKind::Queue,
            Call::Futex | Call::FutexWaitv | Call::FutexWait => WaitKind::Futex,
        }
    }
}

impl WaitKind {
    /// The words of a report for [`crate::region::slot_views::Thread::what`].
    pub fn describe(number: u32) -> &'static str {
        const ALL: [WaitKind; 17] = [
            WaitKind::Sleep,
            WaitKind::Cond,
            WaitKind::Sem,
            WaitKind::Futex,
            WaitKind::Lock,
            WaitKind::Join,
            WaitKind::Ready,
            WaitKind::Descriptor,
            WaitKind::Child,
            WaitKind::Signal,
            WaitKind::Queue,
            WaitKind::Timer,
            WaitKind::Request,
            WaitKind::Spin,
            WaitKind::RuntimeTick,
            WaitKind::Lingers,
            WaitKind::Rest,
        ];
        ALL.into_iter()
            .find(|what| *what as u32 == number & !FLAGS)
            .map_or("something", WaitKind::name)
    }

    fn name(self) -> &'static str {
        match self {
            WaitKind::Sleep => "a signal (a sleep without end)",
            WaitKind::Cond => "a condition",
            WaitKind::Sem => "a semaphore",
            WaitKind::Futex => "a futex",
            WaitKind::Lock => "a lock",
            WaitKind::Join => "a thread's end",
            WaitKind::Ready => "readiness",
            WaitKind::Descriptor => "a descriptor",
            WaitKind::Child => "a child",
            WaitKind::Signal => "a signal",
            WaitKind::Queue => "a queue",
            WaitKind::Timer => "the deadlines of timers",
            WaitKind::Request => "asynchronous I/O",
            WaitKind::Spin => "something that it asks for again and again",
            WaitKind::RuntimeTick => "the next look of its runtime",
            WaitKind::Rest => "rest",
            WaitKind::Lingers => "the acknowledgement of what it has sent",
        }
    }
}
