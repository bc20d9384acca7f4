//! A poll iteration of a thread that spins: from one back-off to the next.
//!
//! A back-off counts as blocked only while nobody has done anything since the poll iteration before
//! it began, for the thread may not have seen it. The words of threads with the library tell. A
//! tracee's word tells nothing while it runs and when it falls asleep. So the iteration counts only
//! if all other tracees were asleep when it began and have not run when it is over. If they have,
//! the thread backs off all the same, so as to leave them the processor, and counts as running.

use crate::session::real_now;
use crate::tracer::policy::tracees::Tracees;
use engine::Kind;
use engine::region::tracer_word::STOPPED;
use libc::pid_t;
use look::thread::{Files, Thread as Found};
use std::collections::HashMap;
use std::sync::atomic::Ordering::SeqCst;

/// What a poll iteration has begun with.
#[derive(Default)]
pub(super) struct PollIteration {
    /// What the session's words were.
    words: u32,
    /// All other tracees were asleep.
    quiet: bool,
    /// Their files, and what they were found doing.
    others: HashMap<pid_t, (Files, Found)>,
}

impl PollIteration {
    /// It begins for thread `tid`, and the session's words are these.
    pub fn begin(&mut self, tracees: &Tracees, tid: pid_t, words: u32) {
        self.words = words;
        let mut before = std::mem::take(&mut self.others);
        self.quiet = others(tracees, tid).all(|(process, other)| {
            let open = || Files::open(process as u32, other as u32, real_now).ok();
            let Some(mut files) = before.remove(&other).map(|(files, _)| files).or_else(open)
            else {
                return false;
            };
            let found = files.look(None);
            self.others.insert(other, (files, found));
            matches!(found, Found::Asleep(_) | Found::Zombie)
        });
    }

    /// Are the session's words what they were?
    pub fn has_words(&self, tracees: &Tracees) -> bool {
        self.words == tracees.engine.page.words()
    }

    /// Has no other tracee done anything since it began?
    pub fn is_quiet(&mut self, tracees: &Tracees, tid: pid_t) -> bool {
        self.quiet
            && others(tracees, tid).all(|(_, other)| {
                let Some((files, found)) = self.others.get_mut(&other) else { return false };
                let runs = if let Found::Asleep(runs) = found { Some(*runs) } else { None };
                files.look(runs) == *found
            })
    }
}

/// The tracees whose words do not tell whether they do anything, but for those that are watched
/// themselves, or look after others.
fn others(tracees: &Tracees, tid: pid_t) -> impl Iterator<Item = (pid_t, pid_t)> {
    let quiet = |me: usize| {
        let slot = tracees.slot(me);
        slot.is_runtime_tick()
            || slot.tracer.load(SeqCst) == STOPPED
            || slot.state.load().kind() != Kind::Foreign
    };
    tracees.threads.iter().filter_map(move |(&other, thread)| {
        let counts = other != tid && !thread.watched && !thread.slot.is_none_or(quiet);
        counts.then_some((thread.process, other))
    })
}
