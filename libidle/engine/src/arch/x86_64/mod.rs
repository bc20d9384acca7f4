//! x86-64.

pub mod call_table;
pub mod linking;
pub(crate) mod numbers;
pub mod pair;
pub mod syscall;
mod thread;
mod thread_block;
pub mod vdso;

pub use thread::*;
pub use thread_block::*;
