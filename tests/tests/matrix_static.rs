//! Each guest once more, statically linked with glibc.

mod matrix;

use flux_tests::{Matrix, Variant};

#[test]
fn with_glibc() {
    matrix::traced(Matrix::new(Variant::Static)).check();
}
