//! x86-64.

pub mod call_table;
pub mod linking;
pub(crate) mod numbers;
pub mod pair;
pub mod syscall;
pub mod vdso;
