//! Signals while something waits: sigwait and its relatives, signalfd, restarted calls, handlers that sleep or jump away.

flux_tests::guests! { "signals";
    sigwait: 12;
    signalfd: 5;
    restart: 29;
    handler_jumps: 22;
    in_the_engine: 5;
    storm: 29;
    alternate_stack: 4;
    senders: 10;
    pausing: 4;
    jump_names: 9;
    hidden: 6;
    deaf_calls: 31;
    not_blocked: 6;
    handler_waits: 5;
}
