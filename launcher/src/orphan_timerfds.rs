//! Timer descriptors without a known owner: the process that set one has closed it or died, and
//! others may have it.
//!
//! Which processes do, `/proc/PID/fdinfo` tells: the interval of the kernel's timer names the slot
//! (see [`engine::schedule::timerfd`]). Reading it takes some microseconds a descriptor. So the
//! keeper reads it only when such a timer is due, and now and then to give back the slots of those
//! that are gone.

use crate::proc;
use engine::region::slot::Slot;
use engine::schedule::timerfd::LOST;
use engine::{Engine, Kind};
use std::collections::HashMap;
use std::sync::atomic::Ordering::SeqCst;

/// Timers made before slots are looked through for those that are gone.
const MANY: u32 = 4096;

/// The keeper's view of them.
#[derive(Default)]
pub struct OrphanTimerfds {
    lost: u32,
    made: u32,
}

impl OrphanTimerfds {
    /// Finds a process for each timer that was due and out of reach, and lets it tick there.
    pub fn look(&mut self, engine: &Engine) {
        let header = &engine.page.header;
        let (lost, made) = (header.timers_lost.load(SeqCst), header.timers.load(SeqCst));
        let many = made.wrapping_sub(self.made) >= MANY;
        if lost == self.lost && !many {
            return;
        }
        (self.lost, self.made) = (lost, made);
        let found = holders(engine);
        // SAFETY: no arguments.
        let tid = unsafe { libc::gettid() } as u32;
        for index in 0..engine.page.high() {
            let slot = &engine.page.slots[index];
            if slot.state.load().kind() != Kind::Timer
                || slot.pid.load(SeqCst) != 0 && !is_lost(slot)
            {
                continue;
            }
            // Whoever holds it may be stopped, and this thread must not wait: it looks again.
            let Some(locked) = engine.try_lock_timer(index, tid) else {
                self.lost = lost.wrapping_sub(1);
                continue;
            };
            match found.get(&index) {
                Some(&(pid, fd)) => {
                    slot.pid.store(pid, SeqCst);
                    slot.timer().fd.store(fd, SeqCst);
                    if is_lost(slot) {
                        locked.tick();
                    }
                }
                // It may be on its way in a socket, so the slot is kept; but not when there are too
                // many.
                None if many && slot.pid.load(SeqCst) == 0 => locked.release(),
                None => {}
            }
        }
    }
}

fn is_lost(slot: &Slot) -> bool {
    slot.timer().flags.load(SeqCst) & LOST != 0
}

/// The session's timers and a descriptor of each.
fn holders(engine: &Engine) -> HashMap<usize, (u32, i32)> {
    let mut found = HashMap::new();
    for pid in proc::descendants(std::process::id()) {
        let Ok(folder) = std::fs::read_dir(format!("/proc/{pid}/fdinfo")) else { continue };
        for entry in folder.flatten() {
            let Some(fd) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
                continue;
            };
            let text = std::fs::read_to_string(entry.path()).unwrap_or_default();
            if let Some(index) = interval(&text).and_then(|(sec, nsec)| engine.named(sec, nsec)) {
                found.insert(index, (pid, fd));
            }
        }
    }
    found
}

/// The line `it_interval: (SECONDS, NANOSECONDS)`.
fn interval(text: &str) -> Option<(i64, i64)> {
    let line = text.lines().find_map(|line| line.strip_prefix("it_interval:"))?;
    let (sec, nsec) = line.trim().strip_prefix('(')?.strip_suffix(')')?.split_once(',')?;
    Some((sec.trim().parse().ok()?, nsec.trim().parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_of_fdinfo() {
        let text = "pos:\t0\nflags:\t02\nclockid: 1\nticks: 0\nsettime flags: 01\nit_value: (0, 0)\nit_interval: (4000000007, 12)\n";
        assert_eq!(interval(text), Some((4_000_000_007, 12)));
        assert_eq!(interval("pos:\t0\nflags:\t02\n"), None);
    }
}
