//! What a wait is for.

use crate::clockid;
use engine::what::SETTABLE;
use engine::{Engine, What};
use libc::clockid_t;

/// What a wait is for, and whether its deadline is an instant of a clock that can be set.
#[derive(Clone, Copy)]
pub struct Cause {
    what: What,
    /// What that clock had been set ahead by before it was asked when the instant comes, ns.
    shift: Option<i64>,
}

impl From<What> for Cause {
    fn from(what: What) -> Cause {
        Cause { what, shift: None }
    }
}

impl Cause {
    /// A wait for an instant of `clock`; made before each wait, and before its deadline is worked out.
    pub fn on(what: What, engine: &Engine, clock: clockid_t) -> Cause {
        Cause { what, shift: clockid::is_realtime(clock).then(|| engine.page.shift()) }
    }

    /// What it is for.
    pub fn what(self) -> What {
        self.what
    }

    /// As a slot keeps it.
    pub(crate) fn word(self) -> u32 {
        self.what as u32 | if self.shift.is_some() { SETTABLE } else { 0 }
    }

    /// Has the clock been set since?
    pub(crate) fn stale(self, engine: &Engine) -> bool {
        self.shift.is_some_and(|shift| shift != engine.page.shift())
    }
}
