//! The tracer: joins programs to the session that cannot load the library. See ptrace(2),
//! seccomp(2).
//!
//! The tracer is a process of its own. The launcher starts it when the first such program is about
//! to run. The kernel then keeps the tracer's children apart from the launcher's, and wakes the
//! parent of a traced process when the tracer has collected that process. The tracer ends with the
//! launcher, and its tracees end with the tracer.
//!
//! Floors, from the lowest: [`ptrace`] is what ptrace(2) can do; [`policy`] is what a stop means;
//! [`spin`] deals with tracees that ask again and again. [`event_loop`] stands above them.
//! [`tracer_process`] is the launcher's side.

mod attach_exec;
mod calls;
mod event_loop;
mod policy;
mod ptrace;
mod spin;
mod tracee_end;
pub mod tracer_process;
mod tracer_sleep;
mod unreported_children;

pub use event_loop::run;
pub use policy::unhooked_waits::Unseen;
