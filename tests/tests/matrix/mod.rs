//! What the tracer does not reach, or not yet, in statically linked guests.

use flux_tests::Matrix;

/// Leaves them out.
pub fn traced(matrix: Matrix) -> Matrix {
    matrix
        .except("clocks/handles", "a static program has no libraries with handles")
        .except("unseen/helper", "as clocks/handles")
        .except("lifecycle/debugged", "a thread has one tracer")
        .except("spin/locks", "libc's trylock is a loop on memory, which nothing tells from a computation")
        .except_frozen("sleep/thousand_threads", "each of its thousands of wake-ups is a look at a thousand threads")
        .except_frozen("spin/", "each of the thousands of naps of a traced thread is a stop")
        .except_frozen("timers/many", "each of its thousands of signals stops for the tracer")
        .except_frozen("timers/timerfd_shared", "each of its thousands of timers is made by a call that stops")
        .except("signals/not_blocked", "the kernel keeps what a traced thread ignores, for the tracer to see")
        .except("signals/in_the_engine", "its timer by a system call is virtual in a traced program")
}
