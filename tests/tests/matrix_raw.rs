//! Each guest once more, statically linked, with waits, clock reads and timers by system calls in
//! line.

mod matrix;

use flux_tests::{Matrix, Variant};

#[test]
fn in_line() {
    matrix::traced(Matrix::new(Variant::Raw))
        .except("cancel/", "a system call in line is no cancellation point")
        .check();
}
