//! The tracer: joins programs to the session that cannot load the library. See ptrace(2),
//! seccomp(2).
//!
//! The tracer is a process of its own. The launcher starts it when the first such program is about
//! to run. The kernel then keeps the tracer's children apart from the launcher's, and wakes the
//! parent of a traced process when the tracer has collected that process. The tracer ends with the
//! launcher, and its tracees end with the tracer.
//!
//! Floors, from the lowest: [`arch`] depends on the processor; [`ptrace`] is what ptrace(2) can do;
//! [`policy`] is what a stop means; [`spin`] deals with tracees that ask again and again. Above
//! stands the tracer itself ([`state`]): [`event_loop`] hears what happens, [`stops`] sends each
//! stop to where it is dealt with. [`tracer_process`] is the launcher's side.

mod arch;
mod attach;
mod calls;
mod children;
mod event_loop;
mod exec;
mod policy;
mod ptrace;
mod signals;
mod spin;
mod state;
mod stops;
mod tracee_end;
pub mod tracer_process;
mod tracer_sleep;

pub use event_loop::run;
pub use policy::unhooked_waits::UnhookedWaits;
pub use ptrace::wait::{Report, drop_handed_over, hand_over, next_report};
