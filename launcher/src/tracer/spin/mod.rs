//! Tracees that ask again and again for what another thread will do, instead of sleeping.

pub mod back_off;
pub mod call_outcome;
pub mod clock_reads;
pub mod instants;
pub mod repeating_loop;
pub mod spinners;
