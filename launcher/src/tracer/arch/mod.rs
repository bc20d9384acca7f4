//! All of the tracer that depends on the processor: a folder for each. Nothing outside names one.

#[cfg(target_arch = "x86_64")]
mod x86_64;
#[cfg(target_arch = "x86_64")]
pub use x86_64::*;
