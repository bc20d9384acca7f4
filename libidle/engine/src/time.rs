//! Instants and durations, and the only place that converts and rounds them.
//!
//! Virtual and real nanoseconds are both `u64` counts on `CLOCK_MONOTONIC`'s scale; 2^64 ns are 584
//! years. Sums saturate at [`NEVER`], which as a deadline means that none is set.

/// No deadline.
pub const NEVER: u64 = u64::MAX;
/// Nanoseconds in a second.
pub const SECOND: u64 = 1_000_000_000;

/// Seconds and nanoseconds as `struct timespec` has them, not yet checked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Spec {
    /// Seconds.
    pub sec: i64,
    /// Nanoseconds.
    pub nsec: i64,
}

impl Spec {
    /// Nanoseconds of a duration; `None` where POSIX wants EINVAL (negative, or nanoseconds out of
    /// range). Too long a time saturates at [`NEVER`].
    pub fn nanos(self) -> Option<u64> {
        if self.sec < 0 || !(0..SECOND as i64).contains(&self.nsec) {
            return None;
        }
        Some((self.sec as u64).saturating_mul(SECOND).saturating_add(self.nsec as u64))
    }

    /// The same, where a time before the epoch is legal and just past (absolute deadlines): it
    /// counts as 0.
    pub fn nanos_absolute(self) -> Option<u64> {
        if !(0..SECOND as i64).contains(&self.nsec) {
            return None;
        }
        if self.sec < 0 { Some(0) } else { self.nanos() }
    }

    /// Splits a count of nanoseconds.
    pub fn from_nanos(ns: u64) -> Spec {
        Spec { sec: (ns / SECOND) as i64, nsec: (ns % SECOND) as i64 }
    }

    /// `self` and `ns` more, with seconds as wide as they are in the kernel (a year beyond 2554
    /// does not fit 64 bits of nanoseconds since 1970).
    pub fn plus(self, ns: u64) -> Spec {
        let nsec = self.nsec as u64 + ns % SECOND;
        let carry = nsec >= SECOND;
        Spec {
            sec: self.sec + (ns / SECOND) as i64 + carry as i64,
            nsec: (if carry { nsec - SECOND } else { nsec }) as i64,
        }
    }

    /// `self - other` in nanoseconds, 0 when negative, saturating at [`NEVER`].
    pub fn since(self, other: Spec) -> u64 {
        let sec = self.sec as i128 - other.sec as i128;
        let ns = sec * SECOND as i128 + (self.nsec - other.nsec) as i128;
        ns.clamp(0, NEVER as i128) as u64
    }
}

/// Milliseconds (as `poll(2)` counts) to nanoseconds; negative means for ever.
pub fn millis(ms: i32) -> Option<u64> {
    (ms >= 0).then(|| ms as u64 * 1_000_000)
}

/// What is left of `ns`, in milliseconds, rounded up.
pub fn to_millis_up(ns: u64) -> u64 {
    ns.div_ceil(1_000_000)
}

/// What is left of `ns`, in seconds as alarm(2) tells: the nearest number, but never 0 while
/// something is left.
pub fn whole_seconds(ns: u64) -> u64 {
    let (seconds, us) = (ns / SECOND, ns % SECOND / 1000);
    seconds + ((seconds == 0 && us != 0) || us >= 500_000) as u64
}

/// Microseconds as `struct timeval` has them, to nanoseconds; `None` for EINVAL. The kernel carries
/// excess microseconds over into seconds in `select(2)` alone, so only a negative value is refused
/// here.
pub fn timeval(sec: i64, usec: i64) -> Option<u64> {
    if sec < 0 || usec < 0 {
        return None;
    }
    Some((sec as u64).saturating_mul(SECOND).saturating_add((usec as u64).saturating_mul(1000)))
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn five_centuries_fit() {
        let year = 365 * 86_400 * SECOND;
        let now = Spec { sec: 1_800_000_000, nsec: 999_999_999 };
        let then = now.plus(year.saturating_mul(550) + 1);
        assert_eq!(then, Spec { sec: 1_800_000_000 + 550 * 365 * 86_400 + 1, nsec: 0 });
        assert_eq!(then.since(now), year * 550 + 1);
        assert_eq!(now.since(then), 0);
    }

    #[test]
    fn bad_times_are_refused() {
        assert_eq!(Spec { sec: -1, nsec: 0 }.nanos(), None);
        assert_eq!(Spec { sec: 0, nsec: 1_000_000_000 }.nanos(), None);
        assert_eq!(Spec { sec: 0, nsec: -1 }.nanos_absolute(), None);
        assert_eq!(Spec { sec: -5, nsec: 1 }.nanos_absolute(), Some(0));
        assert_eq!(Spec { sec: i64::MAX, nsec: 0 }.nanos(), Some(NEVER));
        assert_eq!(millis(-1), None);
        assert_eq!(to_millis_up(1), 1);
    }
}
