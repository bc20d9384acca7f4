//! The summary at the end of a session, at `-v`.

use crate::report::{holds, messages};
use crate::session::Session;
use std::sync::atomic::Ordering::SeqCst;

/// Says how much time has passed, real and virtual, and what could not be done.
pub fn say(session: &Session) {
    let (real, virtual_, jumps) = session.passed();
    messages::verbose(1, || {
        let h = &session.engine.page.header;
        let creeps = match h.creeps.load(SeqCst) {
            0 => String::new(),
            n => format!(", {n} steps for threads that spin"),
        };
        let worked = match h.kernel_worked.load(SeqCst) {
            0 => String::new(),
            ns => format!(", {} of it for work of the kernel", duration(ns)),
        };
        let missed = match h.slots_missed.load(SeqCst) {
            0 => String::new(),
            n => format!("; {n} threads were too many and ran in real time"),
        };
        format!(
            "{} virtual, {} real{worked}, {jumps} jumps{creeps}{missed}",
            duration(virtual_),
            duration(real)
        )
    });
    holds::say(session);
    let refused = session.engine.page.header.tracing_refused.load(SeqCst);
    if refused != 0 {
        messages::verbose(1, || {
            format!(
                "process {refused} could not trace what is traced already; use --trace=auto, \
                 or --trace=none for statically linked programs"
            )
        });
    }
}

/// A duration for people: the two largest units that matter.
pub fn duration(ns: u64) -> String {
    const UNITS: [(u64, &str); 4] = [(86_400, "d"), (3600, "h"), (60, "min"), (1, "s")];
    let seconds = ns / 1_000_000_000;
    if seconds < 60 {
        return format!("{:.3} s", ns as f64 / 1e9);
    }
    let at = UNITS.iter().position(|&(unit, _)| seconds >= unit).unwrap_or(3);
    let (unit, name) = UNITS[at];
    let rest = UNITS
        .get(at + 1)
        .map_or(String::new(), |&(small, n)| format!(" {} {n}", seconds % unit / small));
    format!("{} {name}{rest}", seconds / unit)
}

#[cfg(test)]
mod tests {
    #[test]
    fn durations_read_well() {
        assert_eq!(super::duration(12_000_340_000), "12.000 s");
        assert_eq!(super::duration(3_600_000_000_000), "1 h 0 min");
        assert_eq!(super::duration(90_061_000_000_000), "1 d 1 h");
        assert_eq!(super::duration(61_000_000_000), "1 min 1 s");
    }
}
