//! The synchronisation family: conditions, semaphores, mutexes, read-write locks, barriers, join, C11 threads, futexes.

flux_tests::guests! { "sync";
    cond_wait: 5;
    cond_timedwait: 14;
    cond_many: 2;
    cond_turns: 4;
    cond_handler: 8;
    cond_shared: 8;
    semaphore: 9;
    semaphore_many: 7;
    semaphore_shared: 18;
    semaphore_handler: 6;
    mutex: 49;
    mutex_queue: 7;
    mutex_robust: 4;
    rwlock: 7;
    barrier: 24;
    joining: 11;
    c11: 7;
    once: 2;
    futex: 15;
}
