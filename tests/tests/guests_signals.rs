//! Signals while something waits: sigwait and its relatives, signalfd, restarted calls, handlers that sleep or jump away.

flux_tests::guests! { "signals";
    sigwait: 14;
    signalfd: 6;
    restart: 30;
    handler_jumps: 23;
    storm: 30;
    alternate_stack: 4;
}
