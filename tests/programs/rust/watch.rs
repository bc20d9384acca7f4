//! A stopwatch that prints whole units, so that a native run and a virtual one print the same.

use std::time::{Duration, Instant, SystemTime};

/// The case named on the command line.
pub fn case() -> String {
    std::env::args().nth(1).expect("CASE UNIT SLACK")
}

fn seconds(index: usize) -> Duration {
    let text = std::env::args().nth(index).expect("CASE UNIT SLACK");
    Duration::from_secs_f64(text.parse().expect("a number of seconds"))
}

/// So many units of waiting.
pub fn units(count: u32) -> Duration {
    seconds(2) * count
}

/// How late a wait may end.
fn slack() -> Duration {
    seconds(3)
}

/// Runs on the wall clock and the monotonic clock at once.
pub struct Watch {
    wall: SystemTime,
    mono: Instant,
}

impl Watch {
    /// Starts now.
    pub fn start() -> Self {
        Watch { wall: SystemTime::now(), mono: Instant::now() }
    }

    /// Starts again.
    pub fn restart(&mut self) {
        *self = Self::start();
    }

    /// By the monotonic clock.
    pub fn elapsed(&self) -> Duration {
        self.mono.elapsed()
    }

    /// Prints whether `count` units have passed, neither less nor more than the slack.
    pub fn expect(&self, what: &str, count: u32) {
        let mono = self.elapsed();
        let wall = self.wall.elapsed().unwrap_or_default();
        let expected = units(count);
        let verdict = if mono.abs_diff(wall) > slack().max(Duration::from_millis(50)) {
            format!("wall clock says {wall:?}, monotonic clock {mono:?}")
        } else if mono < expected {
            format!("{:?} early", expected - mono)
        } else if mono > expected + slack() {
            format!("{:?} late", mono - expected)
        } else {
            "in time".to_owned()
        };
        println!("{what}: {count} units, {verdict}");
    }
}
