//! Patience: how long, or how often, somebody tries, pauses or waits before doing something else.
//!
//! A patience may cost time, or name a suspect who is then looked at exactly. It never decides an
//! order, a lock, a credential, a delivery, or whether somebody is asleep. Each crate keeps its own
//! in one file, `patience.rs`, with unit and kind.
//!
//! A test build proves it: `FLUX_PATIENCE=0 cargo build` makes all of them nothing, and
//! `FLUX_PATIENCE=10000` a hundred times as long. The programs under test must not see a
//! difference (`tests/patience/run`). The factor is a constant of the build and costs nothing.

use crate::time::{CpuSpan, Length};

/// By how much this build scales each patience, in percent.
pub const PERCENT: u64 = match option_env!("FLUX_PATIENCE") {
    Some(text) => percent(text.as_bytes()),
    None => 100,
};

const fn percent(digits: &[u8]) -> u64 {
    assert!(!digits.is_empty() && digits.len() < 8, "FLUX_PATIENCE is a percentage");
    let (mut at, mut n) = (0, 0);
    while at < digits.len() {
        assert!(digits[at].is_ascii_digit(), "FLUX_PATIENCE is a percentage");
        n = n * 10 + (digits[at] - b'0') as u64;
        at += 1;
    }
    n
}

/// A duration of any clock as this build scales it.
pub const fn span<C>(length: Length<C>) -> Length<C> {
    Length::from_ns(length.ns().saturating_mul(PERCENT) / 100)
}

/// The period of a thread that looks again and sleeps between, as this build scales it. Who looks
/// must be found asleep by others, or all would wait for it: so it never comes to nothing.
pub const fn period<C>(length: Length<C>) -> Length<C> {
    const SHORTEST: u64 = 50_000;
    match (span(length), length.ns()) {
        (scaled, _) if scaled.ns() >= SHORTEST => scaled,
        (_, ..SHORTEST) => length,
        _ => Length::from_ns(SHORTEST),
    }
}

/// A duration that this build may make longer, but not shorter.
pub const fn no_shorter<C>(length: Length<C>) -> Length<C> {
    if PERCENT < 100 { length } else { span(length) }
}

/// A count, likewise.
pub const fn count(n: u32) -> u32 {
    let scaled = (n as u64).saturating_mul(PERCENT) / 100;
    if scaled > u32::MAX as u64 { u32::MAX } else { scaled as u32 }
}

// Loops that ask again and again (`spin_rule.rs`). These name a suspect, which from then on sleeps
// between its rounds.

/// Processor time: with a clock that runs, a loop that ends sooner is let alone. Who waits for a
/// lock or a peer often spins for a moment.
pub const SPIN: CpuSpan = span(CpuSpan::from_ms(10));
/// Processor time spent at one instant of a frozen clock by a loop that is slow, or gets things
/// done between its looks.
pub const SPIN_SLOW: CpuSpan = span(CpuSpan::from_secs(1));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentage() {
        assert_eq!(percent(b"0"), 0);
        assert_eq!(percent(b"10000"), 10_000);
    }
}
