//! What a wait is for.

use engine::region::wait_kind::{RECHECKS, SETTABLE};
use engine::{Engine, WaitKind};
use libc::clockid_t;
use posix::clock::{Until, is_time_of_day};

/// What a wait is for, and whether its deadline is an instant of a clock that can be set.
#[derive(Clone, Copy)]
pub struct Cause {
    what: WaitKind,
    /// What that clock had been set ahead by before it was asked when the instant comes, ns.
    shift: Option<i64>,
    rechecks: bool,
}

impl From<WaitKind> for Cause {
    fn from(what: WaitKind) -> Cause {
        Cause { what, shift: None, rechecks: false }
    }
}

impl Cause {
    /// A wait for an instant of `clock`; made before each wait, and before its deadline is worked
    /// out.
    pub fn on(what: WaitKind, engine: &Engine, clock: clockid_t) -> Cause {
        Cause { what, shift: is_time_of_day(clock).then(|| engine.page.shift()), rechecks: false }
    }

    /// A wait until then, likewise.
    pub fn until(what: WaitKind, engine: &Engine, until: Until) -> Cause {
        Cause { what, shift: until.is_settable().then(|| engine.page.shift()), rechecks: false }
    }

    /// The same for a wait made of slices, between which the thread looks for what does not wake
    /// it: while all are at rest, no time passes before it has looked once more.
    pub fn rechecking(self) -> Cause {
        Cause { rechecks: true, ..self }
    }

    /// What it is for.
    pub fn what(self) -> WaitKind {
        self.what
    }

    /// As a slot keeps it.
    pub(crate) fn word(self) -> u32 {
        let flag = |set, flag| if set { flag } else { 0 };
        self.what as u32 | flag(self.shift.is_some(), SETTABLE) | flag(self.rechecks, RECHECKS)
    }

    /// Has the clock been set since?
    pub(crate) fn stale(self, engine: &Engine) -> bool {
        self.shift.is_some_and(|shift| shift != engine.page.shift())
    }
}
