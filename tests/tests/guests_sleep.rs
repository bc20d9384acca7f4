//! The sleep family: nanosleep, clock_nanosleep, usleep, sleep, thrd_sleep, pause, sigsuspend.

flux_tests::guests! { "sleep";
    nanosleep: 6;
    nanosleep_arguments: 0;
    clock_nanosleep_arguments: 1;
    clock_nanosleep_absolute: 16;
    interrupted: 15;
    seconds: 33;
    nested_handlers: 11;
    sleep_sort: 8;
    pause: 4;
    thousand_threads: 19;
    two_hundred_processes: 5;
    beside_computation: 7, computes(), not_frozen();
    start_and_end: 5;
    tls_destructors: 3;
    many_short: 5;
    longer: 3;
}

#[test]
fn ten_thousand_threads() {
    flux_tests::Same::new("sleep/thousand_threads", 19).flag("-DTHREADS=10000").check_longest();
}
