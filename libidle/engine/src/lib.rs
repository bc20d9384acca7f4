//! The engine of the project: who is blocked, on what, until when, and who has just been promised a
//! wake-up.
//!
//! Pure Rust over a shared region ([`page`]); it knows no C ABI, exports no symbol, calls no libc
//! and allocates nothing. Words: a *slot* is a thread's entry; *parked* is waiting on the slot's
//! own word (an exact wait); a *kernel wait* is one that only the kernel ends; a *promise* makes a
//! waiting thread busy before it is woken; a *deadline* is an absolute virtual time; a *jump* is
//! the clock's move to the earliest deadline.

pub mod arch;
pub mod expired;
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
pub use region::wait_kind::What;
pub use schedule::engine::Engine;
pub use schedule::park::Signals;
pub use schedule::real_timeout::Limit;
