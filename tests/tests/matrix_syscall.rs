//! Each guest once more, with waits and clock reads by libc's `syscall`.

use flux_tests::{Matrix, Variant};

#[test]
fn by_libc() {
    Matrix::new(Variant::Syscall).except("cancel/", "syscall(2) is no cancellation point").check();
}
