//! What the tracer does not reach, or not yet, in statically linked guests.

use flux_tests::Matrix;

/// Leaves them out.
pub fn traced(matrix: Matrix) -> Matrix {
    matrix
        .except("clocks/handles", "a static program has no libraries with handles")
        .except("unseen/helper", "as clocks/handles")
        .except("lifecycle/debugged", "a thread has one tracer")
        // Each nap of a traced thread is a stop, and an hour has thousands of them.
        .at_most_ms("spin/", 5_000)
        .except("spin/locks", "a static program's trylock is a loop on memory, which nothing tells from a computation")
        .except_frozen("spin/late", "so is its wait that is over before it begins, if libc says so")
        .except_frozen("spin/instants", "an instant passes for those who ask by hooks")
        .except("signals/not_blocked", "the kernel keeps what a traced thread ignores, for the tracer to see")
        .except("signals/in_the_engine", "its timer by a system call is virtual in a traced program")
}
