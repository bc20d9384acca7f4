//! Each hook's body, one file a family. `libflux.so` and `libidle.so` differ in which of them they
//! export.

pub mod async_requests;
pub mod close_dup;
pub mod cond;
pub mod connect_timeout;
pub mod credentials;
pub mod descriptors;
pub mod epoll;
pub mod exec;
pub mod forced;
pub mod fork;
pub mod futex;
pub mod io_uring;
pub mod ipc_queues;
pub mod join;
pub mod lifecycle;
pub mod locks;
pub mod longjmp;
pub mod mappings;
pub mod mmsg;
pub mod open;
pub mod passthrough;
pub mod poll;
pub mod ptrace;
pub mod readdir;
pub mod select;
pub mod sem;
pub mod shell;
pub mod signals;
pub mod socket_timeouts;
pub mod sockets;
pub mod spawn;
pub mod stdio;
pub mod syscall;
pub mod terminals;
pub mod threads;
pub mod try_calls;
pub mod wait_child;

/// The arguments of a system call.
pub type SyscallArgs = [usize; 6];
