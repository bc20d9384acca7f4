//! Each hook's body, one file a family. `libflux.so` and `libidle.so` differ in which of them they export.

pub mod clocks;
pub mod cond;
pub mod descriptors;
pub mod epoll;
pub mod exec;
pub mod fds;
pub mod fork;
pub mod futex;
pub mod jumps;
pub mod lifecycle;
pub mod locks;
pub mod poll;
pub mod queues;
pub mod reads;
pub mod select;
pub mod sem;
pub mod shell;
pub mod signals;
pub mod sleep;
pub(crate) mod slices;
pub mod sockets;
pub mod spawn;
pub mod threads;
pub(crate) mod timed;
pub mod timers;
pub mod wait;
