//! The in-flight family: work that the kernel does on real time while all threads are blocked.

flux_tests::guests! { "in_flight";
    terminal: 9;
    lost: 8;
    window: 5;
    accept_queue: 2;
    lingering: 2;
    ports: 2;
    gives_up: 1;
}
