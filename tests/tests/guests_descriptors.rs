//! The descriptors family: what the kernel lets wait on pipes, sockets, files, children and queues.

flux_tests::guests! { "descriptors";
    pipe_read: 8;
    pipe_write: 6;
    socket_calls: 14;
    socket_timeouts: 22;
    tcp: 7;
    accepting: 8;
    udp: 5;
    fifo: 10;
    file_locks: 22;
    waiting: 14;
    sysv_queues: 12;
    posix_queues: 9;
    eventfd: 6;
    stdio: 9;
}
