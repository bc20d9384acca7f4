//! `SO_RCVTIMEO` and `SO_SNDTIMEO`, socket(7): how long calls wait for a socket.

use crate::errno::Errno;
use crate::time::{Span, of_timeval};

/// The level of these options.
pub const SOL_SOCKET: i32 = 1;
/// Both, in the form of old and in the one whose seconds have 64 bits everywhere. Where `long` has
/// 64 bits both are a `struct timeval`, and what one sets the other tells.
pub const OPTIONS: [u32; 4] = [20, 21, 66, 67];

/// MSG_OOB of recv(2).
const OOB: i32 = 0x1;
/// MSG_DONTWAIT.
const DONTWAIT: i32 = 0x40;
/// MSG_ERRQUEUE.
const ERRQUEUE: i32 = 0x2000;

/// Which way the bytes go, or the connections.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Way {
    /// read, recv and relatives, accept.
    In,
    /// write, send and relatives, connect.
    Out,
}

impl Way {
    /// The option that limits it.
    pub const fn option(self) -> i32 {
        match self {
            Way::In => OPTIONS[0] as i32,
            Way::Out => OPTIONS[1] as i32,
        }
    }
}

/// Is it one of the options?
pub fn is_limit(level: i32, option: i32) -> bool {
    level == SOL_SOCKET && OPTIONS.contains(&(option as u32))
}

/// The limit that an option says; `None` for none.
pub fn limit(sec: i64, usec: i64) -> Option<Span> {
    of_timeval(sec, usec).filter(|&span| !span.is_zero() && span != Span::MAX)
}

/// Does a transfer with these flags wait at all, if its descriptor's flags allow it? Urgent bytes
/// are there or not, and so are errors; but a `local` socket has no queue of errors, and there the
/// flag means nothing.
#[inline]
pub fn waits(way: Way, flags: i32, local: impl FnOnce() -> bool) -> bool {
    flags & DONTWAIT == 0
        && (way == Way::Out || flags & OOB == 0 && (flags & ERRQUEUE == 0 || local()))
}

/// The error when the limit is over. A connection that is not `local` goes on being made.
pub fn timed_out(connects: bool, local: impl FnOnce() -> bool) -> Errno {
    if connects && !local() { Errno::EINPROGRESS } else { Errno::EAGAIN }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options() {
        assert!([20, 21, 66, 67].into_iter().all(|option| is_limit(1, option)));
        assert!(!is_limit(1, 22) && !is_limit(6, 20));
        assert_eq!((Way::In.option(), Way::Out.option()), (20, 21));
        let table = [
            ((0, 0), None),
            ((1, 500_000), Some(Span::from_ms(1500))),
            ((-1, 0), None),
            ((i64::MAX, 0), None),
        ];
        for ((sec, usec), expected) in table {
            assert_eq!(limit(sec, usec), expected);
        }
    }

    #[test]
    fn flags() {
        let table = [
            (0, true, true, true),
            (DONTWAIT, false, false, false),
            (OOB, false, false, true),
            (ERRQUEUE, false, true, true),
            (ERRQUEUE | DONTWAIT, false, false, false),
        ];
        for (flags, receives, receives_locally, sends) in table {
            assert_eq!(waits(Way::In, flags, || false), receives);
            assert_eq!(waits(Way::In, flags, || true), receives_locally);
            assert_eq!(waits(Way::Out, flags, || false), sends);
        }
        assert_eq!(timed_out(true, || false), Errno::EINPROGRESS);
        assert_eq!([timed_out(true, || true), timed_out(false, || false)], [Errno::EAGAIN; 2]);
    }
}
