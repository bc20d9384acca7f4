//! The engine of the project. It knows which threads are blocked, on what, until when, and which
//! were just promised a wake-up.
//!
//! Pure Rust over a shared region ([`region`]). The engine knows no C ABI, exports no symbol, calls
//! no libc and allocates nothing. Words: a *slot* is a thread's entry in the region. A *parked*
//! thread sleeps on its slot's state word (an exact wait). Only the kernel ends a *kernel wait*. A
//! *promise* makes a waiting thread busy before it is woken. A *deadline* is an absolute virtual
//! time. A *jump* is the clock's move to the earliest deadline. `libflux/README.md` has the
//! glossary.

pub mod arch;
pub mod keeper;
pub mod patience;
pub mod procfs;
pub mod programs;
pub mod region;
pub mod schedule;
pub mod statefile;
pub mod sync;
pub mod sys;
pub mod verdict;

pub use region::layout::{ClockMode, Page};
pub use region::state::{Kind, Reason};
pub use region::wait_kind::WaitKind;
pub use schedule::engine::Engine;
pub use schedule::park::Signals;
pub use schedule::real_timeout::Limit;
