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
pub mod hidden_fds;
pub mod inherited_fds;
pub mod kernel_futex;
pub mod libc_threads;
pub mod library;
pub mod next_definition;
pub mod open_fds;
pub mod polling_wait;
pub mod program_image;
pub mod readiness;
pub mod scratch;
pub mod session;
pub mod session_signal;
pub mod signal_handlers;
pub mod spin_loop;
pub mod state_rows;
pub mod tcp_push;
pub mod timer_fds;
pub mod timer_heap;
pub mod tls;
mod unwinder;
pub mod user_memory;
pub mod vdso;
pub mod wait_cause;
pub mod wait_queue;
pub mod wake_fd;
