//! x86-64.

pub mod linking;
pub mod vdso;
