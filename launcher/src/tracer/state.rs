//! The tracer: what it is made of. Each part has its own state and methods; the tracer hands a part
//! the others that it needs.

use super::policy::environment::Variables;
use super::policy::exec_setup::Kit;
use super::policy::sockets::Sockets;
use super::policy::timers::Timers;
use super::policy::tracees::Tracees;
use super::policy::waits::Waits;
use super::ptrace::wait::{Event, Stopped};
use super::spin::spinners::Spinners;
use engine::Engine;
use libc::pid_t;
use std::collections::HashMap;

/// A stop that is to be dealt with next.
pub type Next = Option<(Stopped, Event)>;

/// See the module.
pub struct Tracer {
    /// The session.
    pub engine: Engine,
    /// What it takes to make programs ready.
    pub kit: Kit,
    /// What programs with the library find in their environment.
    pub variables: Variables,
    /// The traced threads and processes.
    pub tracees: Tracees,
    /// Their waits.
    pub waits: Waits,
    /// Their timers that end in signals.
    pub timers: Timers,
    /// Their sockets.
    pub sockets: Sockets,
    /// Those of them that are watched because they may spin.
    pub spinners: Spinners,
    /// Children that have stopped before their creator has reported them: how, and when in real
    /// time.
    pub early: HashMap<pid_t, (Stopped, Event, u64)>,
}

impl Tracer {
    /// Without tracees.
    pub fn new(engine: Engine, kit: Kit, variables: Variables) -> Tracer {
        Tracer {
            engine,
            kit,
            variables,
            tracees: Tracees::new(engine),
            waits: Waits::default(),
            timers: Timers::new(engine),
            sockets: Sockets::default(),
            spinners: Spinners::default(),
            early: HashMap::new(),
        }
    }
}
