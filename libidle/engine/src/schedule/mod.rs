//! Who runs next, and when the clock moves. No other room marks a thread runnable, and no other
//! room moves the clock.

pub mod advance;
pub mod at_rest;
pub mod births;
pub mod busy;
pub mod deadline_heap;
pub mod decide;
pub mod engine;
pub mod frozen_progress;
pub mod hold_lock;
mod in_flight;
pub mod jump;
pub mod look;
pub mod named_holds;
pub mod next;
pub mod own_state;
pub mod park;
pub mod reach;
pub mod real_timeout;
pub mod survey;
pub mod timerfd;
pub mod wake;
pub mod wake_fd;
