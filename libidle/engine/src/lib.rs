//! The engine of the project: who is blocked, on what, until when, and who has just been promised a
//! wake-up.
//!
//! Pure Rust over a shared region ([`page`]); it knows no C ABI, exports no symbol, calls no libc
//! and allocates nothing. Words: a *slot* is a thread's entry; *parked* is waiting on the slot's
//! own word (an exact wait); a *kernel wait* is one that only the kernel ends; a *promise* makes a
//! waiting thread busy before it is woken; a *deadline* is an absolute virtual time; a *jump* is
//! the clock's move to the earliest deadline.

mod busy;
pub mod clock;
pub mod deadlines;
mod deliver;
pub mod elf;
pub mod expired;
pub mod forced;
mod holding;
mod jump;
pub mod keeper;
pub mod known;
pub mod limit;
pub mod lives;
pub mod lock;
pub mod looking;
pub mod naps;
pub mod page;
pub mod park;
pub mod preload;
pub mod procfs;
pub mod quiescence;
pub mod rest;
pub mod slots;
pub mod standstill;
pub mod state;
pub mod statefile;
mod suspects;
pub mod sync;
pub mod sys;
pub mod time;
pub mod timer;
pub mod tracing;
pub mod vdso;
pub mod verdicts;
pub mod what;

pub use limit::Limit;
pub use page::{ClockMode, Page};
pub use park::Signals;
pub use quiescence::Engine;
pub use state::{Kind, Reason};
pub use what::What;
