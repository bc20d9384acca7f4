//! The tracer: joins programs to the session that cannot load the library. See ptrace(2),
//! seccomp(2).
//!
//! It is a process of its own, started when the first such program is about to run: the kernel then
//! keeps its children apart from the launcher's, and wakes a traced process's parent when the
//! tracer has collected it. It ends with the launcher, and its tracees end with it.
//!
//! [`helper`] is the launcher's side. Of the rest, [`run`] is the loop, [`lives`] how tracees come
//! and go, [`ends`] how they end, [`calls`] what happens to a call that stops, [`programs`] what is
//! done at an exec stop, [`rules`], [`waits`] and [`messages`] what system calls mean, [`library`]
//! what is different about programs with the library, [`timers`], [`armed`], [`expiry`] and
//! [`timerfd`] the timers of tracees, [`privileges`] what they need in order to give up theirs;
//! [`spinning`], [`judge`], [`steps`], [`naps`], [`instants`] and [`beats`] their loops; [`stop`],
//! [`memory`], [`inject`], [`filter`] and [`bpf`] are the tools.

mod armed;
mod attention;
mod beats;
mod bpf;
mod calls;
mod ends;
mod environ;
mod expiry;
mod filter;
pub mod helper;
mod inject;
mod instants;
mod judge;
mod library;
mod lives;
mod memory;
mod messages;
mod naps;
mod orphans;
mod privileges;
mod programs;
mod rules;
mod run;
mod sockets;
mod spinning;
mod steps;
mod stop;
mod threads;
mod timerfd;
mod timers;
mod together;
mod unseen;
mod visit;
mod waits;

pub use run::run;
pub use unseen::Unseen;
