//! Dates and durations of the command line: `--start` and `--until`.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, ZonedDateTime};

/// What is wrong with a word that is no date.
const DATE: &str = "a date is like 2031-02-28, '2031-02-28 23:59:50', 2031-02-28T23:59:50Z, \
                    @1930000000, +3d or -1y";
/// What is wrong with a word that is neither a date nor a duration.
const BUDGET: &str = "a budget is a duration like 90s, 2h or 3d, or a date as --start has it";

/// A date as it was given: an instant, or one so far from another.
#[derive(Clone, Debug, PartialEq)]
pub enum When {
    /// An instant of the time of day.
    At(Timestamp),
    /// So far from the instant that the reader has in mind, by the calendar of the local time zone.
    From(Relative),
}

/// A distance by the calendar. Two are equal if they were written alike.
#[derive(Clone, Debug)]
pub struct Relative(Span);

impl PartialEq for Relative {
    fn eq(&self, other: &Relative) -> bool {
        self.0.fieldwise() == other.0.fieldwise()
    }
}

impl When {
    /// Nanoseconds since 1970 (CLOCK_REALTIME), relative to `now` if it is relative. `None` where a
    /// clock of the kernel, 64 bits of ns, does not reach.
    pub fn ns(&self, now: i64) -> Option<i64> {
        let at = match self {
            When::At(at) => *at,
            When::From(Relative(span)) => {
                let now = Timestamp::from_nanosecond(now.into()).ok()?;
                ZonedDateTime::new(now, TimeZone::system()).checked_add(*span).ok()?.timestamp()
            }
        };
        i64::try_from(at.as_nanosecond()).ok().filter(|&ns| ns >= 0)
    }
}

/// The value of `--start`: ISO 8601, `@seconds`, or `+3d` and `-1y` from now. Local time unless the
/// word says otherwise.
pub fn start(text: &str) -> Result<When, String> {
    let text = text.trim();
    let when = match text.as_bytes().first() {
        Some(b'@') => seconds(&text[1..]).map(When::At),
        Some(b'+' | b'-') => relative(text),
        _ => absolute(text).map(When::At),
    };
    when.ok_or_else(|| DATE.to_string())
}

/// The value of `--until`: a duration, or a date as `--start` has it. A number alone is seconds, as
/// timeout(1) has it.
pub fn until(text: &str) -> Result<When, String> {
    let text = text.trim();
    if let Ok(when) = start(text) {
        return Ok(when);
    }
    let plain = text.parse::<f64>().is_ok();
    let duration = if plain { relative(&format!("{text}s")) } else { relative(text) };
    duration.ok_or_else(|| BUDGET.to_string())
}

/// Seconds since 1970, with or without a fraction.
fn seconds(text: &str) -> Option<Timestamp> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.len() > 9 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let ns: i32 = format!("{fraction:0<9}").parse().ok()?;
    let whole: i64 = whole.parse().ok()?;
    Timestamp::new(whole, if whole < 0 { -ns } else { ns }).ok()
}

fn relative(text: &str) -> Option<When> {
    let (sign, text) = match text.as_bytes().first()? {
        b'+' => (1, text[1..].trim_start()),
        b'-' => (-1, text[1..].trim_start()),
        _ => (1, text),
    };
    // A second sign would be another word's.
    if text.starts_with(['+', '-']) {
        return None;
    }
    let span: Span = text.parse().ok()?;
    Some(When::From(Relative(if sign < 0 { span.checked_mul(-1).ok()? } else { span })))
}

fn absolute(text: &str) -> Option<Timestamp> {
    let local =
        |at: DateTime| at.to_zoned_datetime(TimeZone::system()).ok().map(|at| at.timestamp());
    if let Ok(at) = text.parse::<ZonedDateTime>() {
        return Some(at.timestamp());
    }
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at);
    }
    if let Ok(at) = text.parse::<DateTime>() {
        return local(at);
    }
    text.parse::<Date>().ok().and_then(|day| local(day.to_datetime(jiff::civil::Time::midnight())))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-12-01T00:00:00Z
    const NOW: i64 = 1_796_083_200 * 1_000_000_000;

    fn reads(text: &str) -> Option<String> {
        let ns = start(text).ok()?.ns(NOW)?;
        Some(Timestamp::from_nanosecond(ns.into()).unwrap().to_string())
    }

    #[test]
    fn dates_in_all_forms() {
        let table = [
            ("2031-02-28T23:59:50Z", "2031-02-28T23:59:50Z"),
            ("2031-02-28 23:59:50+01:00", "2031-02-28T22:59:50Z"),
            ("2031-02-28T23:59Z", "2031-02-28T23:59:00Z"),
            ("@1930000000", "2031-02-27T23:06:40Z"),
            ("@1930000000.25", "2031-02-27T23:06:40.25Z"),
            ("@0", "1970-01-01T00:00:00Z"),
            ("+90s", "2026-12-01T00:01:30Z"),
            ("-2h30m", "2026-11-30T21:30:00Z"),
        ];
        for (text, expected) in table {
            assert_eq!(reads(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_date() {
        for text in ["", "soon", "2031-02-30", "@", "@x", "@1.x", "+", "+-3d", "3d", "12", "--1d"] {
            assert!(start(text).is_err(), "{text}");
        }
        // Before 1970, and after the last nanosecond that 64 bits have.
        assert_eq!(start("1960-01-01T00:00:00Z").unwrap().ns(NOW), None);
        assert_eq!(start("2500-01-01T00:00:00Z").unwrap().ns(NOW), None);
    }

    #[test]
    fn budgets() {
        let ahead = |text| until(text).unwrap().ns(NOW).unwrap() - NOW;
        assert_eq!(ahead("90"), 90_000_000_000);
        assert_eq!(ahead("0.5"), 500_000_000);
        assert_eq!(ahead("2h"), 7_200_000_000_000);
        assert_eq!(ahead("1d 1s"), 86_401_000_000_000);
        assert_eq!(ahead("+1s"), 1_000_000_000);
        assert_eq!(ahead("2026-12-01T00:00:09Z"), 9_000_000_000);
        assert!(until("late").is_err());
    }

    #[test]
    fn a_date_without_a_zone_is_local() {
        let zone = TimeZone::system();
        let day = "2031-07-01".parse::<Date>().unwrap();
        let midnight = day.to_zoned_datetime(zone).unwrap().timestamp();
        assert_eq!(start("2031-07-01").unwrap(), When::At(midnight));
        assert_eq!(start("2031-07-01 00:00:00").unwrap(), When::At(midnight));
    }
}
