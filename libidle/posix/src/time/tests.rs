use super::*;
use proptest::prelude::*;

const YEAR: u64 = 365 * 86_400 * SECOND;

#[test]
fn five_centuries_fit() {
    let now = Spec { sec: 1_800_000_000, nsec: 999_999_999 };
    let then = now.plus(Span::from_ns(YEAR * 550 + 1));
    assert_eq!(then, Spec { sec: 1_800_000_000 + 550 * 365 * 86_400 + 1, nsec: 0 });
    assert_eq!(then.since(now), Span::from_ns(YEAR * 550 + 1));
    assert_eq!(now.since(then), Span::ZERO);
}

#[test]
fn bad_times_are_refused() {
    let table = [
        (0, 0, Some(0), Some(0)),
        (1, 999_999_999, Some(1_999_999_999), Some(1_999_999_999)),
        (0, 1_000_000_000, None, None),
        (0, -1, None, None),
        (-1, 0, None, Some(0)),
        (-5, 1, None, Some(0)),
        (-5, 1_000_000_000, None, None),
        (i64::MAX, 0, Some(u64::MAX), Some(u64::MAX)),
    ];
    for (sec, nsec, span, instant) in table {
        let spec = Spec { sec, nsec };
        assert_eq!((spec.span().map(Span::ns), spec.instant().map(Instant::ns)), (span, instant));
    }
}

#[test]
fn small_units() {
    assert_eq!([-1, 0, 7].map(of_millis), [None, Some(Span::ZERO), Some(Span::from_ms(7))]);
    assert_eq!(
        [0, 1, 1_000_001, u64::MAX].map(|ns| in_millis(Span::from_ns(ns))),
        [0, 1, 2, i32::MAX]
    );
    assert_eq!(of_timeval(1, 2_500_000), Some(Span::from_ms(3_500)));
    assert_eq!([of_timeval(-1, 0), of_timeval(0, -1)], [None, None]);
    assert_eq!(Instant::ZERO.after(Span::MAX), Instant::LAST);
}

proptest! {
    #[test]
    fn what_is_added_lies_between(
        sec in -1i64 << 40..1 << 40, nsec in 0i64..1_000_000_000, ns: u64,
    ) {
        let (from, by) = (Spec { sec, nsec }, Span::from_ns(ns));
        let to = from.plus(by);
        prop_assert!((0..SECOND as i64).contains(&to.nsec));
        prop_assert_eq!((to.since(from), from <= to), (by, true));
    }

    #[test]
    fn there_and_back(
        sec in -1i64 << 40..1 << 40, nsec in 0i64..1_000_000_000, ns in i64::MIN + 1..i64::MAX,
    ) {
        let from = Spec { sec, nsec };
        prop_assert_eq!(from.shifted(ns).shifted(-ns), from);
    }
}
