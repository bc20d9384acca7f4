//! Tracees that ask again and again for what another thread will do, instead of sleeping.
//!
//! [`spinners`] says which threads are watched; [`observe`] what a watched thread does;
//! [`back_off`] keeps a thread that spins stopped for a while.

pub mod back_off;
pub mod call_outcome;
pub mod clock_reads;
pub mod instants;
pub mod observe;
pub mod poll_iteration;
pub mod repeating_loop;
pub mod spinners;
