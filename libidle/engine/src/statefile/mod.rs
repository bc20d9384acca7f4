//! The state file, and the word of the region that says what the file shows.

pub mod file;
pub mod idle_state;
pub mod open;
