//! Programs: what kind of file one is, what its environment must say, what its calls mean.

pub mod elf;
pub mod elf_cache;
pub mod preload;
pub mod tracing;
