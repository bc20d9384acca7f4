//! `siginfo_t`: what is known of a signal. See sigaction(2).

use super::memory::Plain;

/// A `siginfo_t` as words: number, error, code, nothing, and then what depends on the code. Of a
/// timer's signal that is the timer's number, its overruns, its value.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
#[repr(transparent)]
pub struct SignalInfo(pub [i32; 32]);

// SAFETY: integers.
unsafe impl Plain for SignalInfo {}

const NUMBER: usize = 0;
const CODE: usize = 2;
const TIMER: usize = 4;
const OVERRUN: usize = 5;
const VALUE: usize = 6;
/// `si_code` of a signal that the kernel itself sends.
const SI_KERNEL: i32 = 0x80;

impl SignalInfo {
    /// A timer's signal, as far as a process that is not the receiver may say so.
    pub fn of_timer(number: i32, timer: i32, overrun: i32, value: u64) -> SignalInfo {
        let mut info = SignalInfo::default();
        (info.0[NUMBER], info.0[CODE], info.0[TIMER]) = (number, libc::SI_TIMER, timer);
        (info.0[OVERRUN], info.0[VALUE], info.0[VALUE + 1]) =
            (overrun, value as i32, (value >> 32) as i32);
        info
    }

    /// The signal's number.
    pub fn number(&self) -> i32 {
        self.0[NUMBER]
    }

    /// Does the kernel itself send it, as opposed to a process?
    pub fn is_of_kernel(&self) -> bool {
        self.0[CODE] > 0
    }

    /// The number of the timer that it is of, if it is a timer's.
    pub fn timer(&self) -> Option<i32> {
        (self.0[CODE] == libc::SI_TIMER).then_some(self.0[TIMER])
    }

    /// Changes how often that timer has expired besides.
    pub fn set_overrun(&mut self, overrun: i32) {
        self.0[OVERRUN] = overrun;
    }

    /// What the kernel says of the signal of alarm(2) and setitimer(2).
    pub fn become_alarm(&mut self) {
        self.0[CODE] = SI_KERNEL;
        self.0[TIMER..].fill(0);
    }

    /// Words `at` and `at + 1` as one number.
    pub fn double_word(&self, at: usize) -> u64 {
        self.0[at] as u32 as u64 | (self.0[at + 1] as u32 as u64) << 32
    }
}
