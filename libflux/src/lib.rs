//! libflux.so: programs that never wait. Preloaded by `flux-launch` into every dynamically linked
//! process of a session.
//!
//! The bodies are in `interpose`, the decisions in `engine`; here is which names are exported, and
//! the constructor.

pub mod rows;

interpose::flavour!("0");
