//! Cancellation in every cancellation point: while blocked and already pending, cleanup handlers,
//! what must not be one.

flux_tests::guests! { "cancel";
    sleeps: 8;
    readiness: 9;
    sync: 13;
    descriptors: 23;
    waits: 10;
    not_points: 18;
    reuse: 1;
    stdio: 13;
    handlers: 40;
    asynchronous: 2, computes(), not_frozen();
}
