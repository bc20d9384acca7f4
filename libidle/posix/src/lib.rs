//! What the calls of POSIX and Linux mean in virtual time. The hooks and the tracer both ask here,
//! so a call has one meaning, whoever has seen it.
//!
//! Pure: no unsafe code, no system call, no register, no slot, no allocation. Whoever asks has read
//! the arguments, and carries out the answer. Calls have names here; their numbers are the
//! processor's.

#![forbid(unsafe_code)]

pub mod clock;
pub mod errno;
pub mod names;
pub mod patience;
pub mod session_name;
pub mod set_clock;
pub mod socket_timeout;
pub mod spin_rule;
pub mod time;
pub mod timer;
pub mod wait;
