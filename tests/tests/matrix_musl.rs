//! Each guest once more, statically linked with musl.

mod matrix;

use flux_tests::{Matrix, Variant};

#[test]
fn with_musl() {
    matrix::traced(Matrix::new(Variant::Musl))
        .except("cancel/stdio", "not found out yet: a traced thread that is cancelled in stdio goes on waiting")
        .except("lifecycle/main_exits", "musl's threads wait for ever for the end of a forked child's first thread")
        .except(
            "lifecycle/shell_streams",
            "musl's fclose of a stream of popen, and a system that is cancelled, leave their children behind",
        )
        .except("signals/deaf_calls", "musl's sigtimedwait goes on after a handler")
        .except("unseen/lookup", "musl keeps no resolver state that a program could change")
        .except("stdio/", "names and variables that glibc has alone")
        .except("timers/waits_clock_set", "musl makes a duration of an instant before it waits")
        .check();
}
