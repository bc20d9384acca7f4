//! What ptrace(2) and seccomp(2) can do: stops, registers, memory, injected calls, filters.
//!
//! The lowest floor of the tracer. It knows no waits and no clocks.

pub mod bpf;
pub mod inject;
pub mod memory;
pub mod stop;
