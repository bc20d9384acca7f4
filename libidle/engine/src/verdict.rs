//! What a system call can mean for a session. [`crate::arch::call_table`] has the verdict for each
//! of the processor's call numbers. The tracer makes its filter and its rules from it.

use Verdict::*;

/// The condition under which a call really has a time-out, as a filter can tell it from the
/// registers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum When {
    /// Always.
    Always,
    /// Argument n, an `int`, is greater than zero. Zero does not wait, and a negative number waits
    /// for ever.
    Positive(u8),
    /// Argument n, an `int`, is not zero.
    NotZero(u8),
    /// Argument n is a pointer that is not null.
    NotNull(u8),
    /// Argument n has one of these bits.
    Flag(u8, u32),
    /// Argument n, an `int`, is this number.
    Is(u8, u32),
    /// Argument 0 is the number of a clock that moves with the session ([`posix::clock::VIRTUAL`]).
    VirtualClock,
    /// An option of a socket that limits how long calls wait for it, or that says whether it holds
    /// back bytes (tcp(7), TCP_NODELAY).
    SocketOption,
    /// The latter of these.
    NoDelay,
    /// A socket that holds back bytes: a stream of the internet's protocols.
    Stream,
    /// A request of ptrace(2) to become a tracer, or to get one.
    Attaches,
    /// One of futex(2)'s waits, with a time-out in its fourth argument (which is a number for the
    /// others).
    Futex,
}

/// What the session does about a system call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// The call has nothing to do with time, and waits for nobody.
    Pass,
    /// The call may wait, for as long as it takes. The exact look finds its thread asleep.
    Blocks,
    /// The call may wait, and has a time-out if the condition holds.
    Timed(When),
    /// Reads a clock.
    Clock(When),
    /// Says how long the machine has run.
    Uptime,
    /// Sets a clock.
    SetClock,
    /// Makes a socket, or sets or reads an option of one. The waits of later calls depend on it.
    Socket(When),
    /// Makes a pseudo-terminal usable, if the condition holds. The call may also wait.
    Terminal(When),
    /// A timer of the process.
    Timer,
    /// Traces a thread, which has one tracer.
    Traces,
    /// Reads or changes on which processors a thread may run.
    Affinity,
    /// After the call the process may be unable to open what belongs to others: another user, other
    /// namespaces, another root.
    Privileges,
    /// Installs a filter of the program's own (seccomp(2)). That filter may let only the program's
    /// own calls pass.
    Confines(When),
    /// Makes a thread or process. The condition says when a tracer has to look at the flags.
    Spawn(When),
    /// Sends a signal, which may wake a parked thread. Signal number 0 only asks whether the
    /// receiver exists.
    Signals(When),
}

/// clone(2): the child is to escape its creator's tracer.
pub const CLONE_UNTRACED: u32 = 0x0080_0000;
/// clone(2): the child is to have a user namespace of its own.
pub const CLONE_NEWUSER: u32 = 0x1000_0000;
/// ioctl(2): unlocks the slave of a pseudo-terminal. Before that nobody opens it.
pub const TIOCSPTLCK: u32 = 0x4004_5431;
/// clone(2): the child is to have a PID namespace of its own.
pub const CLONE_NEWPID: u32 = 0x2000_0000;
/// The options of prctl(2) and of seccomp(2) that install a filter.
pub const PR_SET_SECCOMP: u32 = 22;
/// See [`PR_SET_SECCOMP`].
pub const SECCOMP_SET_MODE_FILTER: u32 = 1;
/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The number.
    pub number: u32,
    /// The name, as in syscalls(2).
    pub name: &'static str,
    /// The verdict.
    pub verdict: Verdict,
}

impl Verdict {
    /// Must a tracer see the call, and when?
    pub const fn traced(self) -> Option<When> {
        match self {
            Pass | Blocks => None,
            Timed(when) | Spawn(when) | Clock(when) | Socket(when) | Signals(when)
            | Confines(when) | Terminal(when) => Some(when),
            Traces => Some(When::Attaches),
            SetClock | Timer | Uptime | Privileges | Affinity => Some(When::Always),
        }
    }
}
