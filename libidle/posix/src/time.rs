//! Instants and durations, and the only place that converts and rounds them.
//!
//! Three clocks are told apart by type: virtual time, real time, and the processor time of a
//! thread. An instant of one clock has no sum, difference or order with an instant or a duration of
//! another: such an expression does not compile. Whoever crosses from one clock to the other names
//! the rule by which they correspond ([`Span::as_real`], [`RealSpan::as_virtual`],
//! [`Real::ahead_by`]).
//!
//! All are counts of nanoseconds in 64 bits, on `CLOCK_MONOTONIC`'s scale; 2^64 ns are 584 years.
//! Sums and differences saturate. [`Point::NEVER`], the last instant, as a deadline means that none
//! is set.

mod spec;

pub use spec::*;
use std::cmp::Ordering;
use std::fmt;
use std::marker::PhantomData;
use std::ops::{Add, AddAssign, Sub};

/// The session's clock.
pub enum Virtual {}
/// The machine's `CLOCK_MONOTONIC`.
pub enum Machine {}
/// The processor time of one thread, since its birth.
pub enum Processor {}

/// An instant of clock `C`.
///
/// ```compile_fail
/// use posix::time::{Instant, RealSpan};
/// let _ = Instant::ZERO + RealSpan::from_ms(1);
/// ```
/// ```compile_fail
/// use posix::time::{Cpu, Real};
/// let _ = Cpu::ZERO < Real::ZERO;
/// ```
/// ```
/// use posix::time::{Instant, Span};
/// assert_eq!((Instant::ZERO + Span::from_ms(1)).since(Instant::ZERO), Span::from_us(1000));
/// ```
#[repr(transparent)]
pub struct Point<C>(u64, PhantomData<C>);

/// A duration of clock `C`.
#[repr(transparent)]
pub struct Length<C>(u64, PhantomData<C>);

/// An instant of virtual time.
pub type Instant = Point<Virtual>;
/// A duration of virtual time.
pub type Span = Length<Virtual>;
/// An instant of real time.
pub type Real = Point<Machine>;
/// A duration of real time.
pub type RealSpan = Length<Machine>;
/// How much processor time a thread has used since its birth.
pub type Cpu = Point<Processor>;
/// A duration of processor time.
pub type CpuSpan = Length<Processor>;

macro_rules! counts {
    ($name:ident) => {
        impl<C> $name<C> {
            /// From a count of nanoseconds.
            #[inline(always)]
            pub const fn from_ns(ns: u64) -> $name<C> {
                $name(ns, PhantomData)
            }

            /// As a count of nanoseconds.
            #[inline(always)]
            pub const fn ns(self) -> u64 {
                self.0
            }

            /// Zero.
            pub const ZERO: $name<C> = $name::from_ns(0);
        }

        impl<C> Clone for $name<C> {
            #[inline(always)]
            fn clone(&self) -> $name<C> {
                *self
            }
        }
        impl<C> Copy for $name<C> {}
        impl<C> PartialEq for $name<C> {
            #[inline(always)]
            fn eq(&self, other: &$name<C>) -> bool {
                self.0 == other.0
            }
        }
        impl<C> Eq for $name<C> {}
        impl<C> PartialOrd for $name<C> {
            #[inline(always)]
            fn partial_cmp(&self, other: &$name<C>) -> Option<Ordering> {
                Some(self.cmp(other))
            }
        }
        impl<C> Ord for $name<C> {
            #[inline(always)]
            fn cmp(&self, other: &$name<C>) -> Ordering {
                self.0.cmp(&other.0)
            }
        }
        impl<C> Default for $name<C> {
            fn default() -> $name<C> {
                $name::ZERO
            }
        }
        impl<C> fmt::Debug for $name<C> {
            fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
                write!(f, "{} ns", self.0)
            }
        }
    };
}

counts!(Point);
counts!(Length);

impl<C> Point<C> {
    /// No instant: as a deadline it means that none is set.
    pub const NEVER: Point<C> = Point::from_ns(u64::MAX);

    /// The last instant that somebody can wait for.
    pub const LAST: Point<C> = Point::from_ns(u64::MAX - 1);

    /// `length` later; somebody waits for it, so it is an instant, be it the last.
    #[inline(always)]
    pub const fn after(self, length: Length<C>) -> Point<C> {
        let ns = self.0.saturating_add(length.0);
        if ns > Point::<C>::LAST.0 { Point::LAST } else { Point::from_ns(ns) }
    }

    /// From `earlier` to here; zero where `earlier` is later.
    #[inline(always)]
    pub const fn since(self, earlier: Point<C>) -> Length<C> {
        Length::from_ns(self.0.saturating_sub(earlier.0))
    }

    /// Is it a deadline at all?
    #[inline(always)]
    pub const fn is_never(self) -> bool {
        self.0 == u64::MAX
    }
}

impl<C> Length<C> {
    /// For ever.
    pub const MAX: Length<C> = Length::from_ns(u64::MAX);

    /// Is it no time at all?
    #[inline(always)]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// That many microseconds.
    pub const fn from_us(us: u64) -> Length<C> {
        Length::from_ns(us.saturating_mul(1000))
    }

    /// That many milliseconds.
    pub const fn from_ms(ms: u64) -> Length<C> {
        Length::from_ns(ms.saturating_mul(1_000_000))
    }

    /// That many seconds.
    pub const fn from_secs(seconds: u64) -> Length<C> {
        Length::from_ns(seconds.saturating_mul(SECOND))
    }

    /// So many times as long.
    #[inline(always)]
    pub const fn times(self, factor: u64) -> Length<C> {
        Length::from_ns(self.0.saturating_mul(factor))
    }
}

impl Span {
    /// The same count of real time: what a running virtual clock does while nobody moves it.
    #[inline(always)]
    pub const fn as_real(self) -> RealSpan {
        RealSpan::from_ns(self.0)
    }
}

impl RealSpan {
    /// The same count of virtual time, likewise.
    #[inline(always)]
    pub const fn as_virtual(self) -> Span {
        Span::from_ns(self.0)
    }
}

impl Real {
    /// The virtual instant that a running clock shows now that it is `jumped` ahead of real time.
    #[inline(always)]
    pub const fn ahead_by(self, jumped: Span) -> Instant {
        Instant::from_ns(self.0.saturating_add(jumped.0))
    }

    /// The virtual instant of a session whose clock is the real one.
    #[inline(always)]
    pub const fn as_virtual(self) -> Instant {
        Instant::from_ns(self.0)
    }
}

impl Instant {
    /// How far a running clock that shows this now is ahead of real time.
    #[inline(always)]
    pub const fn ahead_of(self, real: Real) -> Span {
        Span::from_ns(self.0.saturating_sub(real.0))
    }
}

impl<C> Add<Length<C>> for Point<C> {
    type Output = Point<C>;
    #[inline(always)]
    fn add(self, length: Length<C>) -> Point<C> {
        Point::from_ns(self.0.saturating_add(length.0))
    }
}

impl<C> AddAssign<Length<C>> for Point<C> {
    #[inline(always)]
    fn add_assign(&mut self, length: Length<C>) {
        *self = *self + length;
    }
}

impl<C> Sub<Point<C>> for Point<C> {
    type Output = Length<C>;
    #[inline(always)]
    fn sub(self, earlier: Point<C>) -> Length<C> {
        self.since(earlier)
    }
}

impl<C> Sub<Length<C>> for Point<C> {
    type Output = Point<C>;
    #[inline(always)]
    fn sub(self, length: Length<C>) -> Point<C> {
        Point::from_ns(self.0.saturating_sub(length.0))
    }
}

impl<C> Add for Length<C> {
    type Output = Length<C>;
    #[inline(always)]
    fn add(self, other: Length<C>) -> Length<C> {
        Length::from_ns(self.0.saturating_add(other.0))
    }
}

impl<C> AddAssign for Length<C> {
    #[inline(always)]
    fn add_assign(&mut self, other: Length<C>) {
        *self = *self + other;
    }
}

impl<C> Sub for Length<C> {
    type Output = Length<C>;
    #[inline(always)]
    fn sub(self, other: Length<C>) -> Length<C> {
        Length::from_ns(self.0.saturating_sub(other.0))
    }
}

#[cfg(test)]
mod tests;
