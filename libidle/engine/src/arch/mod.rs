//! All that depends on the processor: a folder for each. Nothing outside names one.

#[cfg(not(target_arch = "x86_64"))]
compile_error!("no folder in `engine/src/arch` for this processor yet");

#[cfg(target_arch = "x86_64")]
pub mod x86_64;
#[cfg(target_arch = "x86_64")]
pub use x86_64::*;
