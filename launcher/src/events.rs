//! What the launcher's main loop waits for.

use nix::sys::eventfd::{EfdFlags, EventFd};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use std::sync::Arc;

/// See the module.
pub struct Events {
    /// Signals to the launcher, and the ends of its children.
    pub signals: SignalFd,
    /// The session has come to rest.
    pub rest: Arc<EventFd>,
    /// Its budget is over.
    pub over: Arc<EventFd>,
    /// Somebody wants to join it.
    pub knock: Arc<EventFd>,
}

impl Events {
    /// From now on the signals `forwarded` come by the descriptor alone.
    pub fn prepare(forwarded: &[Signal]) -> nix::Result<Events> {
        let mut set = SigSet::empty();
        forwarded.iter().copied().chain([Signal::SIGCHLD]).for_each(|signal| set.add(signal));
        set.thread_block()?;
        let signals = SignalFd::with_flags(&set, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?;
        let event = || {
            let flags = EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK;
            EventFd::from_value_and_flags(0, flags).map(Arc::new)
        };
        Ok(Events { signals, rest: event()?, over: event()?, knock: event()? })
    }
}
