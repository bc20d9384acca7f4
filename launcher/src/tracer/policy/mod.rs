//! What a stop means in virtual time: which calls stop, what they wait for, and the timers, sockets
//! and programs of tracees.

pub mod cpu_affinity;
pub mod environment;
pub mod exec_setup;
pub mod filter;
pub mod inject_timeout;
pub mod library;
pub mod mmsg;
pub mod privileges;
pub mod sockets;
pub mod timer_calls;
pub mod timer_expiry;
pub mod timer_table;
pub mod timerfd;
pub mod tracees;
pub mod unhooked_waits;
pub mod verdict;
pub mod wait;
