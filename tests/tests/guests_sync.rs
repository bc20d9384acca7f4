//! The synchronisation family: conditions, semaphores, mutexes, read-write locks, barriers, join,
//! C11 threads, futexes.

flux_tests::guests! { "sync";
    cond_wait: 5;
    cond_timedwait: 13;
    cond_many: 2;
    cond_turns: 4;
    cond_handler: 7;
    cond_shared: 7;
    stray_wakes: 16;
    semaphore: 8;
    semaphore_many: 6;
    semaphore_shared: 17;
    semaphore_handler: 5;
    mutex: 48;
    mutex_queue: 6;
    mutex_robust: 4;
    rwlock: 6;
    barrier: 23;
    joining: 10;
    c11: 6;
    once: 2;
    futex: 14;
    futex_bits_shared: 9;
    waitv_refused: 8;
}
