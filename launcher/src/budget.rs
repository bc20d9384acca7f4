//! The instant at which a session ends, whatever runs then (`--until`).
//!
//! A thread of the launcher waits for it by a slot of its own, like a program that sleeps until
//! then. So it is one more deadline: no jump goes past it, it comes by itself where a program
//! computes for ever, and a session without a budget pays nothing. Only where nobody else is in the
//! session does nobody jump to it ([`alone`]).

use crate::report::messages::why;
use crate::session::Session;
use crate::virtual_clock::SessionClocks;
use engine::region::tracer_word::KEEPS_TIME;
use engine::region::wait_kind::{SETTABLE, WaitKind};
use engine::{Engine, Kind, Page, Reason, Signals};
use nix::sys::eventfd::EventFd;
use posix::clock::{REALTIME, Until};
use posix::time::{Instant, NEVER, Spec};
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::mpsc::{Receiver, Sender, channel};

/// A wait for the end of the budget.
pub struct Budget {
    /// The waiter's, as long as the session lasts.
    pub slot: usize,
    told: Sender<()>,
}

impl Budget {
    /// Begins the wait; `over` hears of the end.
    ///
    /// # Errors
    /// One line: there is no slot, or no thread.
    pub fn begin(session: &Session, until: Ends, over: Arc<EventFd>) -> Result<Budget, String> {
        let engine = session.engine;
        let slot = engine.page.claim(Kind::Busy, engine.pid, engine.pid, 0);
        let slot = slot.ok_or("cannot start the clock of --until: no slot is left")?;
        let settable = if matches!(until, Ends::Reads(_)) { SETTABLE } else { 0 };
        engine.page.slots[slot].thread().what.store(WaitKind::Timer as u32 | settable, SeqCst);
        let (told, wait) = channel();
        let waiter = Waiter { engine, slot };
        let run = move || waiter.run(until, &over, &wait);
        std::thread::Builder::new().spawn(run).map_err(|e| {
            format!("cannot start the clock of --until: {}; see ulimit -u and -v", why(&e))
        })?;
        Ok(Budget { slot, told })
    }

    /// All processes have been told to end: time goes on for them.
    pub fn all_are_told(&self) {
        let _ = self.told.send(());
    }
}

/// Is nobody in the session but the launcher, which waits in slot `budget`, and the tracer? Then
/// the session is about to end by itself, before its time: the launcher has not collected the last
/// process yet.
pub fn alone(page: &Page, budget: usize) -> bool {
    page.slots[..page.high()].iter().enumerate().all(|(index, slot)| {
        let free = slot.state.load().kind() == Kind::Free;
        index == budget || free || slot.tracer.load(SeqCst) == KEEPS_TIME
    })
}

/// When a session ends.
#[derive(Clone, Copy, Debug)]
pub enum Ends {
    /// At a virtual instant, however the time of day is set.
    At(Instant),
    /// When the time of day is that.
    Reads(Spec),
}

struct Waiter {
    engine: Engine,
    slot: usize,
}

impl Waiter {
    fn run(self, until: Ends, over: &EventFd, told: &Receiver<()>) {
        // SAFETY: no arguments.
        let tid = unsafe { libc::gettid() } as u32;
        self.engine.page.slots[self.slot].tid.store(tid, SeqCst);
        self.wait(until);
        let _ = over.write(1);
        // Busy until then, so nobody jumps meanwhile.
        let _ = told.recv();
        loop {
            self.park(self.engine.begin_wait(self.slot), NEVER);
        }
    }

    /// Waits until the time has come.
    fn wait(&self, until: Ends) {
        let clocks = SessionClocks(&self.engine);
        let day = |at| Until::At { clock: REALTIME, at };
        loop {
            // Begun first: whoever sets the clock after this ends the wait.
            let seq = self.engine.begin_wait(self.slot);
            let deadline = match until {
                Ends::At(instant) => Ok(instant),
                Ends::Reads(at) => day(at).deadline(&clocks),
            };
            let came = self.park(seq, deadline.map_or(NEVER, Instant::ns)) == Reason::TimedOut;
            match until {
                Ends::Reads(at) if came && day(at).reached(&clocks) => return,
                Ends::At(_) if came => return,
                // The clock was set.
                _ => {}
            }
        }
    }

    fn park(&self, seq: u32, deadline: u64) -> Reason {
        let reason = self.engine.park(self.slot, seq, deadline, Signals::Ignore, false, None);
        self.engine.resume(self.slot, Kind::Busy);
        reason
    }
}
