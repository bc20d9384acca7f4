//! The signals of timers: when one is sent, and what is known of the last one.

use crate::send_signal::{self, Signal};
use crate::timer_table::ITIMER_ID;
use crate::timer_table::Table;
use interpose::shim::signal_handlers;
use libc::c_int;
use posix::time::{Instant, Span};
use posix::timer::Expired;

impl Table {
    /// Sends the timer's signal for its expiration at `due`, unless one is under way.
    pub(super) fn tell(&mut self, at: usize, due: Instant, overrun: c_int) {
        if self.ids[at] == ITIMER_ID {
            return send_signal::alarm();
        }
        let Some((number, to)) = self.timers[at].notify.signal() else { return };
        if self.under_way(at, due - Span::from_ns(1)) {
            return;
        }
        self.turns += 1;
        let (timer, turn) = (&mut self.timers[at], self.turns);
        (timer.sent, timer.waited, timer.first) = (turn, false, due);
        let expired = timer.expired();
        send_signal::send(&Signal {
            number,
            to,
            timer: self.ids[at],
            overrun,
            value: timer.value,
            expired,
        });
    }

    /// Is the timer's last signal still under way? If it was taken and nobody has said so, then at
    /// `by` at the latest.
    fn under_way(&mut self, at: usize, by: Instant) -> bool {
        let timer = &mut self.timers[at];
        let Some((number, to)) = timer.notify.signal().filter(|_| timer.sent != 0) else {
            return false;
        };
        if (to.is_some() || timer.sent > self.taken[number as usize])
            && send_signal::pending(number, to)
        {
            timer.waited = true;
            return true;
        }
        if to.is_none() {
            self.taken[number as usize] = self.turns;
        }
        if timer.waited || !signal_handlers::ignored(number) {
            self.take(at, by);
        } else {
            // Nobody has ever had it.
            timer.sent = 0;
        }
        false
    }

    /// Whoever takes signal `number` of timer `id` at `now`, and may know what that stands for,
    /// learns how many overruns it has. If somebody has asked the kernel before it has come to
    /// tell, they are counted already.
    pub fn taken(
        &mut self,
        id: c_int,
        number: c_int,
        expired: Option<Expired>,
        now: Instant,
    ) -> Option<c_int> {
        let at = self.find(id)?;
        let timer = &self.timers[at];
        timer.notify.signal().filter(|&(its, _)| its == number)?;
        if timer.sent != 0 && expired.is_none_or(|expired| expired == timer.expired()) {
            self.take(at, now);
        }
        Some(self.timers[at].overrun)
    }

    /// The signal under way was taken at `by`: what has expired by then is told.
    fn take(&mut self, at: usize, by: Instant) {
        let timer = &mut self.timers[at];
        let expired = timer.expired();
        (timer.sent, timer.overrun) = (0, expired.overrun(by));
        let due = &mut self.due[timer.notify.role() as usize];
        // The timer may have been set anew, and not have expired since.
        let next = expired.next(by);
        if !expired.interval.is_zero() && due.get(at) < next {
            due.set(at, next);
        }
    }

    /// Overruns of the signal taken last, at `now`.
    pub fn overrun(&mut self, at: usize, now: Instant) -> c_int {
        self.under_way(at, now);
        self.timers[at].overrun
    }
}
