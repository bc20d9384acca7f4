//! The calls that may have a time-out.

/// A call that may have a time-out, syscalls(2). A function of libc that has the same name takes
/// the same arguments, but for sizes of signal sets; where its meaning differs, its hook says so.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Call {
    /// nanosleep(2).
    Nanosleep,
    /// clock_nanosleep(2).
    ClockNanosleep,
    /// poll(2).
    Poll,
    /// ppoll(2).
    Ppoll,
    /// select(2).
    Select,
    /// pselect6, pselect(2).
    Pselect,
    /// epoll_wait(2).
    EpollWait,
    /// epoll_pwait(2).
    EpollPwait,
    /// epoll_pwait2(2).
    EpollPwait2,
    /// io_getevents(2).
    IoGetevents,
    /// io_pgetevents, io_getevents(2).
    IoPgetevents,
    /// io_uring_enter(2).
    IoUringEnter,
    /// rt_sigtimedwait, sigtimedwait(2).
    SigTimedWait,
    /// semtimedop(2).
    SemTimedOp,
    /// mq_timedsend(2).
    MqTimedSend,
    /// mq_timedreceive(2).
    MqTimedReceive,
    /// recvmmsg(2): its time-out is looked at after each message, and before the first it limits
    /// nothing.
    Recvmmsg,
    /// futex(2).
    Futex,
    /// futex_waitv(2).
    FutexWaitv,
    /// futex_wait(2).
    FutexWait,
}
