//! Signals while something waits: sigwait and its relatives, signalfd, restarted calls, handlers
//! that sleep or jump away.

use flux_tests::{Guest, Mode, Run, beside_load};

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

#[test]
fn a_signal_finds_who_sleeps_asleep_on_a_busy_machine() {
    for mode in [Mode::Elapsed, Mode::Frozen] {
        let run = Run::new(Guest::new("busy_machine/interrupts").compile())
            .mode(mode)
            .env("GUEST_UNIT_MS", "3600000");
        let outcome = beside_load(3, true, || run.run());
        assert_eq!(
            outcome.assert_success().stdout,
            "nanosleep: EINTR after 1\n".repeat(10),
            "{outcome}"
        );
    }
}
