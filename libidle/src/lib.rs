//! libidle.so: know when a program has come to rest. `LIBIDLE_STATEFILE=FILE LD_PRELOAD=libidle.so program`: the file is
//! locked (flock(2)) while the program is busy, and holds a number that counts its busy periods.
//!
//! The bodies are in `interpose`, the decisions in `engine`; here is which names are exported, and the constructor. Nothing
//! here touches time.

pub mod rows;

use interpose::hooks::lifecycle;

interpose::flavour!("1");

extern "C" fn constructor() {
    lifecycle::start();
}

extern "C" fn destructor() {
    lifecycle::leave();
}

#[used]
#[unsafe(link_section = ".init_array")]
static CONSTRUCTOR: extern "C" fn() = constructor;

#[used]
#[unsafe(link_section = ".fini_array")]
static DESTRUCTOR: extern "C" fn() = destructor;
