//! The descriptors family: what the kernel lets wait on pipes, sockets, files, children and queues.

flux_tests::guests! { "descriptors";
    pipe_read: 7;
    pipe_write: 5;
    socket_calls: 13;
    socket_timeouts: 21;
    many_messages: 20;
    tcp: 6;
    accepting: 7;
    udp: 5;
    fifo: 9;
    file_locks: 21;
    waiting: 13;
    sysv_queues: 11;
    posix_queues: 8;
    eventfd: 5;
    stdio: 8;
    socket_limits: 40;
    semtimedop: 12;
    sem_nowait: 4;
    io_uring: 14;
    requests: 9;
    other_names: 20;
}
