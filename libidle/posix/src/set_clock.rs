//! Setting the time of day: what is refused, and what a session's clock moves by.
//!
//! A session may set its own clock without any privilege: what would move the machine's moves the
//! session's. What would change how the machine's runs (its frequency, its tick) is checked as the
//! kernel does, and not done.

use crate::clock::{Clocks, MONOTONIC, REALTIME, Shift};
use crate::errno::Errno;
use crate::time::{SECOND, Spec};
use crate::wait::Memory;

/// Years that the kernel keeps for being up: no clock is set to later than 2^63 ns but these.
const LATEST: i64 = i64::MAX / SECOND as i64 - 30 * 365 * 24 * 3600;

/// clock_settime(2) of clock `id`.
pub fn clock_settime(clocks: &impl Clocks, id: i32, to: Spec) -> Result<Shift, Errno> {
    if id != REALTIME || !to.is_valid() || to.sec > LATEST {
        return Err(Errno::EINVAL);
    }
    // Not to before the machine was started (its ERRORS).
    if to < clocks.read(MONOTONIC)? {
        return Err(Errno::EINVAL);
    }
    let now = clocks.read(REALTIME)?;
    Ok(Shift(to.since(now).ns() as i64 - now.since(to).ns() as i64))
}

/// settimeofday(2) to seconds and microseconds.
pub fn settimeofday(clocks: &impl Clocks, sec: i64, usec: i64) -> Result<Shift, Errno> {
    if !(0..1_000_000).contains(&usec) {
        return Err(Errno::EINVAL);
    }
    clock_settime(clocks, REALTIME, Spec { sec, nsec: usec * 1000 })
}

/// adjtime(3), by seconds and microseconds. The whole adjustment is made at once.
pub fn adjtime(sec: i64, usec: i64) -> Result<Shift, Errno> {
    /// What an `int` of microseconds holds, but for two.
    const MOST: i64 = i32::MAX as i64 / 1_000_000 - 2;
    let sec = sec.saturating_add(usec / 1_000_000);
    if !(-MOST..=MOST).contains(&sec) {
        return Err(Errno::EINVAL);
    }
    Ok(Shift((sec * 1_000_000 + usec % 1_000_000) * 1000))
}

/// A step: the time is given.
const ADJ_SETOFFSET: u32 = 0x0100;
/// The frequency is set.
const ADJ_FREQUENCY: u32 = 0x0002;
/// It is in microseconds.
const ADJ_MICRO: u32 = 0x1000;
/// It is in nanoseconds; with [`ADJ_ADJTIME`] it asks and changes nothing.
const ADJ_NANO: u32 = 0x2000;
/// The length of a tick is set.
pub const ADJ_TICK: u32 = 0x4000;
/// adjtime(3): the kernel's own bit, which is no mode without the lowest.
const ADJ_ADJTIME: u32 = 0x8000;
const ADJ_OFFSET: u32 = 0x0001;

/// Of `struct timex`, what adjtimex(2) looks at before it does anything.
#[derive(Clone, Copy, Debug, Default)]
pub struct Timex {
    /// What to do.
    pub modes: u32,
    /// By how much, in microseconds, for adjtime(3).
    pub offset: i64,
    /// Parts in a million, times 2^16.
    pub frequency: i64,
    /// Seconds, and micro- or nanoseconds.
    pub time: (i64, i64),
    /// Microseconds.
    pub tick: i64,
}

impl Timex {
    /// Where its fields lie.
    const OFFSET: u64 = 8;
    const STATUS: u64 = 40;
    const TIME: u64 = 72;

    /// What the caller has at `at`.
    pub fn read(memory: &impl Memory, at: u64) -> Option<Timex> {
        let [modes, offset, frequency] = memory.read(at)?;
        let [sec, part, tick] = memory.read(at + Timex::TIME)?;
        let time = (sec as i64, part as i64);
        let [offset, frequency, tick] = [offset, frequency, tick].map(|word| word as i64);
        Some(Timex { modes: modes as u32, offset, frequency, time, tick })
    }

    /// The kernel has answered at `at` what the machine's clock is like: there, tells the `time` of
    /// the session's, and that nothing is left to be adjusted.
    pub fn tell(&self, memory: &impl Memory, at: u64, time: Spec) -> Option<()> {
        /// In the status: the time is in nanoseconds.
        const NANO: u64 = 0x2000;
        let [status] = memory.read(at + Timex::STATUS)?;
        let part = if status & NANO != 0 { time.nsec } else { time.nsec / 1000 };
        if self.is_adjtime() {
            memory.write(at + Timex::OFFSET, [0])?;
        }
        memory.write(at + Timex::TIME, [time.sec as u64, part as u64])
    }

    /// Is adjtime(3) behind it?
    fn is_adjtime(&self) -> bool {
        self.modes & ADJ_ADJTIME != 0
    }

    /// Does it change how the machine's clock runs?
    fn needs_privilege(&self) -> bool {
        !self.is_adjtime() && self.modes & !(ADJ_SETOFFSET | ADJ_MICRO | ADJ_NANO) != 0
    }

    /// What adjtimex(2) does to the session's clock, called by somebody who has `CAP_SYS_TIME` or
    /// has not.
    pub fn adjusts(&self, privileged: impl FnOnce() -> bool) -> Result<Shift, Errno> {
        /// Microseconds of a tick of 1/100 s, and a tenth of it.
        const TICK: (i64, i64) = (10_000, 1_000);
        /// Of [`Timex::frequency`], in the kernel's own unit.
        const FREQUENCY: i64 = 1000 << 16;
        let set = |mode| self.modes & mode != 0;
        if self.is_adjtime() && !set(ADJ_OFFSET) {
            return Err(Errno::EINVAL);
        }
        if self.needs_privilege() && !privileged() {
            return Err(Errno::EPERM);
        }
        let tick = (TICK.0 - TICK.1..=TICK.0 + TICK.1).contains(&self.tick);
        if !self.is_adjtime() && set(ADJ_TICK) && !tick {
            return Err(Errno::EINVAL);
        }
        let mut shift = 0i64;
        if set(ADJ_SETOFFSET) {
            let (unit, most) = if set(ADJ_NANO) { (1, SECOND as i64) } else { (1000, 1_000_000) };
            let (sec, part) = self.time;
            if !(0..most).contains(&part) {
                return Err(Errno::EINVAL);
            }
            shift = sec.saturating_mul(SECOND as i64).saturating_add(part * unit);
        }
        if set(ADJ_FREQUENCY) && self.frequency.checked_mul(FREQUENCY).is_none() {
            return Err(Errno::EINVAL);
        }
        if self.is_adjtime() && !set(ADJ_NANO) {
            shift = shift.saturating_add(self.offset.saturating_mul(1000));
        }
        Ok(Shift(shift))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::tests::Fake;

    /// Up for 100 s, in 2001.
    const CLOCKS: Fake = Fake { now: 100_000_000_000, offset: 1_000_000_000_000_000_000 };

    fn shift(of: Result<Shift, Errno>) -> Result<i64, Errno> {
        of.map(|Shift(ns)| ns)
    }

    #[test]
    fn the_clock_is_set() {
        let set = |id, sec, nsec| shift(clock_settime(&CLOCKS, id, Spec { sec, nsec }));
        let einval = Err(Errno::EINVAL);
        assert_eq!(set(REALTIME, 1_000_000_100, 0), Ok(0));
        assert_eq!(set(REALTIME, 1_000_000_107, 5), Ok(7_000_000_005));
        assert_eq!(set(REALTIME, 100, 0), Ok(-1_000_000_000_000_000_000));
        assert_eq!(set(REALTIME, 99, 999_999_999), einval, "before it was started");
        assert_eq!(set(REALTIME, 1, 1_000_000_000), einval);
        assert_eq!(set(REALTIME, -1, 0), einval);
        assert_eq!(set(REALTIME, LATEST + 1, 0), einval);
        assert_eq!(set(MONOTONIC, 1_000_000_000, 0), einval);
        assert_eq!(shift(settimeofday(&CLOCKS, 1_000_000_100, 3)), Ok(3_000));
        assert_eq!(shift(settimeofday(&CLOCKS, 1_000_000_100, 1_000_000)), einval);
        assert_eq!(shift(settimeofday(&CLOCKS, 1_000_000_100, -1)), einval);
    }

    #[test]
    fn the_clock_is_adjusted() {
        assert_eq!(shift(adjtime(1, 500_000)), Ok(1_500_000_000));
        assert_eq!(shift(adjtime(-1, -500_000)), Ok(-1_500_000_000));
        assert_eq!(shift(adjtime(0, 3_000_000)), Ok(3_000_000_000));
        assert_eq!(shift(adjtime(2145, 0)), Ok(2_145_000_000_000));
        assert_eq!(shift(adjtime(2146, 0)), Err(Errno::EINVAL));
        assert_eq!(shift(adjtime(i64::MIN, -1)), Err(Errno::EINVAL));
    }

    #[test]
    fn adjtimex() {
        let of = |modes| Timex { modes, ..Timex::default() };
        let (einval, eperm) = (Err(Errno::EINVAL), Err(Errno::EPERM));
        // What is asked, and the answers to somebody with and without the privilege.
        let table = [
            (of(0), Ok(0), Ok(0)),
            (of(ADJ_OFFSET), Ok(0), eperm),
            (of(0x0030), Ok(0), eperm),
            (Timex { tick: 10_000, ..of(ADJ_TICK) }, Ok(0), eperm),
            (Timex { tick: 8_999, ..of(ADJ_TICK) }, einval, eperm),
            (Timex { tick: 11_001, ..of(ADJ_TICK) }, einval, eperm),
            (Timex { frequency: 500 << 16, ..of(ADJ_FREQUENCY) }, Ok(0), eperm),
            (Timex { frequency: i64::MAX, ..of(ADJ_FREQUENCY) }, einval, eperm),
            (of(ADJ_ADJTIME), einval, einval),
            (Timex { offset: 7, ..of(0x8001) }, Ok(7_000), Ok(7_000)),
            (Timex { offset: 7, ..of(0xa001) }, Ok(0), Ok(0)),
            (
                Timex { time: (-500, 0), ..of(ADJ_SETOFFSET) },
                Ok(-500 * 1_000_000_000),
                Ok(-500 * 1_000_000_000),
            ),
            (
                Timex { time: (1, 999_999), ..of(ADJ_SETOFFSET) },
                Ok(1_999_999_000),
                Ok(1_999_999_000),
            ),
            (Timex { time: (1, 1_000_000), ..of(ADJ_SETOFFSET) }, einval, einval),
            (Timex { time: (1, -1), ..of(ADJ_SETOFFSET) }, einval, einval),
            (
                Timex { time: (1, 7), ..of(ADJ_SETOFFSET | ADJ_NANO) },
                Ok(1_000_000_007),
                Ok(1_000_000_007),
            ),
        ];
        for (timex, privileged, unprivileged) in table {
            assert_eq!(shift(timex.adjusts(|| true)), privileged, "{timex:?}");
            assert_eq!(shift(timex.adjusts(|| false)), unprivileged, "{timex:?}");
        }
    }
}
