//! Each guest once more, with the library, and with waits in line that it does not see.

use flux_tests::{Matrix, Variant};

const FILES: &str =
    "what was written is looked at by the next hook, which comes after the wait in line";
const LEFT: &str = "what the kernel says to be left of a wait that ends early is real";
const MEMORY: &str =
    "a child that shares its parent's memory, and has called no hook, is not visited";
const SPINS: &str = "who asks again and again does not know of waits that no hook sees, and keeps them from being noticed";

#[test]
fn waits_in_line() {
    Matrix::new(Variant::RawWaits)
        .except("cancel/", "a system call in line is no cancellation point")
        .except("descriptors/many_messages", "recvmmsg looks at its time-out between messages only")
        .except(
            "descriptors/tcp",
            "bytes that TCP holds back are not released before a wait that no hook sees",
        )
        .except("files/asked", FILES)
        .except("files/explicit", FILES)
        .except("files/streams", FILES)
        .except("files/written", FILES)
        .except("in_flight/ports", "a wait for a port by a system call in line is not noticed")
        .except("lifecycle/beside", MEMORY)
        .except("lifecycle/debugged", "a thread that somebody else traces is not visited")
        .except("lifecycle/fork_kinds", MEMORY)
        .except("lifecycle/vfork_computes", MEMORY)
        .except("readiness/interrupted", LEFT)
        .except("readiness/select", LEFT)
        .except("signals/alternate_stack", "it waits in a handler that interrupts a hook's wait")
        .except(
            "signals/in_the_engine",
            "it is about threads that move the clock themselves, by a hook",
        )
        .except("sleep/interrupted", LEFT)
        .except("sleep/nested_handlers", LEFT)
        .except("sleep/seconds", LEFT)
        .except("sleep/thousand_threads", "a thousand threads at once are noticed one by one")
        .except_loops(SPINS)
        .except("sync/cond_handler", "it waits in a handler that interrupts a hook's wait")
        .except("timers/alarm", LEFT)
        .except(
            "timers/posix_signals",
            "a signal that is taken by a call that no hook sees says what it said when it was sent",
        )
        .except("timers/taken", LEFT)
        .except("timers/waits_clock_set", "nobody moves its end when the clock is set")
        .except(
            "unseen/helper",
            "a thread that libc made for itself, and that has waited in no hook, is not visited",
        )
        .check();
}
