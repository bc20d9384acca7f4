//! Everything between the C ABI and the engine: finding the session, the guard at every entry, the
//! waits, and each hook's body. Defines no exported symbol: the two libraries choose which rows
//! they export (`hooks!`).

pub mod bare_thread;
pub mod bell;
pub mod cause;
pub mod clockid;
pub mod deliveries;
pub mod due;
pub mod enter;
pub mod environ;
pub mod errno;
pub mod fdset;
pub mod forced;
pub mod guard;
pub mod handlers;
pub mod helpers;
pub mod hooks;
pub mod idle;
pub mod image;
pub mod kfutex;
pub mod next;
mod open_files;
pub mod scratch;
pub mod session;
pub mod session_signal;
pub mod settled;
pub mod shared_rows;
pub mod signalling;
pub mod spin;
pub mod table;
pub mod tcp;
pub mod ticker;
pub mod timerfd;
pub mod timers;
pub mod tls;
mod unwind;
pub mod vdso;
pub mod waitq;
