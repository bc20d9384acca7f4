//! What a stop means in virtual time: which calls stop, what they wait for, and the timers, sockets
//! and programs of tracees.
//!
//! [`tracees`] holds the traced threads and processes, and makes a stopped thread go on. [`waits`],
//! [`timers`] and [`sockets`] are structs of their own with their own state; they get the tracees
//! handed in. [`unhooked_waits`] and [`inject_timeout`] run in the launcher's keeper.

pub mod call;
pub mod clock_calls;
pub mod cpu_affinity;
pub mod environment;
pub mod exec_setup;
pub mod filter;
pub mod inject_timeout;
pub mod library;
pub mod mmsg;
pub mod privileges;
pub mod process;
pub mod sockets;
pub mod thread;
pub mod timer_calls;
pub mod timer_table;
pub mod timerfd;
pub mod timers;
pub mod tracees;
pub mod transfer;
pub mod unhooked_waits;
pub mod verdict;
pub mod wait;
pub mod waits;
