//! The tracer's word in the header: a count of what there is for it to look at.

use crate::region::layout::Page;
use crate::region::tracer_word::Trace;
use crate::sync::SeqCst;
use crate::sys;

impl Page {
    /// Which programs are to be traced; none any more when the tracer has found out that it is not
    /// allowed to.
    pub fn trace(&self) -> Trace {
        match self.header.trace.load(SeqCst) {
            0 => Trace::None,
            1 => Trace::Auto,
            _ => Trace::All,
        }
    }

    /// Makes the tracer look for what there is to do. False if it was not asleep, or there is none.
    pub fn wake_tracer(&self) -> bool {
        let word = &self.header.tracer;
        word.fetch_add(1, SeqCst);
        sys::futex_wake(word, 1, false) > 0
    }
}
