//! The keeper: the thread that makes the exact looks.

pub mod liveness;
pub mod rounds;
pub mod spin_suspects;
