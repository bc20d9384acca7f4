//! The launcher's keeper, which makes the exact looks: see [`engine::keeper::rounds`].

use crate::orphan_timerfds::OrphanTimerfds;
use crate::report::messages;
use crate::report::stall_report::{self, StallReport};
use crate::session::Session;
use crate::tracer::UnhookedWaits;
use crate::tracer::tracer_process::TracerProcess;
use crate::{launcher_liveness, proc};
use engine::keeper::rounds::{self, Event, Round};
use engine::region::tracer_word::Trace;
use look::{ProcLook, Whose};
use nix::sys::eventfd::EventFd;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;

/// Number of files that a look may have open at once: those of a thread, a folder and two files of
/// what is in it. With fewer it would never find anybody asleep.
const LOOKS_AT: usize = 6;

/// Starts the keeper's thread. It tells the main loop of rest only when somebody wants to know.
/// `budget` is the slot of [`crate::budget::Budget`].
///
/// # Errors
/// One line: there is no memory, no thread, or no descriptor.
pub fn start(
    session: &Session,
    rest: Arc<EventFd>,
    tracer: Arc<TracerProcess>,
    budget: Option<usize>,
) -> Result<(), String> {
    let (engine, statefile) = (session.engine, session.statefile);
    let may_trace = engine.page.trace() != Trace::None;
    let mut rounds = 0u32;
    launcher_liveness::watched(engine.page);
    let mut look = ProcLook::new(engine, Whose::Descendants, statefile, proc::tell_of_stranger)
        .ok_or("cannot start the keeper: no memory is left; see ulimit -v")?
        .of_region(session.region);
    let spare: Result<Vec<_>, _> =
        (0..LOOKS_AT).map(|_| rest.as_fd().try_clone_to_owned()).collect();
    drop(
        spare.map_err(|e| {
            format!("cannot start the keeper: {}; see ulimit -n", messages::why(&e))
        })?,
    );
    let keeper = move || {
        look.hand_over();
        launcher_liveness::watched(engine.page);
        // SAFETY: a plain prctl: the keeper's short sleeps are not to be rounded up by 50 µs.
        unsafe { libc::prctl(libc::PR_SET_TIMERSLACK, 1) };
        let mut look = UnhookedWaits::new(engine, look, may_trace, budget);
        let mut timerfds = OrphanTimerfds::default();
        let mut idle = false;
        let mut stall_report = StallReport::default();
        let resting = std::cell::Cell::new(false);
        rounds::run(
            engine,
            &mut look,
            |look, round| match round {
                Round::Begins => {
                    // At rest nothing calls for a look at parked threads but an outsider's SIGKILL.
                    idle = resting.replace(false);
                    rounds = rounds.wrapping_add(1);
                    timerfds.look(&engine);
                    if may_trace {
                        tracer.hear();
                    }
                    look.begin(idle && rounds.is_multiple_of(16));
                }
                Round::Stalled => look.look.stalled(true),
                Round::Moves => look.look.stalled(false),
            },
            |event| {
                resting.set(event == Event::Rest);
                let wanted = engine.page.header.want_rest.load(SeqCst) != 0;
                if event == Event::Rest && wanted {
                    let _ = rest.write(1);
                }
                match event {
                    Event::Busy(busy) => stall_report.runs(busy, &engine),
                    Event::Rescue(slot) => stall_report::rescue(engine.page, slot),
                    Event::Rest | Event::Jump => {
                        stall_report.rests(event == Event::Rest && !wanted, engine.page)
                    }
                }
                true
            },
        );
    };
    let started = std::thread::Builder::new().name("keeper".to_owned()).spawn(keeper);
    started.map(drop).map_err(|e| {
        format!("cannot start the keeper: {}; see ulimit -u and -v", messages::why(&e))
    })
}
