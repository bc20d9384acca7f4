//! libflux.so: programs that never wait. Preloaded by `flux-launch` into every dynamically linked
//! process of a session.
//!
//! Here are the names that it exports, and the hooks that only time needs. What both libraries have
//! is in `interpose`, the decisions are in `engine`.

mod alarms;
mod clocks;
mod file_times;
mod hand;
mod holds;
mod posix_timers;
mod read;
pub mod rows;
mod send_signal;
mod session;
mod set_clock;
mod signal_actions;
mod signal_waits;
mod sleep;
mod syscall;
mod timer_signals;
mod timer_table;
mod timer_thread;
mod timerfd;
mod uptime;

interpose::library!(session::Libflux);
