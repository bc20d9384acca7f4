//! What ptrace(2) and seccomp(2) can do: stops, registers, memory, injected calls, filters; and
//! what `/proc` says of a thread.
//!
//! The lowest floor of the tracer. It knows no waits and no clocks.

pub mod bpf;
pub mod failed;
pub mod inject;
pub mod maps;
pub mod memory;
pub mod signal_info;
pub mod stop;
pub mod thread_status;
pub mod wait;
