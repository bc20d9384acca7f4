//! Commands from outside join a named session (`--name`, `--join`).
//!
//! The launcher of a named session listens on a unix socket. Who joins hands over a command, its
//! environment and its descriptors; the launcher starts the command as one of its own children, so
//! it is known to the session like all others, and hands back its exit status.

pub mod door;
mod folder;
pub mod guest;
pub mod guests;
pub mod request;
