//! Everything between the C ABI and the engine. Defines no exported symbol: the two libraries
//! choose which rows they export (`hooks!`).
//!
//! Three floors, each of which knows those below it only: [`shim`], all that hooks stand on;
//! [`statefile`], what libidle.so tells the world; [`mod@hooks`], each hook's body.

pub mod constructor;
pub mod hooks;
pub mod patience;
pub mod rows;
pub mod shared_rows;
pub mod shim;
pub mod statefile;
mod stdio_rows;
