//! x86-64.

pub mod calls;
pub mod instructions;
pub mod registers;
