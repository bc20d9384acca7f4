//! The timers family: alarm, setitimer, timer_create and its relatives, timerfd.

flux_tests::guests! { "timers";
    arguments: 0;
    alarm: 27;
    seconds: 0;
    exec: 16;
    posix_signals: 40;
    posix_threads: 12;
    timerfd: 32;
    timerfd_ready: 28;
    timerfd_shared: 26;
    clock_set: 26, only_under_flux();
    waits_clock_set: 115, only_under_flux();
    last_thread: 6;
    beside_computation: 6, computes(), not_frozen();
    order: 6;
    own_signals: 12;
    nanoseconds: 2;
    taken: 33;
    read: 5;
    many: 32, longest_unit_ms(60_000);
}
