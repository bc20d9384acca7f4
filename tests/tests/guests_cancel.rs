//! Cancellation in every cancellation point: while blocked and already pending, cleanup handlers, what must not be one.

flux_tests::guests! { "cancel";
    sleeps: 9;
    readiness: 10;
    sync: 14;
    descriptors: 24;
    waits: 11;
    not_points: 19;
    asynchronous: 2, longest_unit_ms(200), not_frozen();
}
