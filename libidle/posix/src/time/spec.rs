//! Times as C has them: `struct timespec`, `struct timeval`, milliseconds.

use super::{Instant, Length, Span};

/// Nanoseconds in a second.
pub const SECOND: u64 = 1_000_000_000;

/// Seconds and nanoseconds as `struct timespec` has them, not yet checked: a duration, or the
/// reading of a clock. Seconds are as wide as they are in the kernel: a year beyond 2554 does not
/// fit 64 bits of nanoseconds since 1970.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Spec {
    /// Seconds.
    pub sec: i64,
    /// Nanoseconds.
    pub nsec: i64,
}

impl Spec {
    /// Nanoseconds within their range, and not before 1970?
    #[inline(always)]
    pub const fn is_valid(self) -> bool {
        self.sec >= 0 && self.nsec >= 0 && self.nsec < SECOND as i64
    }

    /// The duration; `None` where POSIX wants EINVAL (negative, or nanoseconds out of range). Too
    /// long a time saturates.
    #[inline(always)]
    pub const fn span(self) -> Option<Span> {
        if !self.is_valid() {
            return None;
        }
        let ns = (self.sec as u64).saturating_mul(SECOND).saturating_add(self.nsec as u64);
        Some(Span::from_ns(ns))
    }

    /// The virtual instant at which `CLOCK_MONOTONIC` reads this. A time before its beginning is
    /// just past.
    #[inline(always)]
    pub const fn instant(self) -> Option<Instant> {
        let sec = if self.sec < 0 { 0 } else { self.sec };
        match (Spec { sec, ..self }).span() {
            Some(_) if self.sec < 0 => Some(Instant::ZERO),
            Some(span) => Some(Instant::from_ns(span.ns())),
            None => None,
        }
    }

    /// Splits a count of nanoseconds.
    #[inline(always)]
    pub const fn of_ns(ns: u64) -> Spec {
        Spec { sec: (ns / SECOND) as i64, nsec: (ns % SECOND) as i64 }
    }

    /// Splits a duration.
    #[inline(always)]
    pub const fn of<C>(span: Length<C>) -> Spec {
        Spec::of_ns(span.ns())
    }

    /// `span` later.
    #[inline(always)]
    pub const fn plus<C>(self, span: Length<C>) -> Spec {
        let nsec = self.nsec as u64 + span.ns() % SECOND;
        let carry = nsec >= SECOND;
        Spec {
            sec: self.sec + (span.ns() / SECOND) as i64 + carry as i64,
            nsec: (if carry { nsec - SECOND } else { nsec }) as i64,
        }
    }

    /// `ns` later, or earlier if that is negative.
    pub const fn shifted(self, ns: i64) -> Spec {
        let of = Spec::of_ns(ns.unsigned_abs());
        if ns >= 0 {
            return self.plus(Span::from_ns(ns as u64));
        }
        let (nsec, borrow) = (self.nsec - of.nsec, (self.nsec < of.nsec) as i64);
        Spec { sec: self.sec - of.sec - borrow, nsec: nsec + borrow * SECOND as i64 }
    }

    /// From `other` to here; zero where that is later.
    #[inline(always)]
    pub const fn since(self, other: Spec) -> Span {
        let sec = self.sec as i128 - other.sec as i128;
        let ns = sec * SECOND as i128 + (self.nsec as i128 - other.nsec as i128);
        Span::from_ns(if ns < 0 {
            0
        } else if ns > u64::MAX as i128 {
            u64::MAX
        } else {
            ns as u64
        })
    }
}

/// A time-out in milliseconds, as poll(2) has it; negative means for ever.
#[inline(always)]
pub const fn of_millis(ms: i32) -> Option<Span> {
    if ms < 0 { None } else { Some(Span::from_ms(ms as u64)) }
}

/// What is left, in milliseconds, rounded up.
pub const fn in_millis(left: Span) -> i32 {
    let ms = left.ns().div_ceil(1_000_000);
    if ms > i32::MAX as u64 { i32::MAX } else { ms as i32 }
}

/// A duration as select(2) and the time-outs of sockets have it, `struct timeval`; `None` for
/// EINVAL. Excess microseconds are carried over into seconds: a negative value alone is refused.
#[inline(always)]
pub const fn of_timeval(sec: i64, usec: i64) -> Option<Span> {
    if sec < 0 || usec < 0 {
        return None;
    }
    let ns = (sec as u64).saturating_mul(SECOND).saturating_add((usec as u64).saturating_mul(1000));
    Some(Span::from_ns(ns))
}

/// No deadline, where a count of nanoseconds is not typed yet.
pub const NEVER: u64 = u64::MAX;
