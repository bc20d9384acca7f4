//! What the signal of a timer stands for. The receiver works out from it how often the timer has
//! expired since.

/// It travels in the last 16 bytes of what the kernel keeps of a `siginfo_t`, 32 bytes from the
/// beginning. The kernel's own timers tell the program nothing there.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Expired {
    /// The expiration for which the signal was sent, absolute virtual ns; 0 in the signals of
    /// others.
    pub first: u64,
    /// Between expirations, ns; 0 for one.
    pub interval: u64,
}

impl Expired {
    /// What the signals of others have there.
    pub const NOTHING: Expired = Expired { first: 0, interval: 0 };

    /// Expirations after the first, up to `now`. `None` if there are no more to come, or if the
    /// first has not come itself.
    pub fn missed(self, now: u64) -> Option<u64> {
        now.checked_sub(self.first)?.checked_div(self.interval)
    }

    /// The same number as `si_overrun` and timer_getoverrun(2) report it.
    pub fn overrun(self, now: u64) -> i32 {
        self.missed(now).unwrap_or(0).min(i32::MAX as u64) as i32
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn what_has_expired_since() {
        let every = Expired { first: 100, interval: 10 };
        assert_eq!(
            [99, 100, 109, 110, 135].map(|now| every.missed(now)),
            [None, Some(0), Some(0), Some(1), Some(3)]
        );
        assert_eq!(Expired { interval: 0, ..every }.missed(500), None);
        assert_eq!(Expired { interval: 1, ..every }.overrun(u64::MAX), i32::MAX);
    }
}
