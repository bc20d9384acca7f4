//! What the tracer does not reach, or not yet, in statically linked guests.

use flux_tests::Matrix;

/// Leaves them out.
pub fn traced(matrix: Matrix) -> Matrix {
    matrix
        .except("clocks/handles", "a static program has no libraries with handles")
        .except("unseen/helper", "as clocks/handles")
        .except("files/", "the file times of programs without the library are real")
        .except("lifecycle/debugged", "a thread has one tracer")
        .at_most_ms("spin/", 60_000)
        .except(
            "spin/late",
            "with a frozen clock it sometimes takes real time: the session works for two seconds first",
        )
        .except(
            "signals/not_blocked",
            "the kernel keeps what a traced thread ignores, for the tracer to see",
        )
        .except(
            "timers/read",
            "a read of a signalfd does not stop, so it says what the signal said when it was sent",
        )
        .except("in_flight/ports", "the tracer does not see that a port was refused")
        .except("in_flight/gives_up", "the tracer does not see how long TCP is to try")
        .except(
            "signals/in_the_engine",
            "its timer by a system call is virtual in a traced program",
        )
}
