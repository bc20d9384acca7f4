//! The sleep family: nanosleep, clock_nanosleep, usleep, sleep, thrd_sleep, pause, sigsuspend.

flux_tests::guests! { "sleep";
    nanosleep: 7;
    nanosleep_arguments: 0;
    clock_nanosleep_arguments: 1;
    clock_nanosleep_absolute: 17;
    interrupted: 16;
    seconds: 34;
    nested_handlers: 12;
    sleep_sort: 9;
    pause: 4;
    thousand_threads: 20, seconds(20);
    two_hundred_processes: 5, seconds(20);
    beside_computation: 8, longest_unit_ms(200), not_frozen();
    start_and_end: 6;
    tls_destructors: 3;
    many_short: 5;
}
