//! libflux.so: programs that never wait. Preloaded by `flux-launch` into every dynamically linked process of a session.
//!
//! The bodies are in `interpose`, the decisions in `engine`; here is which names are exported, and the constructor.

pub mod rows;

use interpose::hooks::lifecycle;

interpose::flavour!("0");

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
