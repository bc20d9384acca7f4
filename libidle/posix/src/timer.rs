//! Timers: alarm(2), setitimer(2), timer_create(2), timerfd_create(2). When one expires, how often
//! it has, and what is left.

use crate::clock::{self, Clocks};
use crate::errno::Errno;
use crate::time::{Instant, SECOND, Span, Spec};

/// An expiration, and those that follow it.
///
/// It travels with the signal that stands for the expiration, in the last 16 bytes of what the
/// kernel keeps of a `siginfo_t`, where its own timers say nothing to the program: 32 bytes from
/// the beginning. So whoever takes the signal can tell how often the timer has expired since.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Expired {
    /// The first expiration: of a timer that is set the next one. Zero in the signals of others.
    pub first: Instant,
    /// Between expirations; zero for one.
    pub interval: Span,
}

impl Expired {
    /// What all others have there.
    pub const NOTHING: Expired = Expired { first: Instant::ZERO, interval: Span::ZERO };

    /// Is there none? The interval means nothing then.
    pub const fn is_nothing(self) -> bool {
        self.first.ns() == 0
    }

    /// Expirations after the first, up to `now` and including it, as the kernel counts overruns.
    #[inline]
    pub fn missed(self, now: Instant) -> u64 {
        now.since(self.first).ns().checked_div(self.interval.ns()).unwrap_or(0)
    }

    /// The same as `si_overrun` and timer_getoverrun(2) tell it.
    pub fn overrun(self, now: Instant) -> i32 {
        self.missed(now).min(i32::MAX as u64) as i32
    }

    /// The next expiration after `now`; never where there is none to come.
    #[inline]
    pub fn next(self, now: Instant) -> Instant {
        if self.first > now {
            self.first
        } else if self.interval.is_zero() {
            Instant::NEVER
        } else {
            self.first.after(self.interval.times(self.missed(now) + 1))
        }
    }

    /// What is left at `now` until the next expiration, as timer_gettime(2) tells it; zero where
    /// there is none to come. One whose time has come and that has yet to tell somebody shows a
    /// moment; it has nobody to tell if it is `silent`.
    #[inline]
    pub fn left(self, now: Instant, silent: bool) -> Span {
        let next = self.next(now);
        if !next.is_never() {
            next - now
        } else if self.first.is_never() || silent {
            Span::ZERO
        } else {
            Span::from_ns(1)
        }
    }
}

/// What a timer is set to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Setting {
    /// The first expiration; [`Instant::NEVER`] stops it.
    pub expired: Expired,
    /// That is an instant of a clock that can be set.
    pub settable: bool,
}

impl Setting {
    /// As a timer of timer_create(2): one that is stopped has no interval either.
    pub fn or_stopped(self) -> Expired {
        let interval =
            if self.expired.first.is_never() { Span::ZERO } else { self.expired.interval };
        Expired { interval, ..self.expired }
    }
}

/// What `struct itimerspec` (the interval first) says to timer_settime(2) or timerfd_settime(2)
/// about a timer on `clock`.
pub fn setting(
    [interval, interval_ns, sec, nsec]: [i64; 4],
    absolute: bool,
    clock: i32,
    clocks: &impl Clocks,
) -> Result<Setting, Errno> {
    let value = Spec { sec, nsec };
    let interval = Spec { sec: interval, nsec: interval_ns }.span();
    let (Some(span), Some(interval)) = (value.span(), interval) else { return Err(Errno::EINVAL) };
    let first = if span.is_zero() {
        Instant::NEVER
    } else if absolute {
        clock::deadline(clocks, clock, value)?
    } else {
        clocks.now().after(span)
    };
    let settable = absolute && clock::is_time_of_day(clock);
    Ok(Setting { expired: Expired { first, interval }, settable })
}

/// `struct itimerspec` of a timer that has so much `left`.
pub fn itimerspec(left: Span, interval: Span) -> [i64; 4] {
    let [interval, left] = [interval, left].map(Spec::of);
    [interval.sec, interval.nsec, left.sec, left.nsec]
}

/// What `struct itimerval` says to setitimer(2): the time until the first expiration, zero to stop
/// it, and the interval.
pub fn itimer([interval, interval_us, sec, usec]: [i64; 4]) -> Result<(Span, Span), Errno> {
    let span = |sec, usec: i64| {
        let nsec = if (0..1_000_000).contains(&usec) { usec * 1000 } else { -1 };
        Spec { sec, nsec }.span().ok_or(Errno::EINVAL)
    };
    let (value, interval) = (span(sec, usec)?, span(interval, interval_us)?);
    Ok((value, if value.is_zero() { Span::ZERO } else { interval }))
}

/// `struct itimerval` of a timer that has so much `left`. One that is set shows a microsecond at
/// least.
pub fn itimerval(left: Span, interval: Span) -> [i64; 4] {
    let left = if left.is_zero() { left } else { left.max(Span::from_us(1)) };
    let [interval, left] = [interval, left].map(Spec::of);
    [interval.sec, interval.nsec / 1000, left.sec, left.nsec / 1000]
}

/// What `seconds` say to alarm(2).
pub fn alarm(seconds: u32) -> Span {
    Span::from_secs(seconds.min(i32::MAX as u32) as u64)
}

/// What alarm(2) tells of the time that is `left`: the nearest number of seconds, but never zero
/// while something is left.
pub fn alarm_seconds(left: Span) -> u32 {
    let (seconds, us) = (left.ns() / SECOND, left.ns() % SECOND / 1000);
    (seconds + ((seconds == 0 && us != 0) || us >= 500_000) as u64) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::tests::Fake;
    use proptest::prelude::*;

    fn every(first: u64, interval: u64) -> Expired {
        Expired { first: Instant::from_ns(first), interval: Span::from_ns(interval) }
    }

    #[test]
    fn what_has_expired_since() {
        let table = [
            // now, missed, next, left
            (99, 0, 100, 1),
            (100, 0, 110, 10),
            (109, 0, 110, 1),
            (110, 1, 120, 10),
            (135, 3, 140, 5),
        ];
        for (now, missed, next, left) in table {
            let now = Instant::from_ns(now);
            let timer = every(100, 10);
            assert_eq!((timer.missed(now), timer.next(now).ns()), (missed, next));
            assert_eq!(timer.left(now, false).ns(), left);
        }
        assert_eq!(every(100, 1).overrun(Instant::LAST), i32::MAX);
    }

    #[test]
    fn one_that_expires_once() {
        let now = Instant::from_ns;
        let once = every(100, 0);
        assert_eq!((once.next(now(99)), once.next(now(100))), (now(100), Instant::NEVER));
        assert_eq!((once.missed(now(500)), once.overrun(now(500))), (0, 0));
        assert_eq!(once.left(now(40), true), Span::from_ns(60));
        // It has not told anybody yet.
        assert_eq!(once.left(now(100), false), Span::from_ns(1));
        assert_eq!(once.left(now(100), true), Span::ZERO);
        let stopped = Expired { first: Instant::NEVER, ..every(0, 10) };
        assert_eq!(stopped.left(now(100), false), Span::ZERO);
    }

    #[test]
    fn settings() {
        let clocks = Fake { now: 1_000, offset: 5_000_000_000 };
        let set = |words, absolute, id| {
            setting(words, absolute, id, &clocks)
                .map(|to| (to.expired.first.ns(), to.expired.interval.ns(), to.settable))
        };
        assert_eq!(set([0, 7, 0, 500], false, 0), Ok((1_500, 7, false)));
        assert_eq!(set([2, 0, 5, 1_500], true, 0), Ok((1_500, 2_000_000_000, true)));
        assert_eq!(set([0, 0, 0, 1_500], true, 1), Ok((1_500, 0, false)));
        assert_eq!(set([0, 7, 0, 0], true, 0), Ok((u64::MAX, 7, true)));
        assert_eq!(set([0, 0, i64::MAX, 0], false, 1), Ok((u64::MAX - 1, 0, false)));
        // What has passed counts from then on.
        assert_eq!(set([0, 100, 5, 700], true, 0), Ok((700, 100, true)));
        for bad in [[0, -1, 1, 0], [0, 0, 0, 1_000_000_000], [0, 0, -1, 0], [-1, 0, 1, 0]] {
            assert_eq!(set(bad, false, 1), Err(Errno::EINVAL));
        }
    }

    #[test]
    fn interval_timers() {
        assert_eq!(itimer([0, 5, 1, 2]), Ok((Span::from_us(1_000_002), Span::from_us(5))));
        assert_eq!(itimer([3, 0, 0, 0]), Ok((Span::ZERO, Span::ZERO)));
        for bad in [[0, 0, 0, 1_000_000], [0, -1, 1, 0], [0, 0, -1, 0], [-1, 0, 0, 0]] {
            assert_eq!(itimer(bad), Err(Errno::EINVAL));
        }
        assert_eq!(itimerval(Span::from_ns(1), Span::from_us(5)), [0, 5, 0, 1]);
        assert_eq!(itimerval(Span::ZERO, Span::ZERO), [0; 4]);
        assert_eq!(itimerval(Span::from_ms(2_500), Span::ZERO), [0, 0, 2, 500_000]);
        assert_eq!(itimerspec(Span::from_ms(2_500), Span::from_ns(1)), [0, 1, 2, 500_000_000]);
    }

    #[test]
    fn seconds_of_alarms() {
        let table = [(0, 0), (1, 1), (499, 1), (500, 1), (1_499, 1), (1_500, 2), (9_999, 10)];
        for (ms, seconds) in table {
            assert_eq!(alarm_seconds(Span::from_ms(ms)), seconds, "{ms} ms");
        }
        assert_eq!(alarm_seconds(Span::from_ns(999)), 0, "less than a microsecond");
        assert_eq!(alarm(u32::MAX), Span::from_secs(i32::MAX as u64));
    }

    proptest! {
        /// Whoever follows a timer expiration by expiration comes to what is worked out at once.
        #[test]
        fn stepping_and_reckoning_agree(
            first in 0u64..1000, interval in 1u64..100, now in 0u64..5000,
        ) {
            let (timer, now) = (every(first, interval), Instant::from_ns(now));
            let (mut count, mut next) = (0, timer.first);
            while next <= now {
                count += 1;
                next += timer.interval;
            }
            prop_assert_eq!(timer.next(now), next);
            prop_assert_eq!(timer.missed(now), if count == 0 { 0 } else { count - 1 });
            prop_assert_eq!(timer.left(now, false), next - now);
        }

        /// No next expiration is past, and none is no instant.
        #[test]
        fn the_next_is_to_come(first: u64, interval in 1u64.., now in 0..u64::MAX - 1) {
            let now = Instant::from_ns(now);
            let next = every(first, interval).next(now);
            prop_assert!(next > now);
        }

        #[test]
        fn a_setting_is_told_as_it_was_made(sec in 0i64..1 << 34, nsec in 0i64..1_000_000_000) {
            let span = Spec { sec, nsec }.span().unwrap();
            prop_assert_eq!(itimerspec(span, span), [sec, nsec, sec, nsec]);
        }
    }
}
