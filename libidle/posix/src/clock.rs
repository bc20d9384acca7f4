//! Clocks by number, and when one of their instants comes, in virtual time.

use crate::errno::Errno;
use crate::time::{Instant, Span, Spec};

/// Wall-clock time.
pub const REALTIME: i32 = 0;
/// Time since the machine was started; the session's own scale, [`Instant`].
pub const MONOTONIC: i32 = 1;
/// Processor time of the calling process.
pub const PROCESS_CPUTIME: i32 = 2;
/// Processor time of the calling thread.
pub const THREAD_CPUTIME: i32 = 3;
/// As [`MONOTONIC`], not disciplined.
pub const MONOTONIC_RAW: i32 = 4;
/// As [`REALTIME`], at the last tick.
pub const REALTIME_COARSE: i32 = 5;
/// As [`MONOTONIC`], at the last tick.
pub const MONOTONIC_COARSE: i32 = 6;
/// As [`MONOTONIC`], and suspends count.
pub const BOOTTIME: i32 = 7;

/// Clocks that move with the session, a bit for each number: all but those of processor time and
/// 10, which Linux has no more.
pub const VIRTUAL: u32 = 0b1011_1111_0011;
/// Of these, those that show the time of day (`CLOCK_REALTIME`, its coarse form, `…_ALARM` and
/// `CLOCK_TAI`): they share what clock_settime(2) has set.
pub const TIME_OF_DAY: u32 = 0b1001_0010_0001;

/// Does clock `id` move with the session?
#[inline(always)]
pub const fn is_virtual(id: i32) -> bool {
    (id as u32) < 32 && VIRTUAL >> id & 1 != 0
}

/// Does clock `id` show the time of day? Then it can be set.
#[inline(always)]
pub const fn is_time_of_day(id: i32) -> bool {
    (id as u32) < 32 && TIME_OF_DAY >> id & 1 != 0
}

/// Does clock `id` count processor time, of the caller or of others (negative numbers,
/// clock_getcpuclockid(3))?
pub const fn is_of_processor(id: i32) -> bool {
    id < 0 || matches!(id, PROCESS_CPUTIME | THREAD_CPUTIME)
}

/// Can a thread sleep on clock `id`, one of the virtual ones (clock_nanosleep(2))?
#[inline(always)]
pub const fn can_sleep_on(id: i32) -> bool {
    !matches!(id, MONOTONIC_RAW | REALTIME_COARSE | MONOTONIC_COARSE)
}

/// How far the time of day has been set ahead, ns; negative: back.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Shift(pub i64);

impl Shift {
    /// From `before` to here.
    pub const fn since(self, before: Shift) -> Shift {
        Shift(self.0.wrapping_sub(before.0))
    }

    /// The virtual instant at which a clock that was set ahead by this much now comes to what it
    /// would have come to at `instant`. No instant stays none.
    pub fn moves(self, instant: Instant) -> Instant {
        if instant.is_never() {
            return instant;
        }
        Instant::from_ns(instant.ns().saturating_add_signed(self.0.saturating_neg()))
            .min(Instant::LAST)
    }
}

/// The clocks of a session, as whoever asks can read them.
pub trait Clocks {
    /// Virtual now.
    fn now(&self) -> Instant;
    /// What clock `id` reads in virtual time; the error is clock_gettime(2)'s.
    fn read(&self, id: i32) -> Result<Spec, Errno>;
}

/// The virtual instant at which clock `id` reads `at`, as far as is known now. Not so any more when
/// that clock is set: a waiter for the time of day asks again on waking ([`reached`]).
#[inline]
pub fn deadline(clocks: &impl Clocks, id: i32, at: Spec) -> Result<Instant, Errno> {
    let instant = at.instant().ok_or(Errno::EINVAL)?;
    if id == MONOTONIC {
        return Ok(instant.min(Instant::LAST));
    }
    let reading = clocks.read(id)?;
    Ok((clocks.now().after(at.since(reading)) - reading.since(at)).min(Instant::LAST))
}

/// Has clock `id` come to `at`? Nobody waits for a clock that cannot be read.
#[inline]
pub fn reached(clocks: &impl Clocks, id: i32, at: Spec) -> bool {
    clocks.read(id).map_or(true, |reading| reading >= at)
}

/// Until when a call waits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Until {
    /// For so long, by `CLOCK_MONOTONIC`.
    After(Span),
    /// Until clock `clock` reads `at`.
    At {
        /// Its number.
        clock: i32,
        /// Valid.
        at: Spec,
    },
}

impl Until {
    /// The virtual instant, as far as is known now.
    #[inline]
    pub fn deadline(self, clocks: &impl Clocks) -> Result<Instant, Errno> {
        match self {
            Until::After(span) => Ok(clocks.now().after(span)),
            Until::At { clock, at } => deadline(clocks, clock, at),
        }
    }

    /// Is it an instant that comes at another time when the clock is set?
    #[inline]
    pub const fn is_settable(self) -> bool {
        matches!(self, Until::At { clock, .. } if is_time_of_day(clock))
    }

    /// `deadline`, the instant for this, has come: has the clock come to what it was to read? It
    /// may have been set back.
    #[inline]
    pub fn reached(self, clocks: &impl Clocks) -> bool {
        match self {
            Until::At { clock, at } if is_time_of_day(clock) => reached(clocks, clock, at),
            _ => true,
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A session whose wall clock reads `offset` ns more than its monotonic one.
    pub struct Fake {
        pub now: u64,
        pub offset: i64,
    }

    impl Clocks for Fake {
        fn now(&self) -> Instant {
            Instant::from_ns(self.now)
        }

        fn read(&self, id: i32) -> Result<Spec, Errno> {
            match id {
                REALTIME => Ok(Spec::of_ns((self.now as i64 + self.offset) as u64)),
                MONOTONIC | BOOTTIME => Ok(Spec::of_ns(self.now)),
                _ => Err(Errno::EINVAL),
            }
        }
    }

    #[test]
    fn kinds_of_clocks() {
        // CLOCK_REALTIME to CLOCK_TAI, and one of another process.
        let table: [(i32, bool, bool, bool); 14] = [
            (0, true, true, false),
            (1, true, false, false),
            (2, false, false, true),
            (3, false, false, true),
            (4, true, false, false),
            (5, true, true, false),
            (6, true, false, false),
            (7, true, false, false),
            (8, true, true, false),
            (9, true, false, false),
            (10, false, false, false),
            (11, true, true, false),
            (12, false, false, false),
            (-6, false, false, true),
        ];
        for (id, virtual_, day, processor) in table {
            assert_eq!(
                (is_virtual(id), is_time_of_day(id), is_of_processor(id)),
                (virtual_, day, processor),
                "{id}"
            );
        }
        assert!([0, 1, 7, 8, 9, 11].into_iter().all(can_sleep_on));
        assert!(![4, 5, 6].into_iter().any(can_sleep_on));
    }

    #[test]
    fn deadlines() {
        let clocks = Fake { now: 1_000, offset: 5_000_000_000 };
        let spec = |sec, nsec| Spec { sec, nsec };
        let table = [
            (MONOTONIC, spec(0, 1_500), Ok(1_500)),
            (MONOTONIC, spec(0, 500), Ok(500)),
            (MONOTONIC, spec(-1, 0), Ok(0)),
            (MONOTONIC, spec(i64::MAX, 0), Ok(u64::MAX - 1)),
            (MONOTONIC, spec(0, 1_000_000_000), Err(Errno::EINVAL)),
            (REALTIME, spec(5, 1_000), Ok(1_000)),
            (REALTIME, spec(5, 3_000), Ok(3_000)),
            (REALTIME, spec(5, 400), Ok(400)),
            (REALTIME, spec(1, 0), Ok(0)),
            (REALTIME, spec(i64::MAX, 0), Ok(u64::MAX - 1)),
            (77, spec(1, 0), Err(Errno::EINVAL)),
        ];
        for (id, at, expected) in table {
            assert_eq!(deadline(&clocks, id, at).map(Instant::ns), expected, "{id} {at:?}");
        }
        assert!(reached(&clocks, REALTIME, spec(5, 1_000)));
        assert!(!reached(&clocks, REALTIME, spec(5, 1_001)));
    }

    #[test]
    fn only_an_instant_of_the_day_may_come_at_another_time() {
        let at = Spec { sec: 9, nsec: 0 };
        assert!(Until::At { clock: REALTIME, at }.is_settable());
        assert!(!Until::At { clock: BOOTTIME, at }.is_settable());
        assert!(!Until::After(Span::from_ms(1)).is_settable());
        let clocks = Fake { now: 8_000_000_000, offset: 0 };
        assert!(!Until::At { clock: REALTIME, at }.reached(&clocks));
        assert!(Until::At { clock: MONOTONIC, at }.reached(&clocks));
    }

    #[test]
    fn a_clock_that_is_set_moves_its_instants() {
        let at = Instant::from_ns(100);
        assert_eq!(Shift(60).moves(at), Instant::from_ns(40));
        assert_eq!(Shift(-60).moves(at), Instant::from_ns(160));
        assert_eq!(Shift(i64::MAX).moves(at), Instant::ZERO);
        assert_eq!(Shift(i64::MIN).moves(Instant::LAST), Instant::LAST);
        assert_eq!(Shift(60).moves(Instant::NEVER), Instant::NEVER);
    }

    proptest! {
        /// A deadline is when the clock reads it, to the nanosecond.
        #[test]
        fn a_clock_reads_it_at_its_deadline(
            now in 0..1u64 << 62, offset in 0..1i64 << 60, ahead in 0..1u64 << 60,
        ) {
            let at = Fake { now, offset }.read(REALTIME).unwrap().plus(Span::from_ns(ahead));
            let due = deadline(&Fake { now, offset }, REALTIME, at).unwrap();
            prop_assert_eq!(Fake { now: due.ns(), offset }.read(REALTIME).unwrap(), at);
        }

        /// A clock that is set moves the deadline by as much.
        #[test]
        fn setting_and_moving_agree(
            now in 1u64 << 50..1 << 60, by in -(1i64 << 48)..1 << 48, ahead in 1u64 << 49..1 << 50,
        ) {
            let before = Fake { now, offset: 1 << 55 };
            let after = Fake { offset: before.offset + by, ..before };
            let at = before.read(REALTIME).unwrap().plus(Span::from_ns(ahead));
            let due = deadline(&before, REALTIME, at).unwrap();
            prop_assert_eq!(Shift(by).moves(due), deadline(&after, REALTIME, at).unwrap());
        }
    }
}
