//! Each guest once more, under `--trace=all`.

use flux_tests::{Matrix, Variant};

const FILES: &str =
    "what was written is looked at by the next hook, which comes after the wait in line";
const MEMORY: &str = "a child that shares its parent's memory, and has called no hook, has no slot";
const ONE: &str = "a thread has one tracer";
const HANDLER: &str = "it waits in a handler that interrupts a hook's wait";

#[test]
fn all_are_traced() {
    Matrix::new(Variant::Traced)
        .except("lifecycle/debugged", ONE)
        .at_most_ms("spin/", 5_000)
        .check();
}

#[test]
fn waits_and_clock_reads_in_line() {
    Matrix::new(Variant::TracedRaw)
        .except("cancel/", "a system call in line is no cancellation point")
        .except("clocks/before_others", "it reads the clock before the library has joined, in line")
        .except(
            "descriptors/many_messages",
            "a socket's limit is for the library to keep, which sees no recvmmsg in line",
        )
        .except("files/asked", FILES)
        .except("files/explicit", FILES)
        .except("files/streams", FILES)
        .except("files/written", FILES)
        .except("in_flight/ports", "a wait for a port by a system call in line is not noticed")
        .except("lifecycle/beside", MEMORY)
        .except("lifecycle/debugged", ONE)
        .except("lifecycle/fork_kinds", MEMORY)
        .except("lifecycle/vfork_computes", MEMORY)
        .except("signals/alternate_stack", HANDLER)
        .except(
            "signals/not_blocked",
            "the kernel keeps what a traced thread ignores, for the tracer to see",
        )
        .except(
            "sleep/clock_nanosleep_arguments",
            "libc refuses clocks with another error than the kernel",
        )
        .except("sync/cond_handler", HANDLER)
        .except("timers/last_thread", "nobody sees that a thread ends by a system call in line")
        .except(
            "unseen/helper",
            "a thread that libc made for itself, and that has waited in no hook, has no slot",
        )
        .except_loops("loops that ask again and again are not noticed where no hook sees them")
        .check();
}
