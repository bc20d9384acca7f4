//! What libidle.so tells the world of a tree of processes: the state file, and the thread that
//! keeps it up to date.

pub mod keeper_thread;
pub mod process_tree;
pub mod verbose;
