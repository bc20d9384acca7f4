//! What hooks stand on: the session and the guard at every entry, the waits and what ends them, the
//! process's own descriptors, signals and threads, and the functions beneath the hooks.

pub mod await_sleep;
pub mod bare_thread;
pub mod clock_id;
pub mod entry;
pub mod errno;
pub mod exec_environ;
pub mod fd_set;
pub mod forced;
pub mod guard;
pub mod inherited_fds;
pub mod kernel_futex;
pub mod libc_threads;
pub mod next_definition;
mod open_fds;
pub mod polling_wait;
pub mod program_image;
pub mod scratch;
pub mod send_signal;
pub mod session;
pub mod session_signal;
pub mod signal_handlers;
pub mod spin_loop;
pub mod tcp_push;
pub mod timer_heap;
pub mod timer_signals;
pub mod timer_table;
pub mod timer_thread;
pub mod timerfd;
pub mod tls;
mod unwinder;
pub mod vdso;
pub mod wait_cause;
pub mod wait_queue;
pub mod wake_fd;
