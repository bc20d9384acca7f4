//! libidle.so: know when a program has come to rest. `LIBIDLE_STATEFILE=FILE LD_PRELOAD=libidle.so
//! program`: the file is locked (flock(2)) while the program is busy, and holds a number that
//! counts its busy periods.
//!
//! The bodies are in `interpose`, the decisions in `engine`; here is which names are exported, and
//! the constructor. Nothing here touches time.

pub mod rows;

interpose::library!(interpose::statefile::process_tree::Libidle);
