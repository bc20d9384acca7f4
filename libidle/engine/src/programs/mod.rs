//! Programs: which kind of file a program is, and what its environment must say.

pub mod elf;
pub mod elf_cache;
pub mod preload;
pub mod tracing;
